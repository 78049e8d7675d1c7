"""Going on with a run: whose run it is, and which fields of its recipe it keeps."""

from __future__ import annotations

from functools import reduce
from pathlib import Path

from cnnspec.diagnostics import Problem
from cnnspec.training import runs
from cnnspec.training.recipe import Recipe

#: Another value of these would be another order of images or other weights to begin with: another run.
KEPT = (
    "seed", "batch_size", "weights", "freeze", "dataset.name", "dataset.held_out", "dataset.labels", "dataset.limit",
)  # fmt: skip


def check_whose(folder: Path, name: str | None) -> None:
    """See that a run is of the spec that is named, if one is. **Errors**: E861 where it is of another one, or incomplete."""
    about = runs.read_run(folder)
    network = str(about["network"])
    if name is not None and name not in (network, Path(str(about.get("file", network))).stem):
        raise Problem("E861", f"{folder} is a run of {network}, not of {name}",
                      f"go on with it: {runs.how_to_resume(folder)}")  # fmt: skip


def check_kept(own: Recipe, asked: Recipe) -> None:
    """See that a run goes on with what it has to keep. **Errors**: E861."""
    for field in KEPT:
        was, now = (reduce(getattr, field.split("."), recipe) for recipe in (own, asked))
        if was != now:
            raise Problem("E861", f"the run was begun with `{field}: {_shown(was)}` and cannot go on with `{_shown(now)}`",
                          "leave it as it is, or begin a new run without `--resume`", field=field)  # fmt: skip


def _shown(value: object) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else "null" if value is None else str(value)
