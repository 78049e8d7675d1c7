"""The folder of a run: what it holds, where a new one goes, which one is resumed.

spec.yaml  recipe.yaml  run.json      what was trained, and how
metrics.jsonl  tensorboard/           what happened
checkpoints/STEP/                     to go on from
weights.safetensors  result.json      what came out
curves.png  confusion.png  reliability.png  predictions.png
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cnnspec.diagnostics import Problem, listing
from cnnspec.training.records import write_json
from cnnspec.training.weights import WEIGHTS, read_weights

SPEC, RECIPE, RUN, RESULT, CHECKPOINTS = "spec.yaml", "recipe.yaml", "run.json", "result.json", "checkpoints"
#: Where runs go that are not given a place.
RUNS = Path("runs")


def new_folder(out: str | Path | None, name: str) -> Path:
    """The folder of a new run: `out`, or `runs/NAME`, `runs/NAME-2`, ... **Errors**: E861 where `out` holds a run."""
    if out is not None:
        folder = Path(out)
        if (folder / RUN).exists():
            raise Problem(
                "E861", f"{folder} holds a run already", "go on with it by `--resume`, or give another `--out`"
            )
        if folder.exists() and not folder.is_dir():
            raise Problem("E864", f"{folder} is a file, not a folder", "give another `--out`")
        return folder
    number, folder = 1, RUNS / name
    while folder.exists():
        number += 1
        folder = RUNS / f"{name}-{number}"
    return folder


def folder_to_resume(out: str | Path | None, name: str) -> Path:
    """The folder to go on with: `out`, or the newest run of this name. **Errors**: E861 where there is none."""
    if out is not None:
        if not (Path(out) / RUN).exists():
            raise Problem("E861", f"{out} holds no run to resume", f"a run's folder holds {RUN}")
        return Path(out)
    found = sorted((p.parent for p in RUNS.glob(f"{name}*/{RUN}") if _is_run_of(p.parent.name, name)), key=_age)
    if not found:
        raise Problem(
            "E861",
            f"there is no run of {name} in {RUNS}/ to resume",
            "begin one without `--resume`, or say where it is with `--out`",
        )
    return found[-1]


def read_run(folder: str | Path) -> dict[str, Any]:
    """What `run.json` says. **Errors**: E861 where the folder is no run, or an incomplete one."""
    path = Path(folder) / RUN
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Problem(
            "E861",
            f"{folder} is not the folder of a training: {RUN} cannot be read",
            "give what `cnnspec train` printed as its folder",
        ) from error
    missing = [name for name in (SPEC, RECIPE) if not (Path(folder) / name).is_file()]
    if missing:
        raise Problem("E861", f"the run in {folder} is incomplete: it has no {listing(missing)}",
                      "put it back, or train again with another `--out`")  # fmt: skip
    return found


def write_run(folder: Path, about: dict[str, Any]) -> None:
    write_json(folder / RUN, about)


def run_arrays(folder: str | Path, which: str = "last") -> dict[str, Any]:
    """The parameters and statistics of a run by path: `last`, `best` or the number of a step.

    The running averages where there are any. **Errors**: E861 where there is no such checkpoint, E866.
    """
    import numpy as np

    path = Path(folder)
    read_run(path)
    if which == "last" and _finished(path):
        return read_weights(path)
    if newest_step(path) is None:
        raise Problem("E861", f"the run in {folder} has no checkpoint yet", f"go on with it: {how_to_resume(path)}")
    from cnnspec.training.checkpoints import Checkpoints

    checkpoints = Checkpoints(path / CHECKPOINTS, read_only=True)
    try:
        named = {"last": checkpoints.last, "best": checkpoints.best}
        step = named[which] if which in named else int(which) if which.isdecimal() else None
        if step is None or step not in checkpoints.steps:
            known = ", ".join(map(str, checkpoints.steps)) or "none"
            raise Problem(
                "E861", f"{folder} has no checkpoint `{which}`", f"say `last`, `best`, or a step; there is {known}"
            )
        tree = checkpoints.restore_plain(step)
    finally:
        checkpoints.close()
    arrays = {**tree["frozen"], **tree["params"], **tree["state"], **(tree["ema"] or {})}
    return {name: np.asarray(value) for name, value in arrays.items()}


def newest_step(folder: Path) -> int | None:
    """The step of the newest complete checkpoint of a run, without opening it."""
    return max((int(p.name) for p in (folder / CHECKPOINTS).glob("*") if p.name.isdecimal()), default=None)


def how_to_resume(folder: Path) -> str:
    """The command that goes on with a run; it stands without quotes, since what is quoted may be cut."""
    about = read_run(folder)
    return f"cnnspec train {about.get('file', about['network'])} --resume --out {folder}"


def _finished(folder: Path) -> bool:
    """Whether the weights in the folder are the newest: a finished run that goes on again has newer checkpoints."""
    if not (folder / WEIGHTS).exists():
        return False
    try:
        steps = json.loads((folder / RESULT).read_text(encoding="utf-8"))["steps"]
    except (OSError, ValueError, KeyError):
        steps = 0
    return bool(steps >= (newest_step(folder) or 0))


def _is_run_of(folder: str, name: str) -> bool:
    rest = folder.removeprefix(name)
    return not rest or (rest[0] == "-" and rest[1:].isdigit())


def _age(folder: Path) -> float:
    return (folder / RUN).stat().st_mtime
