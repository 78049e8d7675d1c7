"""From a graph to a pure function: one loop over the nodes, with an environment of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import Any

import jax.numpy as jnp

from cnnspec.graph import Graph, Input, Node, Ref
from cnnspec.lower.loops import Loop, stack, stack_layout, unstack
from cnnspec.lower.running import Arrays, Running


@dataclass(frozen=True)
class Program:
    """A graph as pure functions; parameters and state are flat mappings by path.

    `forms` names, by node path, the form that a node is lowered to; nodes not named take the plain one. The iterations
    of `loops` run in a loop, over parameters that the caller holds stacked (`loops.stack`) or not. What lies under the
    paths of `remat` is computed again for the gradient instead of being kept, one iteration of a `repeat` at a time.
    """

    graph: Graph
    forms: Mapping[str, str] = field(default_factory=dict)
    loops: tuple[Loop, ...] = ()
    remat: tuple[str, ...] = ()

    def apply(
        self,
        params: Arrays,
        state: Arrays,
        inputs: Any,
        *,
        rng: Any = None,
        train: bool = False,
        features: Sequence[str] = (),
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Run the network on a batch.

        **Shape**: each input is `[N, ...]` with the shape of the spec; each output likewise.

        Returns the declared outputs (and `features`, the outputs of nodes asked for by path) and the new state.
        **Errors**: `ValueError` for a missing input or a wrong shape, `KeyError` for an unknown feature.
        """
        wanted = {name: feature(self.graph, name) for name in features}
        hidden = set(self._loop_of) - {loop.result.node for loop in self.loops}
        if any(ref.node in hidden for ref in wanted.values()):
            return self._unrolled(params, state, inputs, rng=rng, train=train, features=features)
        environment = {Ref(name): value for name, value in check_inputs(self.graph, inputs).items()}
        run = Running(params, dict(state), rng, train, self.forms, environment)
        for loop, scope, nodes in self._plan:
            if loop is not None:
                run.loop(loop, scope is not None)
            elif scope is not None:
                run.again(nodes)
            else:
                for node in nodes:
                    run.node(node)
        outputs = {name: run.environment[ref] for name, ref in self.graph.outputs.items()}
        return {**outputs, **{name: run.environment[ref] for name, ref in wanted.items()}}, run.states

    def _unrolled(
        self, params: Arrays, state: Arrays, inputs: Any, **options: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """`apply` with every iteration by itself, for features that lie within a loop."""
        layout = stack_layout(self.loops)
        params, before = (unstack(layout, dict(part), lambda array, i: array[i]) for part in (params, state))
        outputs, after = replace(self, loops=()).apply(params, before, inputs, **options)
        return outputs, stack(layout, after, jnp.stack) if set(state) & set(layout) else after

    @cached_property
    def _loop_of(self) -> dict[str, Loop]:
        return {node.path: loop for loop in self.loops for body in loop.bodies for node in body}

    @cached_property
    def _plan(self) -> list[tuple[Loop | None, str | None, tuple[Node, ...]]]:
        """The nodes in order, in groups: those of a loop, those that are computed again together, and the others."""
        nodes = [(self._loop_of.get(node.path), self._scope(node), node) for node in self.graph.nodes]
        groups = groupby(nodes, lambda entry: (entry[0].name if entry[0] else None, entry[0] is None and entry[1]))
        plan = []
        for _, entries in groups:
            members = list(entries)
            plan.append((members[0][0], members[0][1], tuple(node for _, _, node in members)))
        return plan

    def _scope(self, node: Node) -> str | None:
        """What a node is computed again together with: an iteration of a `repeat`, or a whole scope of `remat`."""
        scope = next((name for name in self.remat if node.path == name or node.path.startswith(f"{name}.")), None)
        iterations = next((region.iterations for region in self.graph.regions if region.path == scope), ())
        return next((i for i in iterations if node.path == i or node.path.startswith(f"{i}.")), scope)


def feature(graph: Graph, name: str) -> Ref:
    """The output that a path stands for: the first of several, unless it ends in `:number`."""
    if name in graph.absorbed:
        raise KeyError(f"`{name}` has no output of its own at inference, where it is computed as one with "
                       f"`{graph.absorbed[name]}`; `apply` gives it")  # fmt: skip
    ref = graph.scopes.get(name)
    path, _, port = name.partition(":")
    node, number = graph.by_path.get(path), int(port) if port.isdecimal() else 0
    if ref is None and node is not None and name in (path, f"{path}:{number}") and number < len(node.types):
        ref = Ref(path, number)
    if ref is None:
        from cnnspec.diagnostics import did_you_mean

        raise KeyError(f"there is no node `{name}`; {did_you_mean(name, graph.scopes)}".rstrip("; "))
    return ref


def check_inputs(graph: Graph, inputs: Any) -> dict[str, Any]:
    """Inputs by name, each with the shape of the spec; raises `ValueError` where they are not."""
    given = inputs if isinstance(inputs, Mapping) else {graph.inputs[0].name: inputs}
    known = {entry.name for entry in graph.inputs}
    for name in given:
        if name not in known:
            raise ValueError(f"there is no input `{name}`; the inputs are {', '.join(sorted(known))}")
    return {entry.name: _check(entry, given.get(entry.name)) for entry in graph.inputs}


def _check(entry: Input, value: Any) -> Any:
    if value is None:
        if entry.optional:
            return None
        raise ValueError(f"the input `{entry.name}` is missing: an array of shape [N, {_sizes(entry)}]")
    array = jnp.asarray(value)
    if array.ndim != entry.type.rank + 1 or tuple(array.shape[1:]) != entry.type.shape:
        shape = ", ".join(map(str, array.shape))
        raise ValueError(f"the input `{entry.name}` should have the shape [N, {_sizes(entry)}], and has [{shape}]")
    wanted = jnp.dtype(entry.type.dtype)
    if wanted == jnp.int32 and not jnp.issubdtype(array.dtype, jnp.integer):
        raise ValueError(f"the input `{entry.name}` should hold whole numbers, and holds {array.dtype}")
    return array if jnp.issubdtype(array.dtype, jnp.floating) and wanted == jnp.float32 else array.astype(wanted)


def _sizes(entry: Input) -> str:
    return ", ".join(map(str, entry.type.shape))
