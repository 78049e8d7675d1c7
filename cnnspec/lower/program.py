"""From a graph to a pure function: one loop over the nodes, with an environment of arrays."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from cnnspec.graph import Graph, Input, Node, Ref

Arrays = Mapping[str, Any]


@dataclass
class NodeRun:
    """What one node sees of a run (the `Run` of `ops.base`)."""

    node: Node
    params: Arrays
    states: dict[str, Any]
    rng: Any
    train: bool
    form: str = "plain"

    def param(self, name: str) -> Any:
        return self.params[self.node.parameters[name]]

    def state(self, name: str) -> Any:
        return self.states[self.node.parameters[name]]

    def update(self, name: str, value: Any) -> None:
        self.states[self.node.parameters[name]] = value

    def key(self) -> Any:
        if self.rng is None:
            raise ValueError(f"`{self.node.path}` draws at random while training: give `rng`, a key of jax.random")
        # A key for each node, by its path: independent of the order of nodes and of whether repeats are rolled up.
        return jax.random.fold_in(self.rng, zlib.crc32(self.node.path.encode()) & 0x7FFFFFFF)


@dataclass(frozen=True)
class Program:
    """A graph as pure functions; parameters and state are flat mappings by path.

    `forms` names, by node path, the form that a node is lowered to; nodes not named take the plain one.
    """

    graph: Graph
    forms: Mapping[str, str] = field(default_factory=dict)

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
        new_state = dict(state)
        environment = {Ref(name): value for name, value in check_inputs(self.graph, inputs).items()}
        for node in self.graph.nodes:
            run = NodeRun(node, params, new_state, rng, train, self.forms.get(node.path, "plain"))
            operands = [None if ref is None else environment[ref] for ref in node.inputs]
            with jax.named_scope(node.path):
                value = node.op.lower(run, *operands)
            for port, output in enumerate(value if isinstance(value, tuple) else (value,)):
                environment[Ref(node.path, port)] = output
        outputs = {name: environment[ref] for name, ref in self.graph.outputs.items()}
        for name in features:
            outputs[name] = environment[feature(self.graph, name)]
        return outputs, new_state


def feature(graph: Graph, name: str) -> Ref:
    """The output that a path stands for."""
    ref = graph.scopes.get(name)
    if ref is None and name in graph.by_path:
        ref = Ref(name)
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
