"""`train`: a spec and a recipe in, a trained network and its folder out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from cnnspec.diagnostics import listing
from cnnspec.scaling import Factors
from cnnspec.training.evaluation import Evaluation
from cnnspec.training.located import located
from cnnspec.training.preparing import Prepared, prepare
from cnnspec.training.report import write_report
from cnnspec.training.step import weights_of


@dataclass(frozen=True)
class Trained:
    """A trained network: `params` and `state` by path (the running averages where the recipe asks for them)."""

    folder: Path
    metrics: dict[str, float]
    params: dict[str, Any]
    state: dict[str, Any]
    evaluation: Evaluation | None
    #: The signal that ended the run early, if one did.
    interrupted: int | None


def train(
    spec: str | Path | Mapping[str, Any],
    recipe: str | Path | Mapping[str, Any] | None = None,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    set: Mapping[str, Any] | None = None,
    scale: Factors | None = None,
    overrides: Mapping[str, Any] | None = None,
    mesh: str | None = None,
    quiet: bool = False,
) -> Trained:
    """Train a spec by a recipe and return what came out; everything is also in the run's folder.

    `recipe` is a file, a name of a recipe that comes along, or a mapping; without one, the spec's own. `overrides`
    gives fields of the recipe other values by dotted name (`{"optimizer.learning_rate": 0.01}`). `resume` goes on
    with the run in `out` (or the newest run of the spec) bit for bit.

    **Errors**: raises `SpecError` with diagnostics: of the spec, of the recipe, E850 to E857 (data), E860 (the
    training diverged), E861 (nothing to resume), E862 (recipe and network do not fit), E863 (devices), E864 (no
    room), E865 (no such recipe), E866 (weights).
    """
    ready = prepare(
        spec, recipe, out=out, resume=resume, set=set, scale=scale, overrides=overrides, mesh=mesh, quiet=quiet
    )
    with located(ready.loaded, ready.folder):
        return run(ready)


def run(ready: Prepared) -> Trained:
    """Make the steps that are to be made, and the report."""
    loop = ready.loop
    loop.progress.begin(loop.done)
    try:
        loop.run()
    finally:
        loop.close()
    return _finish(ready)


def _finish(ready: Prepared) -> Trained:
    """The weights and the report of a run that reached its end (or was stopped)."""
    loop, train_set, test_set = ready.loop, ready.train_set, ready.test_set
    params, state = (jax.tree.map(np.asarray, part) for part in weights_of(loop.unstack(loop.state)))
    if loop.interrupted is None and loop.evaluation is None:  # resumed when all was done
        loop.evaluation = loop.evaluator(*weights_of(loop.unstack(loop.state)))
    metrics: dict[str, float] = {"steps": loop.done, "seconds": round(loop.seconds, 2)}
    lost = train_set.unreadable(loop.devices.union(loop.unreadable))
    if loop.evaluation is not None:
        metrics |= loop.evaluation.summary()
        lost |= test_set.unreadable(loop.devices.union(loop.evaluation.unreadable))
    if lost:
        metrics["corrupt"] = len(lost)
        loop.progress.say(f"left out {len(lost)} pictures that cannot be read: {listing(lost, 5)}")
    if loop.interrupted is None and loop.devices.leads:
        assert loop.evaluation is not None
        write_report(ready.folder, ready.network, params, state, loop.evaluation, metrics, train_set, test_set, lost)
    return Trained(ready.folder, metrics, params, state, loop.evaluation, loop.interrupted)
