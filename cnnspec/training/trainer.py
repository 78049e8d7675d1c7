"""`train`: a spec and a recipe in, a trained network and its folder out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from cnnspec.data.base import Dataset
from cnnspec.data.opening import open_split
from cnnspec.data.pipeline import TrainingBatches, iterate
from cnnspec.diagnostics import Problem, Report, SpecError, listing
from cnnspec.scaling import Factors
from cnnspec.training import runs
from cnnspec.training.checkpoints import Checkpoints, no_room
from cnnspec.training.devices import Devices, devices_for
from cnnspec.training.evaluation import Evaluation, Evaluator
from cnnspec.training.loop import Loop
from cnnspec.training.network import Network, open_network
from cnnspec.training.optimisers import decayed, learning_rate, optimiser
from cnnspec.training.progress import Progress
from cnnspec.training.recipe import Recipe
from cnnspec.training.recipe_file import LoadedRecipe, load_recipe, recipe_text
from cnnspec.training.records import Records, write_text
from cnnspec.training.report import write_report
from cnnspec.training.step import initial_state, make_step, weights_of
from cnnspec.training.task import check_mixing, check_paths, frozen_paths, label_names
from cnnspec.training.weights import read_weights, transfer

#: Threads that make batches where pictures are decoded.
DECODING_THREADS = 8


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
    name = _name(spec)
    with located(None):
        folder = runs.folder_to_resume(out, name) if resume else runs.new_folder(out, name)
    report = Report()
    source = (folder / runs.RECIPE) if resume and recipe is None else recipe
    loaded = load_recipe(source, report, spec=str(spec) if _is_name(spec) else "", spec_name=name, overrides=overrides)
    report.raise_if_failed()
    assert loaded is not None
    if resume:
        spec, settings = folder / runs.SPEC, {}
    else:
        settings = {**loaded.recipe.set, **(set or {})}
    network = open_network_located(spec, loaded, settings, None if resume else scale)
    with located(loaded):
        return _Training(network, loaded, folder, resume, mesh, quiet).run()


@dataclass
class _Training:
    network: Network
    loaded: LoadedRecipe
    folder: Path
    resume: bool
    mesh: str | None
    quiet: bool

    def run(self) -> Trained:
        recipe, network = self.loaded.recipe, self.network
        check_mixing(network.task, recipe)
        frozen = frozen_paths(network.loaded.graph, recipe.freeze)
        devices = devices_for(self.mesh, recipe.batch_size)
        with located(self.loaded, "dataset"):
            train_set, test_set = (
                open_split(recipe.dataset, s, network.task.shape, network.task.classes) for s in ("train", "test")
            )
        total = recipe.total_steps(len(train_set))
        progress = Progress(
            total, len(train_set) / recipe.batch_size, recipe.batch_size, self.quiet or not devices.leads
        )
        if recipe.weights is not None and not self.resume:
            progress.say(f"weights: {transfer(read_weights(recipe.weights), network.params, network.state)}")
        check_paths(network.loaded.graph, recipe.remat)
        curve = learning_rate(recipe, len(train_set))
        pulled = decayed(recipe.optimizer, network.params)
        training = network.compiled.training(
            recipe.remat, lambda path: (path in frozen, pulled.get(path)), recorded=self._recorded()
        )
        optimizer = optimiser(recipe, curve, {**pulled, **training.stack(pulled)})
        state = initial_state(network.params, network.state, frozen, optimizer, recipe.ema)
        state = devices.place_state(state)
        self._begin_folder(recipe, train_set, devices, training.record)
        checkpoints = Checkpoints(self.folder / runs.CHECKPOINTS, devices)
        source = TrainingBatches(train_set, batch=recipe.batch_size, steps=total, seed=recipe.seed,
                                 augmentation=recipe.augment, share=devices.share)  # fmt: skip
        batches = iterate(source, recipe.loading, DECODING_THREADS if recipe.dataset.name == "folder" else 2)
        done = 0
        if self.resume and checkpoints.last is not None:
            state, note = checkpoints.restore(checkpoints.last, state)
            done = int(note["step"])
            if done < total:  # else the length was cut below what is done already: there is nothing left to do
                batches.set_state(note["batches"])
        state = jax.jit(training.stack, donate_argnums=0)(state) if training.layout else state
        kept = frozenset(training.stack(dict.fromkeys(frozen, True)))
        step = make_step(training, network.task, recipe, optimizer, curve, kept)
        example = devices.place_batch(source[0])
        compiled_step = jax.jit(step, donate_argnums=0).lower(state, example).compile()
        loop = Loop(
            step=compiled_step, state=state, unstack=jax.jit(training.unstack) if training.layout else lambda tree: tree, batches=batches, devices=devices, checkpoints=checkpoints, progress=progress,
            evaluator=Evaluator(network.compiled, network.task, test_set, devices,
                                recipe.evaluation_batch or recipe.batch_size, recipe.loading),
            records=Records(self.folder, done if self.resume else None) if devices.leads else None,
            folder=self.folder, total=total, batch=recipe.batch_size, steps_per_epoch=len(train_set) / recipe.batch_size,
            evaluate_every=recipe.to_steps(recipe.evaluate_every, len(train_set)), done=done,
            checkpoint_every=recipe.to_steps(recipe.checkpoint_every, len(train_set)) if recipe.checkpoint_every else 0,
        )  # fmt: skip
        progress.begin(done)
        try:
            loop.run()
        finally:
            if loop.records is not None:
                loop.records.close()
            checkpoints.close()
        return self._finish(loop, train_set, test_set)

    def _recorded(self) -> dict[str, Any] | None:
        """The forms that the run which is resumed was begun with."""
        found = runs.read_run(self.folder).get("compiled") if self.resume else None
        return dict(found) if found is not None else None

    def _begin_folder(self, recipe: Recipe, train_set: Dataset, devices: Devices, compiled: dict[str, Any]) -> None:
        """Write what is being trained, before the first step."""
        if not devices.leads or self.resume:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        write_text(self.folder / runs.SPEC, self.network.loaded.expanded)
        write_text(self.folder / runs.RECIPE, recipe_text(recipe.model_copy(update={"set": {}})))
        classes = list(label_names(train_set, self.network.task))
        runs.write_run(self.folder, {"network": self.network.name, "recipe": self.loaded.name, "classes": classes,
                                     "jax": jax.__version__, "devices": devices.count, "compiled": compiled})  # fmt: skip

    def _finish(self, loop: Loop, train_set: Dataset, test_set: Dataset) -> Trained:
        """The weights and the report of a run that reached its end (or was stopped)."""
        params, state = (jax.tree.map(np.asarray, part) for part in weights_of(loop.unstack(loop.state)))
        metrics: dict[str, float] = {"steps": loop.done, "seconds": round(loop.seconds, 2)}
        if loop.evaluation is not None:
            metrics |= loop.evaluation.summary()
        corrupt = {n: why for part in (train_set, test_set) for n, why in getattr(part, "corrupt", {}).items()}
        if corrupt:
            metrics["corrupt"] = len(corrupt)
            loop.progress.say(f"left out {len(corrupt)} pictures that cannot be read: {listing(corrupt, 5)}")
        if loop.interrupted is None and loop.devices.leads:
            if loop.evaluation is None:  # resumed when all was done
                loop.evaluation = loop.evaluator(*weights_of(loop.unstack(loop.state)))
                metrics |= loop.evaluation.summary()
            write_report(
                self.folder, self.network, params, state, loop.evaluation, metrics, train_set, test_set, corrupt
            )
        return Trained(self.folder, metrics, params, state, loop.evaluation, loop.interrupted)


def open_network_located(
    spec: str | Path | Mapping[str, Any], loaded: LoadedRecipe, settings: Mapping[str, Any], scale: Factors | None
) -> Network:
    """`open_network`, with mistakes of the recipe shown in the recipe."""
    with located(loaded, "loss"):
        return open_network(spec, loaded.recipe, settings, scale)


@contextlib.contextmanager
def located(loaded: LoadedRecipe | None, section: str = "") -> Iterator[None]:
    """Turn a `Problem` (or a disk that is full) into a `SpecError` that points into the recipe."""
    try:
        yield
    except Problem as problem:
        diagnostic = (loaded or _NOWHERE).locate(problem, section)
        raise SpecError([diagnostic]) from problem
    except OSError as error:
        raise SpecError([(loaded or _NOWHERE).locate(no_room(error, Path(error.filename or ".")), section)]) from error


def _nowhere() -> LoadedRecipe:
    loaded = load_recipe({}, Report())
    assert loaded is not None
    return loaded


_NOWHERE = _nowhere()


def _is_name(spec: Any) -> bool:
    return isinstance(spec, str | Path) and "\n" not in str(spec)


def _name(spec: Any) -> str:
    if _is_name(spec):
        return Path(str(spec)).stem
    return str(spec.get("name", "network")) if isinstance(spec, Mapping) else "network"
