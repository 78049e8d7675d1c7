"""`repeat`: a node applied again and again, with a different first or last one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnspec.blocks.base import Value
from cnnspec.elaborate.assembly import MOST_NODES, UNKNOWN, Exhausted, Poisoned
from cnnspec.elaborate.frames import Frame, NodeParts
from cnnspec.graph import Region
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
        inputs = (output, *inputs[1:])
    walk.assembly.regions.append(Region(path, tuple(iterations)))
    if iterations and iterations[-1] in walk.assembly.ports:
        walk.assembly.ports[path] = walk.assembly.ports[iterations[-1]]
    if not count:
        walk.survey.parts(parts)
    return inputs[0] if inputs else UNKNOWN


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
