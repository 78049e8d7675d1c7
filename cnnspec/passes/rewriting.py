"""What passes share: where a value has gone when its node is taken out or becomes part of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from cnnspec.graph import Derived, Graph, Node, Ref


class Rewriting:
    """Keeps account of one pass over a graph; `moved` and `lost` speak of outputs of the graph that came in."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.derived: dict[str, Derived] = dict(graph.derived)
        self.uses = Counter(ref for node in graph.nodes for ref in node.inputs if ref is not None)
        self.uses.update(graph.outputs.values())
        self._moved: dict[Ref, Ref] = {}
        self._lost: dict[Ref, str] = {}
        #: What an output stands for by now: itself, and those that were moved to it.
        self._meant: dict[Ref, list[Ref]] = {}

    def alone(self, ref: Ref | None) -> bool:
        """Whether exactly one node, and no output of the network, uses this output."""
        return ref is not None and self.uses[ref] == 1

    def moved(self, ref: Ref) -> Ref:
        """Where this output is now."""
        return self._moved.get(ref, ref)

    def rewired(self, node: Node) -> Node:
        """The node with its inputs where they are now."""
        inputs = tuple(None if ref is None else self.moved(ref) for ref in node.inputs)
        return node if inputs == node.inputs else replace(node, inputs=inputs)

    def move(self, ref: Ref, to: Ref) -> None:
        """From now on `to` gives what `ref` gave."""
        self._moved[ref] = to
        self._meant.setdefault(to, [to]).append(ref)

    def lose(self, ref: Ref, part_of: str) -> None:
        """What `ref` gives now is computed no more by itself: it is part of the node at `part_of`."""
        for old in self._meant.pop(ref, [ref]):
            self._lost[old] = part_of
        self._meant[ref] = []

    def derive(self, path: str, derived: Derived) -> str:
        """Enter a derived parameter; its path is `path`, with a number behind it where that is taken."""
        unique, number = path, 1
        while unique in self.derived or unique in self.graph.parameters:
            number += 1
            unique = f"{path}_{number}"
        self.derived[unique] = derived
        return unique

    def shape(self, path: str) -> tuple[int, ...]:
        """The shape of a parameter, derived or not."""
        return self.derived[path].shape if path in self.derived else self.graph.parameters[path].shape

    def result(self, nodes: Iterable[Node]) -> Graph:
        """The graph with these nodes: outputs and scopes follow, and scopes of lost values are gone."""
        lost = {path: self._lost[ref] for path, ref in self.graph.scopes.items() if ref in self._lost}
        return self.graph.with_nodes(
            tuple(nodes),
            outputs={name: self.moved(ref) for name, ref in self.graph.outputs.items()},
            scopes={path: self.moved(ref) for path, ref in self.graph.scopes.items() if path not in lost},
            derived=self.derived,
            absorbed={**self.graph.absorbed, **lost},
        )
