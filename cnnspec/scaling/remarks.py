"""What is worth a warning about a network that scaled well: a factor that moved nothing, an output that changed."""

from __future__ import annotations

from cnnspec.diagnostics import Report, Span
from cnnspec.graph import Graph, Ref
from cnnspec.scaling.scaler import Change, Kind, Scaler
from cnnspec.source import Mapping

#: What each factor multiplies, and how a number is written that it should multiply.
_MULTIPLIES: dict[Kind, tuple[str, str]] = {
    "width": ("width", "write widths as numbers, or declare the param that gives them with `scale: width`"),
    "depth": ("`repeat`", "write rows that are alike as one with `repeat: 2`, or declare a param with `scale: depth`"),
}

#: Activations that leave an output the scores of classes.
_SCORES = ("softmax", "sigmoid")


def remark(scaler: Scaler, graph: Graph, tree: Mapping, report: Report) -> None:
    """Warn (E907) of factors that changed nothing, and (E908) of outputs with another number of channels."""
    entry = tree.entries.get("scale")
    place = entry.key_span if entry is not None else None
    _idle(scaler, "width", place, report)
    _idle(scaler, "depth", place, report)
    changed = {c.path: c for c in scaler.changes if c.kind == "width" and c.result != c.base}
    for name, ref in graph.outputs.items():
        change = changed.get(_head(graph, ref).node)
        if change is not None:
            report.warning(
                "E908", f"the output `{name}` has {change.result} channels, and {change.base} as written", place,
                f"if that number should stay, write `scaling: {{exempt: [{change.path}]}}`",
            )  # fmt: skip


def _idle(scaler: Scaler, kind: Kind, place: Span | None, report: Report) -> None:
    factor = scaler.width if kind == "width" else scaler.depth
    met = [c for c in scaler.changes if c.kind == kind]
    if factor == 1 or any(c.result != c.base for c in met):
        return
    number, hint = _MULTIPLIES[kind]
    reason = f"no {number} of the spec is written as a number"
    if met:
        reason = f"every {number} is exempt, or rounded back to what it was"
        hint = _least(scaler, kind, met)
    report.warning("E907", f"{kind} {factor:.4g} changes nothing: {reason}", place, hint)


def _least(scaler: Scaler, kind: Kind, met: list[Change]) -> str:
    """The factor nearest to the one given that moves a number, where there is one."""
    moving = [c.base for c in met if not c.rule.startswith(("stays: exempt", "stays: fixed_depth"))]
    if not moving:
        return f"take a name off `{'exempt' if kind == 'width' else 'fixed_depth'}`"
    widest, step = max(moving), scaler.rule.divisor if kind == "width" else 1
    up = (scaler.width if kind == "width" else scaler.depth) > 1
    target = widest + step if up else widest - step
    return f"{kind} {target / widest:.3g} is the nearest that changes a number" if target > 0 else ""


def _head(graph: Graph, ref: Ref) -> Ref:
    """The op that gives an output its channels where that is a layer of weights, seen through a softmax or sigmoid."""
    node = graph.by_path.get(ref.node)
    while node is not None and node.op.key == "activation" and getattr(node.op, "function", "") in _SCORES:
        source = node.inputs[0]
        node = graph.by_path.get(source.node) if source is not None else None
    return Ref(node.path) if node is not None and node.op.key in ("linear", "conv") else Ref("")
