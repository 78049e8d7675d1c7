"""Explanations: where a dimension comes from, and through which blocks a mistake was reached."""

from __future__ import annotations

from collections.abc import Iterable

from cnnspec.blocks.base import Value
from cnnspec.diagnostics import Diagnostic, Label, Problem
from cnnspec.elaborate.assembly import MOST_NODES, Assembly
from cnnspec.graph import Origin, Ref


def diagnose(assembly: Assembly, problem: Problem, origin: Origin, inputs: tuple[Value | None, ...]) -> Diagnostic:
    """The diagnostic for a problem at `origin`: place, where the dimensions came from, and the chain."""
    labels = [_operand(assembly, inputs[i], problem.axis) for i in problem.operands if i < len(inputs)]
    chain = list(origin.chain())
    # What fits where it is written and not where it is shared is a mistake of the sharing.
    shared = next((o for o in chain if o.what.startswith("`shared`")), None)
    span = shared.span if shared else chain[0].fields.get(problem.field or "") or chain[0].span
    outer = [Label(f"in {o.what}", o.span) for o in chain[0 if shared else 1 :] if o.what and o is not shared]
    return Diagnostic(problem.code, problem.message, span, problem.help, (*(x for x in labels if x), *outer))


def _operand(assembly: Assembly, value: Value | None, axis: int | None) -> Label | None:
    if value is None or not value.types:
        return None
    reason, origin = trace(assembly, value.ref, axis if axis is not None else value.type.rank - 1)
    name = next((p for p, ref in reversed(assembly.scopes.items()) if ref == value.ref), value.ref.node)
    span = origin.span if origin is not None else assembly.input_spans.get(value.ref.node)
    return Label("   ".join(x for x in (name, value.type.plain, reason) if x), span)


def differing_axis(shape: tuple[int, ...], expected: Iterable[int]) -> int:
    """The first dimension in which a shape differs from the one expected; the last where their ranks differ."""
    wanted = tuple(expected)
    if len(wanted) != len(shape):
        return len(shape) - 1
    return next((axis for axis, (a, b) in enumerate(zip(shape, wanted, strict=True)) if a != b), len(shape) - 1)


def trace(assembly: Assembly, ref: Ref, axis: int) -> tuple[str, Origin | None]:
    """What made dimension `axis` of `ref`, and where: follows ops that pass the dimension on."""
    for _ in range(MOST_NODES):
        node = assembly.nodes.get(ref.node)
        if node is None:
            return _of_input(assembly, ref, axis)
        types = tuple(assembly.type_of(r) for r in node.inputs if r is not None)
        shape = node.types[ref.port].shape
        if not -len(shape) <= axis < len(shape):
            return "", node.origin
        text = node.op.origin(axis, *types)
        source = node.inputs[0] if node.inputs else None
        if text is None and source is not None and assembly.type_of(source).rank == len(shape):
            ref = source
            continue
        origin = node.origin
        text = text or f"after `{node.op.key}`"
        if origin is not None:
            field = text.split(" ")[0]
            text = origin.why.get(field, text)
            written = next((o for o in origin.chain() if field in o.fields), None)
            if written is not None:
                origin = Origin(written.what, written.fields[field])
        return f"{shape[axis]} = {text}", origin
    return "", None


_NAMES = {3: ("height", "width", "channels"), 1: ("features",)}


def _of_input(assembly: Assembly, ref: Ref, axis: int) -> tuple[str, Origin | None]:
    """What an input says of one of its dimensions."""
    type_ = assembly.inputs[ref.node].type
    names = _NAMES.get(type_.rank, ())
    reason = f"{type_.shape[axis]} = {names[axis]} of `{ref.node}`" if -len(names) <= axis < len(names) else ""
    if type_.classes is not None:
        reason = f"{type_.classes} = classes of `{ref.node}`"
    span = assembly.input_spans.get(ref.node)
    return reason, Origin("", span) if span is not None else None
