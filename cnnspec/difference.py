"""What differs between two networks: nodes by path, counts, and which weights carry over.

Paths are what both networks have in common: a node keeps its path whatever is inserted around it, and its weights
carry over by that path and their shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

from cnnspec.frontend import LoadedSpec
from cnnspec.graph import Graph, Input, Node, Ref


@dataclass(frozen=True)
class Change:
    """One field of a node, or `op`, `from`, `shape`, `training_only`, `weights`, in both networks."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True)
class NodeChange:
    """A node of both networks that is not the same in both."""

    path: str
    op: str
    changes: tuple[Change, ...]

    @property
    def own(self) -> tuple[Change, ...]:
        """What was changed here: a shape alone follows from a change before it."""
        return tuple(c for c in self.changes if c.field != "shape")


@dataclass(frozen=True)
class Part:
    """A node or a whole block (with `iterations` of a repeat folded) that only one of the networks has."""

    path: str
    last: str
    kind: str
    iterations: int
    nodes: int
    params: int
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Weights:
    """Arrays by what becomes of them, and the numbers in them that carry over."""

    carried: tuple[str, ...]
    reshaped: tuple[str, ...]
    new: tuple[str, ...]
    left: tuple[str, ...]
    carried_numbers: int
    all_numbers: int


@dataclass(frozen=True)
class Difference:
    """What differs; `counts` has for each name the number of either network."""

    params: tuple[Change, ...]
    inputs: tuple[Change, ...]
    outputs: tuple[Change, ...]
    removed: tuple[Part, ...]
    added: tuple[Part, ...]
    changed: tuple[NodeChange, ...]
    counts: dict[str, tuple[int, int]]
    weights: Weights

    @property
    def same(self) -> bool:
        """Whether both compute the same with the same weights; names and descriptions do not matter."""
        return not (self.inputs or self.outputs or self.removed or self.added or self.changed)

    def data(self) -> dict[str, Any]:
        """Everything as plain data with stable keys."""
        return {"same": self.same, **asdict(self)}


def difference(old: LoadedSpec, new: LoadedSpec) -> Difference:
    """What was removed, added and changed from `old` to `new`."""
    a, b = old.graph, new.graph
    names = ("params", "state", "macs", "flops", "weight_bytes", "activation_bytes", "training_params")
    return Difference(
        params=_changes(old.document.params, new.document.params),
        inputs=_changes(*({i.name: _input(i) for i in g.inputs} for g in (a, b))),
        outputs=_changes(*({n: list(g.type_of(r).shape) for n, r in g.outputs.items()} for g in (a, b)))
        + tuple(_moved_outputs(a, b)),
        removed=_parts(a, b),
        added=_parts(b, a),
        changed=tuple(_changed(a, b)),
        counts={name: (getattr(old.totals, name), getattr(new.totals, name)) for name in names},
        weights=_weights(a, b),
    )


def _input(entry: Input) -> str:
    dtype = "" if entry.type.dtype == "float32" else f" {entry.type.dtype}"
    return f"{entry.type.plain}{dtype}{' optional' if entry.optional else ''}"


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    return tuple(Change(n, old.get(n), new.get(n)) for n in dict.fromkeys([*old, *new]) if old.get(n) != new.get(n))


def _moved_outputs(a: Graph, b: Graph) -> Iterator[Change]:
    """Outputs of one name that are another node."""
    for name in a.outputs.keys() & b.outputs.keys():
        places = source_name(a, a.outputs[name], ""), source_name(b, b.outputs[name], "")
        if places[0] != places[1]:
            yield Change(name, *places)


def source_name(graph: Graph, ref: Ref | None, reader: str) -> str | None:
    """What the reader sees as its input: the outermost block around that output that the reader is not part of."""
    if ref is None:
        return None
    found = ref.node
    while "." in found:
        outer = found.rpartition(".")[0]
        inside = reader == outer or reader.startswith(f"{outer}.")
        if inside or graph.scopes.get(outer, ref) != ref:
            break
        found = outer
    return f"{found}:{ref.port}" if ref.port else found


def _changed(a: Graph, b: Graph) -> Iterator[NodeChange]:
    for node in b.nodes:
        before = a.by_path.get(node.path)
        if before is None:
            continue
        changes = [*_op_changes(before, node)]
        sources = [[source_name(g, r, node.path) for r in n.inputs] for g, n in ((a, before), (b, node))]
        if sources[0] != sources[1]:
            changes.append(Change("from", *sources))
        if before.training_only != node.training_only:
            changes.append(Change("training_only", before.training_only, node.training_only))
        if before.parameters != node.parameters and before.op == node.op:
            changes.append(Change("weights", dict(before.parameters), dict(node.parameters)))
        shapes = [[list(t.shape) for t in n.types] for n in (before, node)]
        if shapes[0] != shapes[1]:
            changes.append(Change("shape", *shapes))
        if changes:
            yield NodeChange(node.path, node.op.key, tuple(changes))


def _op_changes(before: Node, after: Node) -> tuple[Change, ...]:
    if before.op.key != after.op.key:
        return (Change("op", before.op.key, after.op.key),)
    if before.op == after.op:
        return ()
    return _changes(before.op.model_dump(mode="json"), after.op.model_dump(mode="json"))


def _parts(graph: Graph, other: Graph) -> tuple[Part, ...]:
    """What only `graph` has: the largest blocks of which `other` has nothing, equal neighbours of a repeat in one."""
    theirs = {prefix for node in other.nodes for prefix in prefixes(node.path)}
    tops: dict[str, list[Node]] = {}
    for node in graph.nodes:
        top = next((p for p in prefixes(node.path) if p not in theirs), None)
        if top is not None:
            tops.setdefault(top, []).append(node)
    repeats = {i: region.path for region in graph.regions for i in region.iterations}
    groups: list[list[str]] = []
    for top in tops:
        last = groups[-1][-1] if groups else ""
        neighbours = top in repeats and repeats.get(last) == repeats[top]
        if neighbours and _form(tops[top], top) == _form(tops[last], last):
            groups[-1].append(top)
        else:
            groups.append([top])
    return tuple(_part(graph, group, tops) for group in groups)


def prefixes(path: str) -> Iterator[str]:
    """`a.b.c` as `a`, `a.b`, `a.b.c`."""
    words = path.split(".")
    return (".".join(words[: n + 1]) for n in range(len(words)))


def _form(nodes: Iterable[Node], top: str) -> list[tuple[Any, ...]]:
    return [(n.path[len(top) :], n.op, n.types) for n in nodes]


def _part(graph: Graph, group: list[str], tops: Mapping[str, list[Node]]) -> Part:
    nodes = [node for top in group for node in tops[top]]
    paths = {path for node in nodes for path in node.parameters.values()}
    ref = graph.scopes.get(group[-1], Ref(nodes[-1].path))
    trained = sum(prod(graph.parameters[p].shape) for p in paths if graph.parameters[p].trainable)
    kind = _kind(tops[group[0]], group[0])
    return Part(group[0], group[-1], kind, len(group), len(nodes), trained, graph.type_of(ref).shape)


def _kind(nodes: list[Node], path: str) -> str:
    """The block that stands at a path, as the spec calls it, or the ops that are there."""
    outer, _, last = path.rpartition(".")
    origin = nodes[0].origin
    if len(nodes) > 1 and origin is not None:
        for o in origin.chain():
            name, _, place = o.what.partition(" at ")
            if place.strip("`") in (path, outer if last.isdigit() else path):
                return name.strip("`")
    return ", ".join(dict.fromkeys(node.op.key for node in nodes))


def _weights(a: Graph, b: Graph) -> Weights:
    both = [p for p in b.parameters if p in a.parameters]
    carried = [p for p in both if a.parameters[p].shape == b.parameters[p].shape]
    return Weights(
        carried=tuple(carried),
        reshaped=tuple(p for p in both if a.parameters[p].shape != b.parameters[p].shape),
        new=tuple(p for p in b.parameters if p not in a.parameters),
        left=tuple(p for p in a.parameters if p not in b.parameters),
        carried_numbers=sum(prod(b.parameters[p].shape) for p in carried),
        all_numbers=sum(prod(p.shape) for p in b.parameters.values()),
    )
