"""Problems of a training, shown in its recipe."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from cnnspec.diagnostics import Problem, Report, SpecError
from cnnspec.training.checkpoints import no_room
from cnnspec.training.recipe_file import LoadedRecipe, load_recipe


@contextlib.contextmanager
def located(loaded: LoadedRecipe | None, folder: Path) -> Iterator[None]:
    """Turn a `Problem`, or a `folder` that cannot be written, into a `SpecError` that points into the recipe."""
    try:
        yield
    except Problem as problem:
        raise SpecError([(loaded or _NOWHERE).locate(problem)]) from problem
    except OSError as error:
        raise SpecError([(loaded or _NOWHERE).locate(no_room(error, folder))]) from error


def _nowhere() -> LoadedRecipe:
    loaded = load_recipe({}, Report())
    assert loaded is not None
    return loaded


_NOWHERE = _nowhere()
