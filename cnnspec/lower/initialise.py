"""Initial values, made by numpy and keyed by path: fast, and independent of the order of construction.

The names and scales are those of `jax.nn.initializers`: `he_normal`, `lecun_normal` and `glorot_normal` draw from a
normal distribution cut off at two standard deviations, rescaled so that the variance is the one named.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from cnnspec.fields import Initializer
from cnnspec.graph import Graph
from cnnspec.ops.base import Parameter

Array = np.ndarray[Any, np.dtype[Any]]

#: Standard deviation of a standard normal distribution that is cut off at -2 and 2.
TRUNCATED_STDDEV = 0.87962566103423978

#: scale, distribution of the initialisers that follow from the fans.
_VARIANCE_SCALING = {
    "he_normal": (2.0, "truncated_normal"),
    "he_uniform": (2.0, "uniform"),
    "lecun_normal": (1.0, "truncated_normal"),
    "lecun_uniform": (1.0, "uniform"),
    "glorot_normal": (1.0, "truncated_normal"),
    "glorot_uniform": (1.0, "uniform"),
}


def initial_values(graph: Graph, seed: int = 0) -> tuple[dict[str, Array], dict[str, Array]]:
    """Parameters and state of a graph, each by path, as float32 arrays."""
    entries = list(graph.parameters.items())
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        values = list(pool.map(lambda entry: initial_value(entry[1], seed, entry[0]), entries))
    found = dict(zip((path for path, _ in entries), values, strict=True))
    trainable = {path for path, parameter in entries if parameter.trainable}
    return (
        {path: value for path, value in found.items() if path in trainable},
        {path: value for path, value in found.items() if path not in trainable},
    )


def initial_value(parameter: Parameter, seed: int, path: str) -> Array:
    """The initial value of one parameter."""
    digest = hashlib.sha256(f"{seed}/{path}".encode()).digest()
    random = np.random.Generator(np.random.SFC64(int.from_bytes(digest[:16], "little")))
    return _draw(random, parameter.init, parameter)


def _draw(random: np.random.Generator, init: Initializer, parameter: Parameter) -> Array:
    shape, given = parameter.shape, dict(init.arguments)
    match init.name:
        case "zeros":
            return np.zeros(shape, np.float32)
        case "ones":
            return np.ones(shape, np.float32)
        case "constant":
            return np.full(shape, given["value"], np.float32)
        case "signs":
            return np.where(random.random(shape) < 0.5, np.float32(-1), np.float32(1))
        case "normal":
            return random.standard_normal(shape, np.float32) * np.float32(given["stddev"]) + np.float32(given["mean"])
        case "truncated_normal":
            return _truncated(random, shape) * np.float32(given["stddev"]) + np.float32(given["mean"])
        case "uniform":
            low, high = given["low"], given["high"]
            return random.random(shape, np.float32) * np.float32(high - low) + np.float32(low)
        case "variance_scaling":
            return _scaled(random, parameter, given["scale"], given["mode"], given["distribution"])
        case name:
            scale, distribution = _VARIANCE_SCALING[name]
            return _scaled(random, parameter, scale, given["mode"], distribution)


def _scaled(random: np.random.Generator, parameter: Parameter, scale: float, mode: str, distribution: str) -> Array:
    fans = {
        "fan_in": parameter.fan_in,
        "fan_out": parameter.fan_out,
        "fan_avg": (parameter.fan_in + parameter.fan_out) / 2,
    }
    variance = scale / max(fans[mode], 1)
    if distribution == "uniform":
        limit = math.sqrt(3 * variance)
        return random.random(parameter.shape, np.float32) * np.float32(2 * limit) - np.float32(limit)
    if distribution == "normal":
        return random.standard_normal(parameter.shape, np.float32) * np.float32(math.sqrt(variance))
    return _truncated(random, parameter.shape) * np.float32(math.sqrt(variance) / TRUNCATED_STDDEV)


def _truncated(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Standard normal values, those beyond two drawn again."""
    values = random.standard_normal(shape, np.float32).ravel()
    beyond = np.flatnonzero(np.abs(values) > 2)
    while beyond.size:
        again = random.standard_normal(beyond.size, np.float32)
        values[beyond] = again
        beyond = beyond[np.abs(again) > 2]
    return values.reshape(shape)


def missing_and_unexpected(graph: Graph, arrays: Mapping[str, Any]) -> tuple[list[str], list[str], list[str]]:
    """Paths that `arrays` lacks, has too many, and has in another shape."""
    missing = [path for path in graph.parameters if path not in arrays]
    unexpected = [path for path in arrays if path not in graph.parameters]
    wrong = [
        f"{path}: {'x'.join(map(str, arrays[path].shape))} instead of {'x'.join(map(str, parameter.shape))}"
        for path, parameter in graph.parameters.items()
        if path in arrays and tuple(arrays[path].shape) != parameter.shape
    ]
    return missing, unexpected, wrong
