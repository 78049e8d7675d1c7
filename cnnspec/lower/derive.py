"""Derived parameters: computed once at load, from the canonical weights that are stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from cnnspec.graph import Derived, Graph
from cnnspec.lower.forms.layouts import LAYOUTS

Arrays = Mapping[str, Any]


def arguments_of(graph: Graph) -> list[str]:
    """The paths of the parameters that the nodes of a graph use, derived or not."""
    return sorted({path for node in graph.nodes for path in node.parameters.values()})


def derive(paths: Iterable[str], table: Mapping[str, Derived], arrays: Arrays) -> dict[str, Any]:
    """The arrays at `paths`: parameters as they are, and those that `table` derives from others (derived or not)."""

    def value(path: str) -> Any:
        derived = table.get(path)
        if derived is None:
            return np.asarray(arrays[path])
        roles = derived.arguments["roles"]
        values = {role: value(source) for role, source in zip(roles, derived.sources, strict=True)}
        return RULES[derived.function](values, derived.arguments)

    return {path: np.asarray(value(path), np.float32) if path in table else arrays[path] for path in paths}


# Each rule gets the values of its sources by role, and the arguments; sums are made in float64.


def _affine(values: dict[str, Any], arguments: Mapping[str, Any]) -> tuple[Any, Any]:
    """What an affine op multiplies and shifts every channel by."""
    scale = np.asarray(values.get("scale", 1.0), np.float64)
    shift = np.asarray(values.get("bias", 0.0), np.float64)
    if arguments["kind"] == "scale":
        return arguments["value"] * scale, shift
    factor = scale / np.sqrt(np.asarray(values["var"], np.float64) + arguments["epsilon"])
    return factor, shift - np.asarray(values.get("mean", 0.0), np.float64) * factor


def _fold_kernel(values: dict[str, Any], arguments: Mapping[str, Any]) -> Any:
    """The kernel of a layer with an affine op behind it."""
    return np.asarray(values["kernel"], np.float64) * _affine(values, arguments)[0]


def _fold_bias(values: dict[str, Any], arguments: Mapping[str, Any]) -> Any:
    factor, shift = _affine(values, arguments)
    return np.asarray(values.get("before", 0.0), np.float64) * factor + shift


def _fold_kernel_before(values: dict[str, Any], arguments: Mapping[str, Any]) -> Any:
    """The kernel of a layer with an affine op before it."""
    kernel = np.asarray(values["kernel"], np.float64)
    return kernel * _by_filter(_affine(values, arguments)[0], kernel)


def _fold_bias_before(values: dict[str, Any], arguments: Mapping[str, Any]) -> Any:
    kernel = np.asarray(values["kernel"], np.float64)
    seen = kernel * _by_filter(_affine(values, arguments)[1], kernel)
    return np.asarray(values.get("before", 0.0), np.float64) + seen.sum(tuple(range(kernel.ndim - 1)))


def _by_filter(channels: Any, kernel: Any) -> Any:
    """A value for each input channel, laid out as the filters of a kernel `[..., C / groups, filters]` see them."""
    if channels.size == 1:
        return channels.reshape(())
    inner, filters = kernel.shape[-2:]
    groups = channels.size // inner
    return np.repeat(channels.reshape(groups, inner), filters // groups, axis=0).T


def _slice(values: dict[str, Any], arguments: Mapping[str, Any]) -> Any:
    return values["whole"][arguments["start"] : arguments["stop"]]


def _concatenate(values: dict[str, Any], arguments: Mapping[str, Any]) -> Any:
    """Several arrays along the last axis; zeros, of the length that stands in `lengths`, where there is none."""
    parts = [values.get(str(i), np.zeros(n, np.float32)) for i, n in enumerate(arguments["lengths"])]
    return np.concatenate(parts, -1)


def _layout(values: dict[str, Any], arguments: Mapping[str, Any]) -> Any:
    """A kernel as a form wants it."""
    return np.ascontiguousarray(LAYOUTS[arguments["form"]](values["kernel"], arguments["groups"]))


#: The rules by which parameters are derived, by the name that the graph uses.
RULES: dict[str, Callable[[dict[str, Any], Mapping[str, Any]], Any]] = {
    "fold_kernel": _fold_kernel, "fold_bias": _fold_bias,
    "fold_kernel_before": _fold_kernel_before, "fold_bias_before": _fold_bias_before,
    "slice": _slice, "concatenate": _concatenate, "layout": _layout,
}  # fmt: skip
