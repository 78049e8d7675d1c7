"""A network ready to be trained or evaluated: the compiled functions, the task, and the arrays to begin with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnspec.compiled import Compiled, compile
from cnnspec.frontend import LoadedSpec, load_spec
from cnnspec.scaling import Factors
from cnnspec.training.recipe import Recipe
from cnnspec.training.task import Task, task_of


@dataclass(frozen=True)
class Network:
    """A compiled spec with its task; `params` and `state` are the initial values by path."""

    loaded: LoadedSpec
    compiled: Compiled
    task: Task
    params: dict[str, Any]
    state: dict[str, Any]

    @property
    def name(self) -> str:
        return self.loaded.document.name


def open_network(
    spec: str | Path | Mapping[str, Any], recipe: Recipe, settings: Mapping[str, Any], scale: Factors | None = None
) -> Network:
    """Check and compile a spec for a recipe. **Errors**: `SpecError` for the spec, E862 for what does not fit it."""
    loaded = load_spec(spec, set=settings, scale=scale)
    task = task_of(loaded.graph, loaded.document.inputs, recipe)
    compiled = compile(loaded, dtype=recipe.precision)
    params, state = compiled.init(recipe.seed)
    return Network(loaded, compiled, task, dict(params), dict(state))
