"""Starting from weights that are there: what fits by name and shape is taken, the rest is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnnspec.diagnostics import Problem, listing
from cnnspec.files import written_whole

WEIGHTS = "weights.safetensors"


@dataclass(frozen=True)
class Transfer:
    """What became of the weights of a file: taken, of another shape, unknown here; and what here stays as it was."""

    taken: tuple[str, ...]
    reshaped: tuple[str, ...]
    unknown: tuple[str, ...]
    untouched: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"took {len(self.taken)} arrays"]
        for text, paths in (("left out for their shape", self.reshaped), ("not in this network", self.unknown),
                            ("start afresh", self.untouched)):  # fmt: skip
            if paths:
                parts.append(f"{text}: {listing(paths, 4)}")
        return "; ".join(parts)


def weights_file(place: str | Path) -> Path:
    """The file of weights: itself, or the one of a run's or an artefact's folder. **Errors**: E866."""
    path = Path(place).expanduser()
    found = path / WEIGHTS if path.is_dir() else path
    if not found.is_file():
        raise Problem(
            "E866",
            f"there are no weights at {place}",
            f"give a .safetensors file, or a folder that holds {WEIGHTS}",
            field="weights",
        )
    return found


def read_weights(place: str | Path) -> dict[str, Any]:
    """The arrays of a file by path. **Errors**: E866 (missing or damaged)."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = weights_file(place)
    try:
        return dict(load_file(str(path)))
    except (SafetensorError, OSError, ValueError) as error:
        raise Problem(
            "E866", f"{path} is not a whole safetensors file: {error}", "was it written to the end?", field="weights"
        ) from error


def write_weights(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays as safetensors, beside and renamed."""
    from safetensors.numpy import save_file

    with written_whole(path) as beside:
        save_file({name: np.ascontiguousarray(value) for name, value in sorted(arrays.items())}, str(beside))


def transfer(arrays: Mapping[str, Any], params: dict[str, Any], state: dict[str, Any]) -> Transfer:
    """Put into `params` and `state` what fits. **Errors**: E866 where nothing does."""
    taken, reshaped, unknown = [], [], []
    for path, value in arrays.items():
        owner = params if path in params else state if path in state else None
        if owner is None:
            unknown.append(path)
        elif owner[path].shape != value.shape:
            reshaped.append(path)
        else:
            owner[path] = np.asarray(value, owner[path].dtype)
            taken.append(path)
    if not taken:
        raise Problem(
            "E866",
            f"none of the {len(arrays)} arrays fits this network by name and shape",
            "are they weights of another network?",
            field="weights",
        )
    untouched = [p for p in (*params, *state) if p not in set(taken)]
    return Transfer(tuple(taken), tuple(reshaped), tuple(unknown), tuple(untouched))
