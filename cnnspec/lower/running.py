"""One run of a program: nodes one by one, loops over stacked parameters, and groups that are computed again."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cnnspec.graph import Node, Ref
from cnnspec.lower.loops import ROLLED_FIELDS, Loop

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
    #: In a loop, what differs from iteration to iteration: fields of the op, and what sets its random numbers apart.
    values: Mapping[str, Any] = field(default_factory=dict)
    salt: Any = None

    def param(self, name: str) -> Any:
        return self.params[self.node.parameters[name]]

    def layout(self, name: str) -> Any:
        """A parameter in the layout that the form wants, where it was prepared; else `None`."""
        return self.params.get(self.node.parameters.get(f"{name}@{self.form}", ""))

    def state(self, name: str) -> Any:
        return self.states[self.node.parameters[name]]

    def update(self, name: str, value: Any) -> None:
        self.states[self.node.parameters[name]] = value

    def value(self, name: str, usual: Any) -> Any:
        return self.values.get(name, usual)

    def key(self) -> Any:
        if self.rng is None:
            raise ValueError(f"`{self.node.path}` draws at random while training: give `rng`, a key of jax.random")
        # A key for each node, by its path: independent of the order of nodes and of whether repeats are rolled up.
        return jax.random.fold_in(self.rng, salt(self.node) if self.salt is None else self.salt)


def salt(node: Node) -> int:
    """A number that stands for a node's path."""
    return zlib.crc32(node.path.encode()) & 0x7FFFFFFF


@dataclass
class Running:
    """The arrays of one run, by what they are the output of."""

    params: Arrays
    states: dict[str, Any]
    rng: Any
    train: bool
    forms: Mapping[str, str]
    environment: dict[Ref, Any]

    def node(self, node: Node, values: Mapping[str, Any] | None = None, salt: Any = None) -> None:
        """Compute one node."""
        form = self.forms.get(node.path, "plain")
        run = NodeRun(node, self.params, self.states, self.rng, self.train, form, values or {}, salt)
        operands = [None if ref is None else self.environment[ref] for ref in node.inputs]
        with jax.named_scope(node.path):
            value = node.op.lower(run, *operands)
        for port, output in enumerate(value if isinstance(value, tuple) else (value,)):
            self.environment[Ref(node.path, port)] = output

    def again(self, nodes: tuple[Node, ...]) -> None:
        """Compute nodes whose inner results are not kept for the gradient, but computed again."""
        produced = {node.path for node in nodes}
        entering = {ref for node in nodes for ref in node.inputs if ref is not None and ref.node not in produced}
        paths = {path for node in nodes for path in node.parameters.values()}

        @jax.checkpoint  # type: ignore[untyped-decorator]
        def compute(params: Arrays, states: Arrays, given: dict[str, Any], rng: Any) -> Any:
            part = Running(params, dict(states), rng, self.train, self.forms, {_ref(n): x for n, x in given.items()})
            for node in nodes:
                part.node(node)
            found = {_name(ref): x for ref, x in part.environment.items() if ref.node in produced}
            return found, part.states

        outputs, states = compute(
            {path: self.params[path] for path in paths if path in self.params},
            {path: self.states[path] for path in paths if path in self.states},
            {_name(ref): self.environment[ref] for ref in entering}, self.rng,
        )  # fmt: skip
        self.states.update(states)
        self.environment.update({_ref(name): value for name, value in outputs.items()})

    def loop(self, loop: Loop, again: bool) -> None:
        """Run the iterations of a loop; with `again`, each is computed again on the way back."""
        own = {paths[0]: (key, paths) for key, paths in loop.stacks.items()}
        params = {first: _stacked(self.params, *entry) for first, entry in own.items() if _has(self.params, *entry)}
        states = {first: _stacked(self.states, *entry) for first, entry in own.items() if _has(self.states, *entry)}

        def iteration(x: Any, slices: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
            part = Running(
                {**self.params, **slices["params"]}, {**self.states, **slices["states"]}, self.rng, self.train,
                self.forms, {loop.enters: x},
            )  # fmt: skip
            for node in loop.body:
                part.node(node, slices["values"].get(node.path), slices["salts"].get(node.path))
            return part.environment[loop.leaves], {path: part.states[path] for path in states}

        slices = {"params": params, "states": states, **_differences(loop)}
        body = jax.checkpoint(iteration) if again else iteration
        with jax.named_scope(loop.name):
            self.environment[loop.result], after = jax.lax.scan(body, self.environment[loop.enters], slices)
        for first, value in after.items():
            key, paths = own[first]
            if key in self.states:
                self.states[key] = value
            else:
                self.states.update({path: value[i] for i, path in enumerate(paths)})


def _differences(loop: Loop) -> dict[str, Any]:
    """What sets the iterations apart besides their parameters, by node of the first, stacked."""
    values: dict[str, dict[str, Any]] = {}
    salts: dict[str, Any] = {}
    for position, node in enumerate(loop.body):
        twins = [body[position] for body in loop.bodies]
        for name in ROLLED_FIELDS.get(node.op.key, ()):
            values.setdefault(node.path, {})[name] = np.array([getattr(t.op, name) for t in twins], np.float32)
        if node.op.stochastic:
            salts[node.path] = np.array([salt(twin) for twin in twins], np.uint32)
    return {"values": values, "salts": salts}


def _has(arrays: Arrays, key: str, paths: tuple[str, ...]) -> bool:
    return key in arrays or paths[0] in arrays


def _stacked(arrays: Arrays, key: str, paths: tuple[str, ...]) -> Any:
    return arrays[key] if key in arrays else jnp.stack([arrays[path] for path in paths])


def _name(ref: Ref) -> str:
    """A reference as a key that JAX can sort."""
    return f"{ref.node}:{ref.port}"


def _ref(name: str) -> Ref:
    node, port = name.rsplit(":", 1)
    return Ref(node, int(port))
