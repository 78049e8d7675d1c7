"""From a run to what `cnnspec compile` takes: its spec with the preprocessing of its training, weights, classes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnspec.diagnostics import Report, Source, SpecError
from cnnspec.frontend import LoadedSpec, load_spec
from cnnspec.source import parse, plain
from cnnspec.training import runs
from cnnspec.training.recipe_file import LoadedRecipe, load_recipe
from cnnspec.training.task import task_of


@dataclass(frozen=True)
class Checkpoint:
    """One state of a run."""

    folder: Path
    #: `last`, `best`, or the number of a step.
    which: str
    arrays: dict[str, Any]
    classes: tuple[str, ...]
    recipe: LoadedRecipe
    #: The name of its network.
    network: str

    @property
    def spec(self) -> Path:
        """The file of its spec."""
        return self.folder / runs.SPEC

    @property
    def origin(self) -> str:
        """Where the weights come from, in words."""
        about = f"from {self.folder} ({self.which}), trained on {self.recipe.recipe.dataset.name} by the recipe {self.recipe.name}"
        result = self.folder / runs.RESULT
        if self.which != "last" or not result.is_file():
            return about
        found = json.loads(result.read_text(encoding="utf-8"))
        return f"{about}: top-1 {found['top1']:.2%} of {found['images']} held-out images"

    def as_trained(self, loaded: LoadedSpec) -> LoadedSpec:
        """The spec with the preprocessing of the training, so that images go in as they did there."""
        task = task_of(loaded.graph, loaded.document.inputs, self.recipe.recipe)
        tree = parse(Source("<run>", loaded.expanded), Report())
        assert tree is not None
        spec: dict[str, Any] = plain(tree)
        inputs = spec["inputs"] if "inputs" in spec else {task.image: spec["input"]}
        inputs[task.image]["preprocess"] = task.preprocess.model_dump(mode="json", exclude_defaults=True)
        return load_spec(spec)


def open_checkpoint(place: str) -> Checkpoint:
    """A state of a run: `FOLDER` (the last one), or `FOLDER:best`, `FOLDER:STEP`.

    **Errors**: `Problem` E861 (no run, or no such checkpoint), E866 (weights damaged).
    """
    folder, colon, which = place.rpartition(":")
    if not colon or Path(place).is_dir():
        folder, which = place, "last"
    path = Path(folder)
    about = runs.read_run(path)
    report = Report()
    recipe = load_recipe(path / runs.RECIPE, report)
    if recipe is None:
        raise SpecError(report)
    recipe = LoadedRecipe(recipe.recipe, recipe.tree, str(about.get("recipe", recipe.name)))
    return Checkpoint(path, which, runs.run_arrays(path, which), tuple(about.get("classes") or ()), recipe,
                      str(about["network"]))  # fmt: skip
