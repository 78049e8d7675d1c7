"""From a spec and a recipe to a training that is ready to run: data, state, compiled step, and the folder of its run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

from cnnspec.data.base import Dataset
from cnnspec.data.opening import open_split
from cnnspec.data.pipeline import TrainingBatches, iterate
from cnnspec.diagnostics import Report, SpecError
from cnnspec.scaling import Factors
from cnnspec.training import runs
from cnnspec.training.checkpoints import Checkpoints
from cnnspec.training.devices import Devices, devices_for
from cnnspec.training.evaluation import Evaluator
from cnnspec.training.located import located
from cnnspec.training.loop import Loop
from cnnspec.training.network import Network, open_network
from cnnspec.training.optimisers import decayed, learning_rate, optimiser
from cnnspec.training.progress import Progress
from cnnspec.training.recipe import Recipe
from cnnspec.training.recipe_file import LoadedRecipe, load_recipe, recipe_text
from cnnspec.training.records import Records, write_text
from cnnspec.training.resuming import check_kept, check_whose
from cnnspec.training.step import initial_state, make_step
from cnnspec.training.task import check_fits, label_names, weights_below
from cnnspec.training.weights import read_weights, transfer, weights_file
from cnnspec.weights.conventions import require_convention


@dataclass(frozen=True)
class Prepared:
    """A training before its first step, or where the run that is resumed was."""

    network: Network
    loaded: LoadedRecipe
    folder: Path
    loop: Loop
    train_set: Dataset
    test_set: Dataset


def prepare(
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
) -> Prepared:
    """What `train` runs; the arguments and errors are those of `train`."""
    name, named = _name(spec), _is_name(spec)
    file = str(spec) if named else name
    with located(None, Path(out or runs.RUNS)):
        folder = runs.folder_to_resume(out, name) if resume else runs.new_folder(out, name)
        if resume:
            check_whose(folder, name if named or isinstance(spec, Mapping) else None)
    report = Report()
    source = (folder / runs.RECIPE) if resume and recipe is None else recipe
    loaded = load_recipe(source, report, spec=file if named else "", spec_name=name, overrides=overrides)
    own = load_recipe(folder / runs.RECIPE, report) if resume else None
    report.raise_if_failed()
    assert loaded is not None
    if resume:
        spec, settings, scale = folder / runs.SPEC, {}, None
    else:
        settings = {**loaded.recipe.set, **(set or {})}
    with located(loaded, folder):
        if own is not None:
            check_kept(own.recipe, _from_anywhere(loaded.recipe))
        try:
            network = open_network(spec, loaded.recipe, settings, scale)
        except SpecError as error:
            raise SpecError(loaded.place_settings(error.diagnostics, set or {})) from error
        return _Preparation(network, loaded, folder, file, resume, mesh, quiet).prepared()


@dataclass
class _Preparation:
    network: Network
    loaded: LoadedRecipe
    folder: Path
    #: The spec as it was named.
    file: str
    resume: bool
    mesh: str | None
    quiet: bool

    def prepared(self) -> Prepared:
        recipe, task, graph = self.loaded.recipe, self.network.task, self.network.loaded.graph
        devices = devices_for(self.mesh, recipe.batch_size)
        train_set, test_set = (
            open_split(recipe.dataset, split, task.shape, task.classes, task.preprocess) for split in ("train", "test")
        )
        check_fits(graph, task, recipe, len(train_set))
        frozen = weights_below(graph, recipe.freeze, "freeze", "nothing to freeze")
        progress = Progress(recipe.total_steps(len(train_set)), len(train_set) / recipe.batch_size, recipe.batch_size,
                            self.quiet or not devices.leads)  # fmt: skip
        if runs.newest_step(self.folder) is None or not self.resume:
            self._before_the_first_step(progress, train_set)
        loop = self._loop(devices, progress, frozen, train_set, test_set)
        if self.resume and loop.done >= loop.total:
            progress.say(f"step {loop.done} is done and {loop.total} are asked for: nothing is left to do; "
                         "`--epochs` asks for a longer training")  # fmt: skip
        elif self.resume and devices.leads:  # what was changed holds for the next time too
            write_text(self.folder / runs.RECIPE, recipe_text(_from_anywhere(recipe)))
        return Prepared(self.network, self.loaded, self.folder, loop, train_set, test_set)

    def _before_the_first_step(self, progress: Progress, train_set: Dataset) -> None:
        """Take the weights that the recipe starts from, and say what is worth saying about the network."""
        outputs, classes = self.network.task.classes, len(train_set.classes)
        if self.loaded.recipe.weights is not None:
            require_convention(self.network.loaded, weights_file(self.loaded.recipe.weights))
            arrays = read_weights(self.loaded.recipe.weights)
            progress.say(f"weights: {transfer(arrays, self.network.params, self.network.state)}")
        if classes < outputs:
            progress.say(f"the network has {outputs} outputs and {train_set.name} {classes} classes; "
                         f"`--set classes={classes}` leaves no output over")  # fmt: skip

    def _loop(
        self, devices: Devices, progress: Progress, frozen: frozenset[str], train_set: Dataset, test_set: Dataset
    ) -> Loop:
        """The state, the batches and the compiled step, at the beginning or where the run that is resumed was."""
        recipe, network, images = self.loaded.recipe, self.network, len(train_set)
        curve, pulled = learning_rate(recipe, images), decayed(recipe.optimizer, network.params)
        training = network.compiled.training(
            recipe.remat, lambda path: (path in frozen, pulled.get(path)), recorded=self._recorded()
        )
        optimizer = optimiser(recipe, curve, {**pulled, **training.stack(pulled)})
        state = devices.place_state(initial_state(network.params, network.state, frozen, optimizer, recipe.ema))
        self._begin_folder(recipe, train_set, devices, training.record)
        source = TrainingBatches(train_set, batch=recipe.batch_size, steps=progress.total, seed=recipe.seed,
                                 augmentation=recipe.augment, share=devices.share)  # fmt: skip
        batches = iterate(source, recipe.loading)
        checkpoints = Checkpoints(self.folder / runs.CHECKPOINTS)
        done = 0
        if self.resume and checkpoints.last is not None:
            state, note = checkpoints.restore(checkpoints.last, state)
            done = int(note["step"])
            if done < progress.total:  # else the length was cut below what is done already: nothing is left to do
                batches.set_state(note["batches"])
        state = jax.jit(training.stack)(state) if training.layout else state
        kept = frozenset(training.stack(dict.fromkeys(frozen, True)))
        step = make_step(training, network.task, recipe, optimizer, curve, kept)
        example = source[0]
        example.pop("unreadable", None)
        jitted = jax.jit(step, donate_argnums=0, compiler_options=training.compiler_options)
        compiled_step = jitted.lower(state, devices.place_batch(example)).compile()
        return Loop(
            step=compiled_step, state=state, unstack=jax.jit(training.unstack) if training.layout else lambda tree: tree,
            batches=batches, devices=devices, checkpoints=checkpoints, progress=progress,
            evaluator=Evaluator(network.compiled, network.task, test_set, devices,
                                recipe.evaluation_batch or recipe.batch_size, recipe.loading),
            records=Records(self.folder, done if self.resume else None) if devices.leads else None,
            folder=self.folder, total=progress.total, batch=recipe.batch_size, steps_per_epoch=progress.steps_per_epoch,
            evaluate_every=recipe.to_steps(recipe.evaluate_every, images), done=done,
            checkpoint_every=recipe.to_steps(recipe.checkpoint_every, images) if recipe.checkpoint_every else 0,
        )  # fmt: skip

    def _recorded(self) -> dict[str, Any] | None:
        """The forms that the run which is resumed was begun with."""
        found = runs.read_run(self.folder).get("compiled") if self.resume else None
        return dict(found) if found is not None else None

    def _begin_folder(self, recipe: Recipe, train_set: Dataset, devices: Devices, compiled: dict[str, Any]) -> None:
        """Write what is being trained, before the first step."""
        devices.meet("the folder of the run")  # or one host would find there the run that another has begun
        if not devices.leads or self.resume:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        write_text(self.folder / runs.SPEC, self.network.loaded.expanded)
        write_text(self.folder / runs.RECIPE, recipe_text(_from_anywhere(recipe)))
        classes = list(label_names(train_set.classes, self.network.task))
        runs.write_run(self.folder, {"network": self.network.name, "file": self.file, "recipe": self.loaded.name, "classes": classes,
                                     "jax": jax.__version__, "devices": devices.count, "compiled": compiled})  # fmt: skip


def _from_anywhere(recipe: Recipe) -> Recipe:
    """The recipe as the run keeps it: its paths hold from any folder, and the spec beside it is set already."""
    path, weights = (p and str(Path(p).expanduser().absolute()) for p in (recipe.dataset.path, recipe.weights))
    dataset = recipe.dataset.model_copy(update={"path": path})
    return recipe.model_copy(update={"set": {}, "dataset": dataset, "weights": weights})


def _is_name(spec: Any) -> bool:
    return isinstance(spec, str | Path) and "\n" not in str(spec)


def _name(spec: Any) -> str:
    if _is_name(spec):
        return Path(str(spec)).stem
    return str(spec.get("name", "network")) if isinstance(spec, Mapping) else "network"
