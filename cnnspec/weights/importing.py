"""Weights of a peer for a spec, and weights of one spec for another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnnspec.diagnostics import Diagnostic, SpecError
from cnnspec.files import written_whole
from cnnspec.frontend import LoadedSpec
from cnnspec.weights.conventions import CONVENTION
from cnnspec.weights.layouts import convert
from cnnspec.weights.names import match_names, require_complete
from cnnspec.weights.rule import rules_for

Array = np.ndarray[Any, np.dtype[Any]]


def family_slug(loaded: LoadedSpec) -> str:
    """The family's name as the rule files are called."""
    return loaded.document.family.lower().replace(" ", "_").replace("-", "_")


def import_weights(
    loaded: LoadedSpec, arrays: Mapping[str, Any], peer: str, rules_file: Path | None = None
) -> dict[str, Array]:
    """The peer's arrays as weights of the spec; raises `SpecError` (E810 to E812) where they are not.

    `rules_file` has the rules of a family that has none here.
    """
    rules = rules_for(peer, family_slug(loaded), loaded.document.name, rules_file)
    mapped = match_names(loaded.graph, list(arrays), rules, peer)
    require_complete(mapped, peer)
    return convert(loaded.graph, arrays, mapped, peer)


def write_weights(path: Path, arrays: Mapping[str, Array], convention: str | None = None) -> Path:
    """Write weights by path, whole or not at all, with the convention that they are for."""
    from safetensors.numpy import save_file

    try:
        with written_whole(path) as beside:
            metadata = {CONVENTION: convention} if convention is not None else None
            save_file({name: np.ascontiguousarray(a) for name, a in arrays.items()}, beside, metadata)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}"
        raise SpecError([Diagnostic("E807", message, None, "is there room, and the right to?")]) from None
    return path


@dataclass(frozen=True)
class Transfer:
    """What became of the weights of one spec in another: paths carried, new, of another shape, and left behind."""

    arrays: dict[str, Array]
    carried: list[str]
    fresh: list[str]
    reshaped: list[str]
    dropped: list[str]


def transfer_weights(old: LoadedSpec, new: LoadedSpec, arrays: Mapping[str, Any], seed: int = 0) -> Transfer:
    """Weights for `new`: those of `old` where path and shape agree, initial values elsewhere."""
    from cnnspec.lower.initialise import initial_values

    params, state = initial_values(new.graph, seed)
    found = {**params, **state}
    carried, reshaped = [], []
    for path in found:
        if path in arrays and path in old.graph.parameters:
            if arrays[path].shape == found[path].shape:
                found[path] = np.asarray(arrays[path])
                carried.append(path)
            else:
                reshaped.append(path)
    fresh = [path for path in found if path not in arrays]
    dropped = [path for path in arrays if path not in found]
    return Transfer(found, carried, fresh, reshaped, dropped)
