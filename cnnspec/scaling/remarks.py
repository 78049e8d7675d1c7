"""What is worth a warning about a network that scaled well: a factor that moved nothing, an output that changed."""

from __future__ import annotations

import math
from dataclasses import replace

from cnnspec.diagnostics import Report, Span
from cnnspec.graph import Graph, Ref
from cnnspec.scaling.rule import MOST_FACTOR
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
    place = entry.key_span if entry is not None and scaler.standing is None else None
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
    standing = scaler.standing or Scaler(scaler.rule)
    factor = scaler.factor(kind) / standing.factor(kind)
    met = [c for c in scaler.changes if c.kind == kind]
    if math.isclose(factor, 1) or any(c.result != standing.applied_to(c) for c in met):
        return
    if scaler.factor(kind) == 1:  # back at the network as it is written, of which no number is remembered
        return
    number, hint = _MULTIPLIES[kind]
    reason = f"no {number} of the spec is written as a number"
    if met:
        reason = f"every {number} is exempt, or rounded back to what it was"
        hint = _least(scaler, standing, kind, factor, met)
    asked = scaler.asked
    of = f" of variant {asked.variant}" if asked.variant else "" if asked.phi is None else f" of phi {asked.phi:g}"
    report.warning("E907", f"{kind} {factor:g}{of} changes nothing: {reason}", place, hint)


def _least(scaler: Scaler, standing: Scaler, kind: Kind, factor: float, met: list[Change]) -> str:
    """The factor in hundredths nearest to the one given, and on its side of 1, that moves a number."""
    moving = {(c.base, c.groups): c for c in met if not c.rule.startswith(("stays: exempt", "stays: fixed_depth"))}
    if not moving:
        return f"take a name off `{'exempt' if kind == 'width' else 'fixed_depth'}`"
    up = factor > 1
    start = math.ceil(100 * factor) if up else math.floor(100 * factor)
    for hundredths in range(start, int(100 * MOST_FACTOR) + 1) if up else range(start, 0, -1):
        factor = standing.factor(kind) * hundredths / 100
        tried = replace(scaler, width=factor) if kind == "width" else replace(scaler, depth=factor)
        if any(tried.applied_to(c) != standing.applied_to(c) for c in moving.values()):
            return f"{kind} {hundredths / 100:g} is the nearest that changes a number"
    return ""


def _head(graph: Graph, ref: Ref) -> Ref:
    """The op that gives an output its channels where that is a layer of weights, seen through a softmax or sigmoid."""
    node = graph.by_path.get(ref.node)
    while node is not None and node.op.key == "activation" and getattr(node.op, "function", "") in _SCORES:
        source = node.inputs[0]
        node = graph.by_path.get(source.node) if source is not None else None
    return Ref(node.path) if node is not None and node.op.key in ("linear", "conv") else Ref("")
