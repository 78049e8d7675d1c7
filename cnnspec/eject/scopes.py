"""From a graph to scopes: what will be a class of the file, and what stands in it.

A scope is a block of the spec, an iteration of a repeat, or a part of a block that occurs as a unit (a squeeze-excite,
a layer of a dense block). Smaller things, such as a convolution with its normalisation, are written out in the class
around them, as `conv1` and `conv1_norm`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from cnnspec.eject.pieces import Argument, Code, Piece, rule
from cnnspec.exporting import no_rule
from cnnspec.graph import Graph, Node, Ref
from cnnspec.registry import block_class, block_keys

#: Nodes from which an unnamed part of a block is a class of its own, if two of them have weights.
PART_NODES, PART_WEIGHTS = 4, 2
#: Layers of Flax that compute in the wider type of weights and input, unless they are told.
LAYERS = frozenset({"nnx.Conv", "nnx.Linear", "nnx.BatchNorm", "nnx.LayerNorm", "nnx.GroupNorm", "UnbiasedBatchNorm"})


@dataclass
class OpItem:
    """One op: an attribute where it has a module, and an expression."""

    attribute: str
    node: Node
    piece: Piece
    #: The weighted op that this one belongs to, by attribute: `conv1` for `conv1_norm`.
    unit: str

    @property
    def inputs(self) -> tuple[Ref | None, ...]:
        return self.node.inputs

    @property
    def outputs(self) -> list[Ref]:
        return [Ref(self.node.path, port) for port in range(len(self.node.types))]

    @property
    def training_only(self) -> bool:
        return self.node.training_only


@dataclass
class ScopeItem:
    """A module of another class."""

    attribute: str
    scope: Scope

    @property
    def inputs(self) -> tuple[Ref | None, ...]:
        return tuple(self.scope.inputs)

    @property
    def outputs(self) -> list[Ref]:
        return self.scope.outputs

    @property
    def training_only(self) -> bool:
        return all(node.training_only for node in self.scope.nodes)


@dataclass
class ListItem:
    """Modules in a row, each fed by the one before it; `numbered` ones are `layer1`, `layer2`, ... in the spec."""

    attribute: str
    scopes: list[Scope]
    numbered: bool = False

    @property
    def inputs(self) -> tuple[Ref | None, ...]:
        return tuple(self.scopes[0].inputs)

    @property
    def outputs(self) -> list[Ref]:
        return self.scopes[-1].outputs

    @property
    def training_only(self) -> bool:
        return all(node.training_only for scope in self.scopes for node in scope.nodes)


Item = OpItem | ScopeItem | ListItem


@dataclass
class Scope:
    """What becomes a class: its nodes, what comes in and out, and its items in order."""

    path: str
    #: The name of the class, unless another one has it.
    name: str
    nodes: list[Node]
    inputs: list[Ref]
    outputs: list[Ref]
    items: list[Item] = field(default_factory=list)

    def inner(self) -> Iterator[Scope]:
        """The scopes in it, innermost first."""
        for item in self.items:
            for scope in (
                [item.scope] if isinstance(item, ScopeItem) else item.scopes if isinstance(item, ListItem) else []
            ):
                yield from scope.inner()
                yield scope


class ScopeTree:
    """Finds the scopes of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.users: dict[Ref, list[str]] = {}
        for node in graph.nodes:
            for ref in node.inputs:
                if ref is not None:
                    self.users.setdefault(ref, []).append(node.path)
        for ref in graph.outputs.values():
            self.users.setdefault(ref, []).append("")
        self.under: dict[str, list[int]] = {}
        for index, node in enumerate(graph.nodes):
            names = node.path.split(".")
            for count in range(1, len(names) + 1):
                self.under.setdefault(".".join(names[:count]), []).append(index)
        self.owners: dict[str, set[str]] = {}
        for node in graph.nodes:
            for parameter in node.parameters.values():
                self.owners.setdefault(parameter, set()).add(node.path)
        self.kinds = self._kinds()
        self.iterations = {path for region in graph.regions for path in region.iterations}
        self.regions = {region.path: region.iterations for region in graph.regions}
        self.classes = {path for path in self.under if self._is_class(path)}
        #: Parts of paths that have no module: a block that consists of one other block.
        self.passed: set[str] = set()

    def root(self, name: str) -> Scope:
        """The whole network."""
        inputs = [Ref(entry.name) for entry in self.graph.inputs]
        scope = Scope("", name, list(self.graph.nodes), inputs, list(self.graph.outputs.values()))
        scope.items = self._items(scope)
        return scope

    def _kinds(self) -> dict[str, str]:
        """The block that each path of the spec applies."""
        found: dict[str, str] = {}
        for node in self.graph.nodes:
            for origin in node.origin.chain() if node.origin is not None else ():
                kind, _, place = origin.what.partition(" at ")
                if place:
                    found[place.strip("`")] = kind.strip("`")
        return found

    def _is_class(self, path: str) -> bool:
        indices = self.under[path]
        nodes = [self.graph.nodes[i] for i in indices]
        weights = sum(bool(node.parameters) for node in nodes)
        whole = indices[-1] - indices[0] + 1 == len(indices)
        if len(nodes) < 2 or not whole or not weights or len({node.training_only for node in nodes}) > 1:
            return False
        if not self._owns_its_weights(path, nodes):
            return False
        if path in self.iterations:
            return True
        if path in self.graph.by_path:  # a convolution with its normalisation: too small
            return False
        if path in self.kinds:
            return path not in self.regions
        single = len(self._inputs(path, nodes)) == 1 == len(self._outputs(path, nodes))
        return single and len(nodes) >= PART_NODES and weights >= PART_WEIGHTS and path not in self.regions

    def _owns_its_weights(self, path: str, nodes: list[Node]) -> bool:
        own = {p for node in nodes for p in node.parameters.values()}
        paths = {node.path for node in nodes}
        return all(p.startswith(f"{path}.") and self.owners[p] <= paths for p in own)

    def _inputs(self, path: str, nodes: list[Node]) -> list[Ref]:
        own = {node.path for node in nodes}
        return list(dict.fromkeys(r for n in nodes for r in n.inputs if r is not None and r.node not in own))

    def _outputs(self, path: str, nodes: list[Node]) -> list[Ref]:
        own = {node.path for node in nodes}
        refs = (Ref(node.path, port) for node in nodes for port in range(len(node.types)))
        return [ref for ref in refs if any(user not in own for user in self.users.get(ref, ()))]

    # --- items ---------------------------------------------------------------------------------------------

    def _items(self, scope: Scope) -> list[Item]:
        items: list[Item] = []
        position = 0
        while position < len(scope.nodes):
            node = scope.nodes[position]
            child = self._child(node.path, scope.path)
            if child is None:
                items.append(self._op(node, scope.path))
                position += 1
                continue
            found = self._scope(child)
            attribute, count = self._attribute(child, scope.path), len(found.nodes)
            while child not in self.iterations and (inner := _only(found)) is not None:
                self.passed |= {*inner.path.removeprefix(f"{found.path}.").split(".")}
                found = inner
            items.append(ScopeItem(attribute, found))
            position += count
        return self._repeats(items, scope)

    def _child(self, path: str, around: str) -> str | None:
        """The outermost class below `around` that the node at `path` is in."""
        names = path.split(".")
        start = around.count(".") + 1 if around else 0
        for count in range(start + 1, len(names) + 1):
            candidate = ".".join(names[:count])
            if candidate != around and candidate in self.classes:
                return candidate
        return None

    def _scope(self, path: str) -> Scope:
        nodes = [self.graph.nodes[i] for i in self.under[path]]
        scope = Scope(path, self._name(path), nodes, self._inputs(path, nodes), self._outputs(path, nodes))
        scope.items = self._items(scope)
        return scope

    def _op(self, node: Node, around: str) -> OpItem:
        types = self.graph.types_into(node)
        found = rule(node.op.key)
        if found is None:
            raise no_rule(node, "Flax", "cnnspec/eject/rules")
        piece = found(node.op, types, node)
        if types and types[0].dtype == "bfloat16" and piece.make in LAYERS:
            piece = replace(piece, arguments=(*piece.arguments, Argument("dtype", Code("jnp.bfloat16"))))
        owner = next(iter(node.parameters.values()), f"{node.path}.").rsplit(".", 1)[0]
        attribute = self._attribute(owner, around) if owner != around else node.op.key
        parent = node.path.rpartition(".")[0]
        unit = parent if parent in self.graph.by_path else node.path
        return OpItem(attribute, node, piece, unit)

    @staticmethod
    def _attribute(path: str, around: str) -> str:
        inner = path.removeprefix(f"{around}.") if around else path
        return inner.replace(".", "_")

    def _name(self, path: str) -> str:
        """The name of the class: the block's, or that of the part with the block's before it."""
        kind = self.kinds.get(path) or (self.kinds.get(path.rpartition(".")[0]) if path in self.iterations else None)
        if kind is not None:
            return block_class(kind).__name__ if kind in block_keys() else camel(kind)
        above, _, last = path.rpartition(".")
        while above and above not in self.classes:
            above = above.rpartition(".")[0]
        return (self._name(above) if above else "") + camel(re.sub(r"\d+$", "", last) or "Part")

    def _repeats(self, items: list[Item], scope: Scope) -> list[Item]:
        """Items with the iterations of a repeat as one."""
        found: list[Item] = []
        position = 0
        while position < len(items):
            item = items[position]
            region = item.scope.path.rpartition(".")[0] if isinstance(item, ScopeItem) else ""
            count = len(self.regions.get(region, ()))
            run = items[position : position + count]
            scopes = [other.scope for other in run if isinstance(other, ScopeItem)]
            if count and [s.path for s in scopes] == list(self.regions[region]) and self.chained(scopes):
                found.append(ListItem(self._attribute(region, scope.path), scopes))
                position += count
            else:
                found.append(item)
                position += 1
        return found

    def chained(self, scopes: list[Scope]) -> bool:
        """Whether each scope takes the output of the one before, which nobody else takes."""
        for one, following in pairwise(scopes):
            if len(one.outputs) != 1 or following.inputs != one.outputs:
                return False
            inside = {node.path for node in following.nodes}
            if any(user not in inside for user in self.users[one.outputs[0]]):
                return False
        return all(len(scope.inputs) == 1 == len(scope.outputs) for scope in scopes)


def _only(scope: Scope) -> Scope | None:
    """The scope that another one consists of, which then needs no class of its own."""
    item = scope.items[0] if len(scope.items) == 1 else None
    same = isinstance(item, ScopeItem) and item.scope.inputs == scope.inputs and item.scope.outputs == scope.outputs
    return item.scope if same and isinstance(item, ScopeItem) else None


def camel(name: str) -> str:
    """`dense_block` as `DenseBlock`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
