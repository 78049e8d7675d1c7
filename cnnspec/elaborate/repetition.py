"""`repeat`: a node applied again and again, with a different first or last one."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from cnnspec.blocks.base import Value
from cnnspec.elaborate.assembly import MOST_NODES, UNKNOWN, Exhausted, Poisoned
from cnnspec.elaborate.frames import Frame, NodeParts
from cnnspec.graph import Ref, Region
from cnnspec.merge import merge_mappings
from cnnspec.scaling.fields import is_literal
from cnnspec.scaling.scaler import Follower
from cnnspec.source import Mapping, Scalar, Tree, plain
from cnnspec.validation.words import repair, shown

if TYPE_CHECKING:
    from cnnspec.elaborate.walk import Elaborator

MOST_REPEATS = 10_000


def repeated(walk: Elaborator, parts: NodeParts, frame: Frame, path: str, inputs: tuple[Value, ...]) -> Value:
    """Apply a node as often as it says; each time it takes what the last gave."""
    if "repeat" not in parts.reserved:
        for word in ("first", "last"):
            if word in parts.reserved:
                walk.report.error("E109", f"`{word}` needs `repeat`", parts.reserved[word].span, "add `repeat: 2`")
        return walk.applications.apply(parts, parts.arguments, frame, path, inputs)
    count = _count(walk, parts, frame, path)
    iterations = []
    for index in range(count):
        walk.step(parts.reserved["repeat"])
        arguments = parts.arguments
        for word, at in (("first", 0), ("last", count - 1)):
            if word in parts.reserved and index == at:
                arguments = _override(walk, parts, arguments, word)
        turn = frame.inside(inputs, frame.training_only, {"index": index, "count": count})
        iteration = f"{path}.{index}"
        try:
            output = walk.applications.apply(parts, arguments, turn, iteration, inputs)
        except Poisoned:
            # A mistake in the first one hides none in the last.
            walk.survey.parts(parts)
            raise
        walk.assembly.scopes[iteration] = output.ref
        iterations.append(iteration)
        inputs = _carried(walk, parts, iteration, output, inputs)
    walk.assembly.regions.append(Region(path, tuple(iterations)))
    ports = walk.assembly.ports.get(iterations[-1], {}) if iterations else _as_they_came(walk, parts, inputs)
    if ports:
        walk.assembly.name_outputs(path, ports)
    if not count:
        walk.survey.parts(parts)
        return inputs[0] if inputs else UNKNOWN
    return output


def _carried(
    walk: Elaborator, parts: NodeParts, iteration: str, output: Value, inputs: tuple[Value, ...]
) -> tuple[Value, ...]:
    """What the next turn takes: the output of this one, and the others as they came.

    An output of a block of one's own that bears the name of one of its inputs is that input of the next turn.
    """
    ports = walk.assembly.ports.get(iteration, {})
    taken = [walk.assembly.value(ports[n]) if n in ports else None for n in _input_names(walk, parts)]
    others = (output, *inputs[1:])
    return tuple(value or other for value, other in zip_longest(taken[: len(others)], others))


def _as_they_came(walk: Elaborator, parts: NodeParts, inputs: tuple[Value, ...]) -> dict[str, Ref]:
    """The outputs of no turn at all: what would have been carried."""
    carried = walk.blocks[parts.key].output_names if parts.key in walk.blocks else ()
    return {name: value.ref for name, value in zip(_input_names(walk, parts), inputs, strict=False) if name in carried}


def _input_names(walk: Elaborator, parts: NodeParts) -> tuple[str, ...]:
    return walk.blocks[parts.key].inputs if parts.key in walk.blocks else ()


def _count(walk: Elaborator, parts: NodeParts, frame: Frame, path: str) -> int:
    """How often, within bounds."""
    tree = parts.reserved["repeat"]
    count = walk.evaluate(tree, frame)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        message = "should be a whole number of at least 0"
        hint = repair(
            "int_type", count, message, "'" if isinstance(tree, Scalar) and isinstance(tree.value, str) else ""
        )
        if type(count) is int:
            hint = "write `0` to leave the node out"
        walk.report.error("E103", f"`repeat` {message}, and is {shown(count)}", tree.span, hint, frame.chain())
        raise Poisoned
    if is_literal(tree):
        count, _ = walk.scale("repeat", count, path, tree, "depth")
    elif isinstance(tree, Scalar):
        walk.scale.followers.append(Follower(path, "repeat", count, str(tree.value)))
    if count > MOST_REPEATS:
        message = f"`repeat` asks for {count:,} iterations, and the most is {MOST_REPEATS:,}"
        walk.report.error("E702", message, tree.span, f"no machine holds so many `{parts.key}`: check the number")
        raise Poisoned
    each = walk.least.applied(parts.key, parts.arguments)
    if walk.assembly.size + count * each > MOST_NODES:
        message = f"`repeat` asks for {count:,} times {each:,} nodes, and a network has at most {MOST_NODES:,}"
        walk.report.error("E701", message, tree.span, "repeat less, or split it up", frame.chain())
        raise Exhausted
    return count


def _override(walk: Elaborator, parts: NodeParts, arguments: Tree | None, word: str) -> Tree | None:
    """The arguments of the first or last application."""
    over = parts.reserved[word]
    if isinstance(over, Mapping) and (isinstance(arguments, Mapping) or arguments is None or plain(arguments) is None):
        if [*over.entries] == [parts.key]:
            walk.report.error("E101", f"`{parts.key}` stands twice: in the node and in `{word}`", over.entries[parts.key].key_span,
                              f"write only what is different: `{word}: {{stride: 2}}`")  # fmt: skip
            raise Poisoned
        return merge_mappings(arguments, over) if isinstance(arguments, Mapping) else over
    hint = f"write `{word}: {{stride: 2}}`"
    if parts.key == "layers":
        hint = "within the list, ask for `${index == 0}`"
    elif not isinstance(arguments, Mapping) and isinstance(over, Mapping):
        hint = f"give `{parts.key}` a mapping of fields as well"
    walk.report.error("E103", f"`{word}` should be a mapping of fields of `{parts.key}`, and is {shown(over)}"
                      if not isinstance(over, Mapping) else f"`{word}` cannot change fields of `{parts.key}` here", over.span, hint)  # fmt: skip
    raise Poisoned
