"""Opening what was trained: a run's folder, or an artefact, as a network with its weights and its recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnspec.data.config import DatasetConfig
from cnnspec.data.frame import Frame
from cnnspec.data.opening import steps_of
from cnnspec.diagnostics import Problem, Report
from cnnspec.document import InputSpec, Preprocess
from cnnspec.frontend import load_spec
from cnnspec.training import runs
from cnnspec.training.evaluation import Inference
from cnnspec.training.network import open_network
from cnnspec.training.recipe import Loss, Recipe
from cnnspec.training.recipe_file import LoadedRecipe, load_recipe
from cnnspec.training.task import Task, task_of
from cnnspec.training.weights import transfer

if TYPE_CHECKING:
    from cnnspec.artefact import Artefact
    from cnnspec.lower.xla import Options

#: The loss that an artefact is evaluated with, by what its output gives; it does not say what it was trained with.
LOSSES = {"distances": Loss(name="rbf"), "lengths": Loss(name="margin")}


@dataclass(frozen=True)
class TrainedNetwork:
    """A network with the weights of a training; `classes` names its outputs, and is empty where nobody named them."""

    name: str
    task: Task
    recipe: LoadedRecipe
    inference: Inference
    params: dict[str, Any]
    state: dict[str, Any]
    classes: tuple[str, ...]

    @property
    def frame(self) -> Frame:
        """How images fill its input: as in its training."""
        height, width, channels = self.task.shape
        return Frame(height, width, channels, self.task.preprocess)

    @property
    def names(self) -> tuple[str, ...]:
        """A name for every output, its number where it has none."""
        return (*self.classes, *(str(c) for c in range(len(self.classes), self.task.classes)))


def open_trained(
    folder: str | Path, which: str = "last", recipe: str | None = None, overrides: dict[str, Any] | None = None
) -> TrainedNetwork:
    """A run or an artefact; `which` is `last`, `best` or the step of a checkpoint of a run.

    `recipe` and `overrides` say where other images are; how an image fills the input stays as in the training, unless
    they say that too. An artefact names no data: its recipe is the one given, or the one of its spec's name.
    **Errors**: E861 (neither a run nor an artefact, or no such checkpoint), E866 (weights damaged or of another
    network); raises `SpecError` for a spec or recipe that is wrong, and for an artefact that is damaged.
    """
    path = Path(folder)
    if (path / runs.RUN).exists():
        return _open_run(path, which, recipe, overrides)
    if (path / "manifest.json").exists():
        return _open_artefact(path, recipe, overrides)
    raise Problem("E861", f"{folder} is neither the folder of a training nor an artefact",
                  "give the folder that `cnnspec train` or `cnnspec compile` printed")  # fmt: skip


def _open_run(path: Path, which: str, recipe: str | None, overrides: dict[str, Any] | None) -> TrainedNetwork:
    about = runs.read_run(path)
    own = _recipe(path / runs.RECIPE, "", None)
    chosen = _recipe(recipe or path / runs.RECIPE, "", overrides)
    network = open_network(path / runs.SPEC, own.recipe, {})
    params, state = dict(network.params), dict(network.state)
    done = transfer(runs.run_arrays(path, which), params, state)
    if done.reshaped or any(name in network.params for name in done.untouched):
        raise Problem(
            "E866", f"the weights in {path} are not those of its spec: {done}", "were the files of two folders mixed?"
        )
    task = replace(network.task, preprocess=_steps(chosen.recipe.dataset, network.task, network.task.preprocess))
    classes = tuple(about.get("classes") or ())
    return TrainedNetwork(network.name, task, chosen, network.compiled, params, state, classes)


def _open_artefact(path: Path, recipe: str | None, overrides: dict[str, Any] | None) -> TrainedNetwork:
    from cnnspec.artefact import load

    artefact = load(path)
    loaded = load_spec(path / runs.SPEC)
    chosen = _recipe(recipe, loaded.document.name, overrides)
    task = task_of(loaded.graph, loaded.document.inputs, Recipe(dataset=chosen.recipe.dataset))
    given: InputSpec = loaded.document.inputs[task.image]
    task = replace(
        task, loss=LOSSES.get(task.kind, task.loss),
        preprocess=_steps(chosen.recipe.dataset, task, given.preprocess or task.preprocess),
    )  # fmt: skip
    return TrainedNetwork(
        loaded.document.name, task, chosen, _ArtefactInference(artefact), {}, {}, tuple(artefact.labels)
    )


def _recipe(source: str | Path | None, name: str, overrides: dict[str, Any] | None) -> LoadedRecipe:
    report = Report()
    loaded = load_recipe(source, report, spec=name, spec_name=name, overrides=overrides)
    report.raise_if_failed()
    assert loaded is not None
    return loaded


def _steps(config: DatasetConfig, task: Task, own: Preprocess) -> Preprocess:
    return own if config.fit is None and config.size is None else steps_of(config, task.shape, own)


@dataclass(frozen=True)
class _ArtefactInference:
    """The program of an artefact, as evaluation and prediction call a network."""

    artefact: Artefact

    def prepare(self, params: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
        return self.artefact.prepared

    def inference_function(self, prepared: Mapping[str, Any], inputs: Any) -> dict[str, Any]:
        return self.artefact.run(prepared, inputs)

    @property
    def compiler_options(self) -> Options:
        return self.artefact.compiler_options
