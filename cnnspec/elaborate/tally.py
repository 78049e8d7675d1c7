"""An assembly in which one node may stand for a part that was counted apart: enough to count a network by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cnnspec.blocks.base import Value
from cnnspec.costs import Totals, totals
from cnnspec.elaborate.assembly import MOST_NODES, MOST_PARAMETER_BYTES, Assembly
from cnnspec.graph import Input, Node, Ref
from cnnspec.ops.identity import Identity
from cnnspec.passes.prune import prune
from cnnspec.types import TensorType


class Uncountable(Exception):
    """The spec asks for what a tally lacks, a node inside a part, or reaches a bound: only a whole check can tell."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one application of a block comes to: its outputs, its counts, and what it takes of every bound."""

    #: Its outputs by name: what it makes (`None`), or the number of the input that it passes on as it came.
    outputs: Mapping[str, int | None]
    #: The type of what it makes, if it makes anything, and the numbers of the inputs that this depends on.
    types: tuple[TensorType, ...]
    needs: tuple[int, ...]
    counts: Totals
    nodes: int
    elements: int
    steps: int
    work: int


class Tally(Assembly):
    """Nodes, some of which stand for a part."""

    def __init__(self, inputs: Iterable[Input], around: Assembly | None = None) -> None:
        """`around` is that of the nodes around a part."""
        super().__init__(inputs)
        self._around = around
        self._counted: dict[str, Totals] = {}
        self._within = 0

    def scope(self, path: str) -> Ref | None:
        """A path leads into a part, which is not here, and may name another node than it does in the whole network."""
        raise Uncountable

    def value(self, ref: Ref) -> Value:
        """One output of a node, which a part may have from around it."""
        known = ref.node in self.nodes or ref.node in self.inputs
        return super().value(ref) if known or self._around is None else self._around.value(ref)

    @property
    def size(self) -> int:
        return len(self.nodes) + self._within

    @property
    def elements(self) -> int:
        """The numbers in all parameters."""
        return self._elements

    def put(self, path: str, part: Part, inputs: tuple[Value, ...]) -> dict[str, Value]:
        """One node in the place of a part; returns the outputs of the part."""
        self._within += part.nodes
        self._elements += part.elements
        if self.size > MOST_NODES or 4 * self.elements > MOST_PARAMETER_BYTES:
            raise Uncountable
        if part.types:
            self._within -= 1
            self._counted[path] = part.counts
            # Nobody asks what this node does: it is there for what the part depends on.
            self.nodes[path] = Node(path, Identity(), tuple(inputs[n].ref for n in part.needs), part.types, {})
        made = Value(Ref(path), part.types)
        return {name: made if number is None else inputs[number] for name, number in part.outputs.items()}

    def count(self, outputs: Mapping[str, Ref]) -> tuple[Totals, set[str]]:
        """The counts of what the outputs depend on, and the names of the inputs among it."""
        needed = prune(self.graph("", outputs))
        used = {ref.node for node in needed.nodes for ref in node.inputs if ref is not None}
        return totals(needed, self._counted), used & self.inputs.keys()
