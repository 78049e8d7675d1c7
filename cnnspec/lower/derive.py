"""Derived parameters: computed once at load, from the canonical weights that are stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from cnnspec.graph import Derived, Graph

Arrays = Mapping[str, Any]


def fold_factor(scale: Any, var: Any, epsilon: float) -> Any:
    """What batch normalisation multiplies every channel by, in float64."""
    factor = 1 / np.sqrt(np.asarray(var, np.float64) + epsilon)
    return factor if scale is None else factor * np.asarray(scale, np.float64)


def _fold_kernel(values: dict[str, Any], derived: Derived) -> Any:
    factor = fold_factor(values.get("scale"), values["var"], derived.arguments["epsilon"])
    return np.asarray(np.asarray(values["kernel"], np.float64) * factor, np.float32)


def _fold_bias(values: dict[str, Any], derived: Derived) -> Any:
    factor = fold_factor(values.get("scale"), values["var"], derived.arguments["epsilon"])
    before = np.asarray(values.get("before", 0.0), np.float64)
    shift = np.asarray(values.get("bias", 0.0), np.float64)
    return np.asarray((before - np.asarray(values["mean"], np.float64)) * factor + shift, np.float32)


#: The rules by which parameters are derived, by the name that the graph uses.
RULES: dict[str, Callable[[dict[str, Any], Derived], Any]] = {"fold_kernel": _fold_kernel, "fold_bias": _fold_bias}


def arguments_of(graph: Graph) -> list[str]:
    """The paths of the parameters that the nodes of a graph use, derived or not."""
    return sorted({path for node in graph.nodes for path in node.parameters.values()})


def derive(paths: Iterable[str], table: Mapping[str, Derived], arrays: Arrays) -> dict[str, Any]:
    """The arrays at `paths`: parameters as they are, and those that `table` derives from others."""
    found: dict[str, Any] = {}
    for path in paths:
        derived = table.get(path)
        if derived is None:
            found[path] = arrays[path]
        else:
            roles = derived.arguments["roles"]
            values = {role: np.asarray(arrays[source]) for role, source in zip(roles, derived.sources, strict=True)}
            found[path] = RULES[derived.function](values, derived)
    return found
