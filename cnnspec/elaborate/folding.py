"""Blocks that are applied alike are elaborated once: for counting a network, which a search does hundreds of times.

What a block becomes depends on its fields, on the types of what comes into it, and on the names that the nodes within
it see. Applications that agree in all of these differ in their paths alone, and count the same: the first is elaborated
by itself, as a small network, and one node stands for each. A block that reaches for a node around it is elaborated in
its place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnspec.blocks.base import Value
from cnnspec.elaborate.calling import named_outputs
from cnnspec.elaborate.evaluation import evaluate_tree, names_in
from cnnspec.elaborate.frames import Frame
from cnnspec.elaborate.tally import Part, Tally
from cnnspec.expressions import METER
from cnnspec.graph import Input, Ref
from cnnspec.params import FAILED
from cnnspec.scaling.fields import is_literal
from cnnspec.source import Mapping, Tree, plain

if TYPE_CHECKING:
    from cnnspec.elaborate.walk import Elaborator

Expand = Callable[[tuple[Value, ...]], Value]


@dataclass(frozen=True, slots=True)
class _Read:
    """What is written of a block: its text, the fields that are expressions, and the names that nodes within it see.

    It holds the tree, so that no other one comes to have the same identity.
    """

    tree: Tree
    text: str
    expressions: tuple[tuple[str, Tree], ...]
    names: tuple[str, ...]


class Folding:
    """The parts of one walk that are known."""

    def __init__(self, walk: Elaborator) -> None:
        self._walk = walk
        #: `None` stands for what has to be elaborated in its place.
        self._parts: dict[Hashable, Part | None] = {}
        #: What was read of a tree, by its identity.
        self._read: dict[int, _Read] = {}

    def apply(
        self, what: str, tree: Tree, nested: Collection[str], chances: Collection[str], frame: Frame, path: str,
        inputs: tuple[Value, ...], expand: Expand,
    ) -> Value:  # fmt: skip
        """The output of a block, which `expand` elaborates: what `tree` says of its fields, some of which hold nodes.

        Probabilities, the fields in `chances`, count for nothing where they are neither 0 nor 1.
        """
        if frame.training_only or any(map(self._apart, inputs)):
            return expand(inputs)
        if id(tree) not in self._read:
            self._read[id(tree)] = _read(tree, nested)
        read = self._read[id(tree)]
        values = self._values(read, chances, frame)
        if values is None:
            return expand(inputs)
        types = tuple([value.types[0] for value in inputs])
        key = (what, read.text, values, types, frame.depth, frame.in_block, self._scaled_as(path))
        if key not in self._parts:
            self._parts[key] = self._elaborated(path, inputs, expand)
        part, tally = self._parts[key], self._walk.assembly
        if part is None:
            return expand(inputs)
        self._walk.spend(part.steps, part.work)
        assert isinstance(tally, Tally)
        return named_outputs(self._walk, path, tally.put(path, part, inputs))

    def _apart(self, value: Value) -> bool:
        """Whether an input is none that a part could have: unknown, one of several outputs, or only for training."""
        node = self._walk.assembly.nodes.get(value.ref.node)
        return len(value.types) != 1 or (node is not None and node.training_only)

    def _values(self, read: _Read, chances: Collection[str], frame: Frame) -> str | None:
        """The values of what is not the same wherever a tree is used; `None` where one of them is wrong."""
        values: list[Any] = [frame.names.get(name) for name in read.names]
        for name, written in read.expressions:
            value = evaluate_tree(written, frame.names, self._walk.report)
            if value is FAILED:
                return None
            values.append("chance" if name in chances and isinstance(value, float) and 0 < value < 1 else value)
        return repr(values)

    def _scaled_as(self, path: str) -> Hashable:
        """What the rule of scaling says of a path by its name: paths of which it says the same are alike."""
        steps = {*path.split(".")}
        named = tuple(name for name in self._walk.scale.rule.named if not steps.isdisjoint(name.split(".")))
        return path if any("." in name for name in named) else named

    def _elaborated(self, path: str, inputs: tuple[Value, ...], expand: Expand) -> Part | None:
        """A part, elaborated with inputs of its own in an assembly of its own."""
        walk, around = self._walk, self._walk.assembly
        # Named by the path, so that no input of a part around this one is taken for its own.
        own = tuple(Value(Ref(f"{path}:{number}"), value.types) for number, value in enumerate(inputs))
        alone = Tally((Input(value.ref.node, value.type) for value in own), around)
        steps, work = walk.steps, METER.spent
        walk.assembly = alone
        try:
            output = expand(own)
        finally:
            walk.assembly = around
        # The rule of scaling may name what is within.
        around.scopes.update(alone.scopes)
        taken = walk.steps - steps, METER.spent - work
        walk.steps, METER.spent = steps, work
        outputs = alone.ports.get(path) or {"": output.ref}
        numbers = {value.ref.node: number for number, value in enumerate(own)}
        made = {ref for ref in outputs.values() if ref.node not in numbers}
        if not _closed(alone, made):
            return None
        counts, used = alone.count({str(ref): ref for ref in made})
        return Part(
            {name: numbers.get(ref.node) for name, ref in outputs.items()},
            tuple(alone.type_of(ref) for ref in made), tuple(sorted(numbers[name] for name in used)),
            counts, alone.size, alone.elements, *taken,
        )  # fmt: skip


def _read(tree: Tree, nested: Collection[str]) -> _Read:
    text = repr(plain(tree))
    if not isinstance(tree, Mapping):
        return _Read(tree, text, (), tuple(sorted({*names_in(tree)})))
    fields = {name: entry.value for name, entry in tree.entries.items()}
    names = {name for field in nested if field in fields for name in names_in(fields[field])}
    expressions = [(name, t) for name, t in fields.items() if name not in nested and not is_literal(t)]
    return _Read(tree, text, tuple(expressions), tuple(sorted(names)))


def _closed(alone: Tally, made: set[Ref]) -> bool:
    """Whether a part is a network of its own: no node is from around it, none only for training, and it makes one thing.

    Of several that it made, each would need nodes of its own, and it is not known which of them are used.
    """
    known = alone.nodes.keys() | alone.inputs.keys()
    refs = {ref.node for node in alone.nodes.values() for ref in node.inputs if ref is not None}
    if len(made) > 1 or not refs | {ref.node for ref in made} <= known:
        return False
    several = any(len(alone.nodes[ref.node].types) > 1 for ref in made)
    return not several and not any(node.training_only for node in alone.nodes.values())
