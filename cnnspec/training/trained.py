"""Opening what was trained: a run's folder, or an artefact, as a network with its weights and its recipe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnspec.data.frame import Frame
from cnnspec.data.opening import frame_of
from cnnspec.diagnostics import Problem, Report
from cnnspec.training import runs
from cnnspec.training.network import Network, open_network
from cnnspec.training.recipe_file import LoadedRecipe, load_recipe
from cnnspec.training.weights import WEIGHTS, read_weights, transfer


@dataclass(frozen=True)
class TrainedNetwork:
    """A network with the weights of a training; `classes` names its outputs."""

    network: Network
    recipe: LoadedRecipe
    params: dict[str, Any]
    state: dict[str, Any]
    classes: tuple[str, ...]

    @property
    def frame(self) -> Frame:
        """How images fill its input: as in its training."""
        return frame_of(self.recipe.recipe.dataset, self.network.task.shape)


def open_trained(
    folder: str | Path, which: str = "last", recipe: str | None = None, overrides: dict[str, Any] | None = None
) -> TrainedNetwork:
    """A run or an artefact; `which` is `last`, `best` or the step of a checkpoint of a run.

    An artefact says nothing about its data: its recipe is the one given, or the one of its spec's name.
    **Errors**: E861 (neither a run nor an artefact, or no such checkpoint), E866 (weights damaged or of another
    network); raises `SpecError` for a spec or recipe that is wrong.
    """
    path = Path(folder)
    spec = path / runs.SPEC
    if not spec.is_file() or not ((path / runs.RUN).exists() or (path / WEIGHTS).exists()):
        raise Problem(
            "E861",
            f"{folder} is neither the folder of a training nor an artefact",
            "give the folder that `cnnspec train` or `cnnspec compile` printed",
        )
    is_run = (path / runs.RUN).exists()
    about = runs.read_run(path) if is_run else {}
    report = Report()
    source = recipe or (path / runs.RECIPE if is_run else None)
    name = _spec_name(spec)
    loaded = load_recipe(source, report, spec="" if is_run else name, spec_name=name, overrides=overrides)
    report.raise_if_failed()
    assert loaded is not None
    network = open_network(spec, loaded.recipe, {})
    arrays = runs.run_arrays(path, which) if is_run else read_weights(path)
    params, state = dict(network.params), dict(network.state)
    done = transfer(arrays, params, state)
    if done.reshaped or any(p in network.params for p in done.untouched):
        raise Problem(
            "E866", f"the weights in {folder} are not those of its spec: {done}", "were the files of two folders mixed?"
        )
    classes = tuple(about.get("classes") or ())
    names = (*classes, *(str(c) for c in range(len(classes), network.task.classes)))
    return TrainedNetwork(network, loaded, params, state, names)


def _spec_name(spec: Path) -> str:
    """The `name` of a spec, read from its text alone."""
    for line in spec.read_text(encoding="utf-8").splitlines():
        if line.startswith("name:"):
            return line.removeprefix("name:").strip().strip("\"'")
    return spec.stem
