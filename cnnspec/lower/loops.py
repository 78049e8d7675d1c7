"""Depth as a loop: iterations of a `repeat` that are alike are compiled once and run over stacked parameters.

A network of 1202 layers then compiles as fast as one of a dozen. While it runs, the parameters of such iterations are
held stacked, under a path such as `stage1.[1-199].conv1.kernel`; `stack` and `unstack` go from and to the usual paths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cnnspec.graph import Graph, Node, Ref, Region
from cnnspec.ops.conv import Conv

#: Iterations that a loop should have at least.
LEAST_ITERATIONS = 4
#: Fields that may differ from iteration to iteration, since their op takes them as data (`Run.value`).
ROLLED_FIELDS = {"drop_path": frozenset({"rate"})}


@dataclass(frozen=True)
class Loop:
    """A run of like iterations: the nodes of each, what enters the first, and which of a body's outputs goes on."""

    bodies: tuple[tuple[Node, ...], ...]
    enters: Ref
    leaves: Ref
    name: str

    @property
    def body(self) -> tuple[Node, ...]:
        """The nodes of the first iteration, which stand for all."""
        return self.bodies[0]

    @property
    def result(self) -> Ref:
        """What leaves the last iteration."""
        position = next(i for i, node in enumerate(self.body) if node.path == self.leaves.node)
        return Ref(self.bodies[-1][position].path, self.leaves.port)

    @property
    def stacks(self) -> dict[str, tuple[str, ...]]:
        """Stacked path -> the paths of its parts, for every parameter that differs from iteration to iteration."""
        found: dict[str, tuple[str, ...]] = {}
        for position, node in enumerate(self.body):
            for name, path in node.parameters.items():
                paths = tuple(body[position].parameters[name] for body in self.bodies)
                if paths[0] != paths[-1]:
                    found[self.stacked(path)] = paths
        return found

    def stacked(self, path: str) -> str:
        """The stacked path of a parameter of the first iteration."""
        return f"{self.name}.{path.removeprefix(iteration_of(self.name, path))[1:]}"

    @property
    def layers(self) -> int:
        """Convolutions in all iterations."""
        return sum(isinstance(node.op, Conv) for node in self.body) * len(self.bodies)


def iteration_of(name: str, path: str) -> str:
    """`stage1.1` of `stage1.[1-9]` and `stage1.1.conv1.kernel`."""
    region = name[: name.rindex(".[")]
    return f"{region}.{path[len(region) + 1 :].split('.', 1)[0]}"


def find_loops(
    graph: Graph, least_layers: int, whole: Callable[[tuple[str, ...]], bool] = lambda paths: True
) -> tuple[Loop, ...]:
    """The loops of a graph, where together they hold at least `least_layers` convolutions; else none.

    `whole(paths)` says whether the parameters at `paths` may be held in one array (all learned, or all frozen).
    """
    found: list[Loop] = []
    taken: set[str] = set()
    for region in sorted(graph.regions, key=lambda region: len(region.path)):
        if any(region.path == path or region.path.startswith(f"{path}.") for path in taken):
            continue
        for loop in _loops_of(graph, region):
            if all(whole(paths) for paths in loop.stacks.values()):
                found.append(loop)
                taken.add(region.path)
    return tuple(found) if sum(loop.layers for loop in found) >= least_layers else ()


def _loops_of(graph: Graph, region: Region) -> Iterable[Loop]:
    positions = {node.path: i for i, node in enumerate(graph.nodes)}
    users = _users(graph)
    bodies = []
    for iteration in region.iterations:
        nodes = tuple(node for node in graph.nodes if node.path == iteration or node.path.startswith(f"{iteration}."))
        bodies.append(_Body(nodes, users))
    run: list[_Body] = []
    for body in bodies:
        follows = (
            bool(run)
            and body.usable
            and body.signature == run[-1].signature
            and body.enters == run[-1].leaves
            and positions[body.nodes[0].path] == positions[run[-1].nodes[-1].path] + 1
        )
        if not follows:
            yield from _loop(region, run)
            run = []
        if body.usable:
            run.append(body)
    yield from _loop(region, run)


def _loop(region: Region, run: list[_Body]) -> Iterable[Loop]:
    if len(run) < LEAST_ITERATIONS:
        return
    first, last = (iteration_of(f"{region.path}.[", body.nodes[0].path).rsplit(".", 1)[1] for body in (run[0], run[-1]))
    enters, leaves = run[0].enters, run[0].leaves
    assert enters is not None
    assert leaves is not None
    yield Loop(tuple(body.nodes for body in run), enters, leaves, f"{region.path}.[{first}-{last}]")


def _users(graph: Graph) -> dict[Ref, set[str]]:
    """Who uses each output: paths of nodes, and `""` for the outputs of the network."""
    users: dict[Ref, set[str]] = {}
    for node in graph.nodes:
        for ref in node.inputs:
            if ref is not None:
                users.setdefault(ref, set()).add(node.path)
    for ref in graph.outputs.values():
        users.setdefault(ref, set()).add("")
    return users


class _Body:
    """The nodes of one iteration, and what another must share to be run by the same code."""

    def __init__(self, nodes: tuple[Node, ...], users: Mapping[Ref, set[str]]) -> None:
        self.nodes = nodes
        local = {node.path: i for i, node in enumerate(nodes)}
        outside = {ref for node in nodes for ref in node.inputs if ref is not None and ref.node not in local}
        leaving = {
            ref
            for node in nodes
            for ref in (Ref(node.path, port) for port in range(len(node.types)))
            if users.get(ref, set()) - set(local)
        }
        self.enters = next(iter(outside)) if len(outside) == 1 else None
        self.leaves = next(iter(leaving)) if len(leaving) == 1 else None
        self.usable = bool(nodes) and self.enters is not None and self.leaves is not None
        prefix = nodes[0].path if nodes else ""
        while nodes and not all(node.path == prefix or node.path.startswith(f"{prefix}.") for node in nodes):
            prefix = prefix.rsplit(".", 1)[0]
        left = (local[self.leaves.node], self.leaves.port) if self.leaves is not None else None
        self.signature = (tuple(self._signature(node, local, prefix) for node in nodes), left)

    def _signature(self, node: Node, local: Mapping[str, int], prefix: str) -> tuple[Any, ...]:
        rolled = ROLLED_FIELDS.get(node.op.key, frozenset())
        fields = node.op.model_dump(exclude=set(rolled))
        zero = tuple(getattr(node.op, name) == 0 for name in sorted(rolled))
        inputs = tuple(
            None if ref is None else (local[ref.node], ref.port) if ref.node in local else "entering"
            for ref in node.inputs
        )
        parameters = tuple((n, p.removeprefix(prefix)) for n, p in node.parameters.items())
        return (type(node.op), repr(fields), zero, inputs, node.types, parameters, node.training_only)


def stack_layout(loops: Iterable[Loop]) -> dict[str, tuple[str, ...]]:
    """Stacked path -> the paths of its parts, over several loops."""
    return {key: paths for loop in loops for key, paths in loop.stacks.items()}


def stack(layout: Mapping[str, tuple[str, ...]], tree: Any, join: Callable[[list[Any]], Any]) -> Any:
    """`tree` with the entries of every mapping in it that `layout` names joined into one."""
    if isinstance(tree, Mapping):
        if not any(isinstance(key, str) for key in tree):
            return tree
        gone = {path for paths in layout.values() for path in paths}
        kept = {key: stack(layout, value, join) for key, value in tree.items() if key not in gone}
        joined = {k: join([tree[p] for p in paths]) for k, paths in layout.items() if paths[0] in tree}
        return {**kept, **joined}
    return _inside(tree, lambda part: stack(layout, part, join))


def unstack(layout: Mapping[str, tuple[str, ...]], tree: Any, part: Callable[[Any, int], Any]) -> Any:
    """The inverse of `stack`; `part(array, i)` takes one out."""
    if isinstance(tree, Mapping):
        found: dict[str, Any] = {}
        for key, value in tree.items():
            if key in layout:
                found |= {path: part(value, i) for i, path in enumerate(layout[key])}
            else:
                found[key] = unstack(layout, value, part)
        return found
    return _inside(tree, lambda inner: unstack(layout, inner, part))


def _inside(tree: Any, change: Callable[[Any], Any]) -> Any:
    """`change` applied to the members of a tuple, a named tuple or a list; anything else unchanged."""
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*map(change, tree))
    if isinstance(tree, tuple | list):
        return type(tree)(map(change, tree))
    return tree
