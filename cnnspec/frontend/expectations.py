"""What a spec expects of its network: parameters, multiply-accumulates, shapes."""

from __future__ import annotations

from cnnspec.costs import Totals
from cnnspec.diagnostics import Label, Report, did_you_mean
from cnnspec.document import Count, Expect
from cnnspec.elaborate import Assembly
from cnnspec.elaborate.tracing import differing_axis, trace
from cnnspec.graph import Graph, Ref
from cnnspec.source import Mapping


def compare(expect: Expect, tree: Mapping, graph: Graph, counts: Totals, assembly: Assembly, report: Report) -> None:
    """Report every expectation that the network does not meet."""
    written = tree.get("expect")
    assert isinstance(written, Mapping)
    _compare_counts(expect, written, counts, report)
    for name, shape in expect.nodes.items():
        _compare_shape("E601", name, shape, graph.scopes.get(name), written, graph, assembly, report)
    for name, shape in expect.output or ():
        ref = graph.outputs.get(name) if name else next(iter(graph.outputs.values()))
        _compare_shape("E604", name, shape, ref, written, graph, assembly, report)


def _compare_counts(expect: Expect, written: Mapping, counts: Totals, report: Report) -> None:
    origin = f"expected according to {expect.origin}" if isinstance(expect.origin, str) else ""
    numbers = (
        ("E602", "params", "params", expect.params, counts.params),
        ("E602", "training_params", "params only for training", expect.training_params, counts.training_params),
        ("E602", "state", "numbers of state", expect.state, counts.state),
        ("E603", "macs", "MACs", expect.macs, counts.macs),
    )
    for code, name, words, expected, actual in numbers:
        if isinstance(expected, Count) and not expected.matches(actual):
            difference = actual - expected.value
            report.error(
                code, f"expected {expected.text} {words}, and the network has {actual:,} ({difference:+,})",
                written.entries[name].value.span, "`cnnspec summary` shows the count of every node",
                (Label(origin),) if origin else (),
            )  # fmt: skip


def _compare_shape(
    code: str,
    name: str,
    shape: tuple[int, ...],
    ref: Ref | None,
    written: Mapping,
    graph: Graph,
    assembly: Assembly,
    report: Report,
) -> None:
    """One shape; of a node (E601) or of an output (E604)."""
    entry = written.entries["nodes" if code == "E601" else "output"]
    entry = entry.value.entries[name] if isinstance(entry.value, Mapping) else entry
    what = f"`{name}`" if name else "the output"
    if ref is None:
        kind = "output" if code == "E604" else "node"
        known = graph.outputs if code == "E604" else [path for path in graph.scopes if "." not in path]
        hint = did_you_mean(name, known) or f"`cnnspec summary` shows the {kind}s"
        report.error("E301", f"there is no {kind} {what} to expect anything of", entry.key_span, hint)
        return
    actual = graph.type_of(ref)
    if actual.shape == shape:
        return
    reason, origin = trace(assembly, ref, differing_axis(actual.shape, shape)) if actual.rank else ("", None)
    label = Label(f"inferred   {actual.plain}   {reason}", origin.span if origin else None)
    wanted = "x".join(map(str, shape)) or "no dimensions"
    report.error(code, f"expected {wanted} of {what}, and its shape is {actual.plain}", entry.value.span,
                 "correct the expectation, or the layers before it", (label,))  # fmt: skip
