"""Runs one op alone."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cnnspec.ops.base import Op
from cnnspec.types import TensorType


class AloneRun:
    """A run of one op; notes which parameters it asked for."""

    form = "plain"

    def __init__(self, values: dict[str, Any], state: dict[str, Any], train: bool) -> None:
        self.values, self.states, self.train = values, dict(state), train
        self.asked: set[str] = set()

    def param(self, name: str) -> Any:
        self.asked.add(name)
        return self.values[name]

    def layout(self, name: str) -> Any:
        return None

    def state(self, name: str) -> Any:
        self.asked.add(name)
        return self.states[name]

    def update(self, name: str, value: Any) -> None:
        self.states[name] = value

    def value(self, name: str, usual: Any) -> Any:
        return usual

    def key(self) -> Any:
        return jax.random.key(0)


def values_for(op: Op, types: tuple[TensorType, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Random parameters and state for an op."""
    random = np.random.default_rng(0)
    params, state = {}, {}
    for name, parameter in op.parameters(*types).items():
        value = jnp.asarray(random.uniform(0.2, 1.0, parameter.shape), jnp.float32)
        (params if parameter.trainable else state)[name] = value
    return params, state


def inputs_for(types: tuple[TensorType, ...], dtype: Any = jnp.float32, batch: int = 3) -> list[Any]:
    """Random inputs of the types."""
    random = np.random.default_rng(1)
    found = []
    for type_ in types:
        if type_.dtype == "int32":
            found.append(jnp.asarray(random.integers(0, 3, (batch, *type_.shape)), jnp.int32))
        else:
            found.append(jnp.asarray(random.standard_normal((batch, *type_.shape)), dtype))
    return found
