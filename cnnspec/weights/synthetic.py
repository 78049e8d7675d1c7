"""Weights made from names: deterministic values that keep activations alive, for comparing two builds of one network.

Nothing is learned here. Untrained values are often degenerate (every logit alike); these give every scale, shift and
statistic a value of its own, so that a wrong epsilon, padding or branch shows.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from cnnspec.graph import Graph

Array = np.ndarray[Any, np.dtype[Any]]


def generator(*key: object) -> np.random.Generator:
    """A random generator that depends on the key alone, on every machine."""
    digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def synthetic_weights(graph: Graph, seed: int = 0, gain: float = 1.0) -> dict[str, Array]:
    """A value for every parameter and statistic of the graph, by its path.

    `gain` multiplies the kernels: above 1 for networks whose activations lose variance (swish, gates).
    """
    return {path: _value(path, p.shape, p.fan_in, seed, gain) for path, p in graph.parameters.items()}


def _value(path: str, shape: tuple[int, ...], fan_in: int, seed: int, gain: float) -> Array:
    random = generator("weights", seed, path)
    leaf = path.rsplit(".", 1)[-1]
    if leaf == "var":
        value = random.uniform(0.5, 1.5, shape)
    elif leaf == "scale":
        value = random.uniform(0.5, 1.0, shape)
    elif leaf in ("bias", "mean"):
        value = random.normal(0, 0.1, shape)
    elif leaf == "centres":
        value = np.sign(random.uniform(-1, 1, shape))
    else:
        value = random.standard_normal(shape) * np.sqrt(2 / max(fan_in, 1)) * gain
    return value.astype(np.float32)


def synthetic_inputs(graph: Graph, batch: int, seed: int = 0) -> dict[str, Array]:
    """Inputs for the graph: smooth noise, so that neighbouring pixels go together as in a photograph."""
    found: dict[str, Array] = {}
    for entry in graph.inputs:
        random = generator("inputs", seed, entry.name)
        if entry.type.dtype == "int32":
            if not entry.optional:
                found[entry.name] = random.integers(0, 10, (batch, *entry.type.shape)).astype(np.int32)
            continue
        value = random.standard_normal((batch, *entry.type.shape))
        if entry.type.rank == 3:
            coarse = random.standard_normal((batch, 4, 4, entry.type.channels))
            rows = np.arange(entry.type.height) * 4 // entry.type.height
            columns = np.arange(entry.type.width) * 4 // entry.type.width
            value = 0.5 * value + coarse[:, rows][:, :, columns]
        found[entry.name] = value.astype(np.float32)
    return found
