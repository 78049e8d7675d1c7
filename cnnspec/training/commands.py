"""What `cnnspec eval` and `cnnspec predict` do, as functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnspec.data.folder import SUFFIXES, FolderDataset, is_picture
from cnnspec.data.frame import UNREADABLE
from cnnspec.data.opening import open_split
from cnnspec.diagnostics import Problem, did_you_mean, listing
from cnnspec.training import pictures
from cnnspec.training.devices import devices_for
from cnnspec.training.evaluation import Evaluation, Evaluator
from cnnspec.training.prediction import BATCH, Prediction, Predictor
from cnnspec.training.task import label_names
from cnnspec.training.trained import TrainedNetwork


@dataclass(frozen=True)
class Evaluated:
    """An evaluation, the names of the classes, and why some pictures could not be read."""

    evaluation: Evaluation
    classes: tuple[str, ...]
    corrupt: dict[str, str]


def evaluate(
    trained: TrainedNetwork, *, split: str = "test", batch: int | None = None, mesh: str | None = None
) -> Evaluated:
    """Evaluate a trained network on the data of its recipe. **Errors**: E850 to E857, E863."""
    recipe, task = trained.recipe.recipe, trained.task
    dataset = open_split(recipe.dataset, split, task.shape, task.classes, task.preprocess)
    if isinstance(dataset, FolderDataset) and trained.classes:
        _by_name(dataset, trained.classes)
    size = batch or recipe.evaluation_batch or recipe.batch_size
    devices = devices_for(mesh, size)
    evaluator = Evaluator(trained.inference, task, dataset, devices, size, recipe.loading)
    params, state = devices.place_state(trained.params), devices.place_state(trained.state)
    evaluator(params, state)  # the first pass compiles; the second is timed
    found = evaluator(params, state)
    names = trained.names if trained.classes else label_names(dataset.classes, task)
    return Evaluated(found, names, dataset.unreadable(found.unreadable))


def predict(trained: TrainedNetwork, files: Sequence[str | Path], top: int = 5) -> list[tuple[Path, Prediction]]:
    """The most probable classes of image files; a folder stands for the pictures in it. **Errors**: E850, E855."""
    paths = image_files(files)
    predictor = Predictor(trained.inference, trained.task, trained.params, trained.state, trained.names)
    found: list[Prediction] = []
    for first in range(0, len(paths), BATCH):  # a folder may hold more pictures than memory
        found += predictor(np.stack([_read(trained, path) for path in paths[first : first + BATCH]]), top)
    return list(zip(paths, found, strict=True))


def contact_sheet(path: Path, trained: TrainedNetwork, found: Sequence[tuple[Path, Prediction]]) -> None:
    """Write a PNG with every image as the network saw it, its prediction above."""
    images = [_read(trained, image) for image, _ in found]
    captions = [f"{p.names[0]} {p.probabilities[0]:.0%}\n{image.name[:18]}" for image, p in found]
    pictures.predictions(path, images, captions, columns=min(8, max(1, len(images))), title=trained.name)


def image_files(files: Sequence[str | Path]) -> list[Path]:
    """The files that are meant. **Errors**: E850 where one is not there or a folder has none."""
    found: list[Path] = []
    for file in map(Path, files):
        inside = sorted(p for p in file.rglob("*") if is_picture(p)) if file.is_dir() else [file]
        if not inside or not (file.is_dir() or file.is_file()):
            raise Problem("E850", f"there is no picture at {file}", f"a picture ends in {', '.join(SUFFIXES)}")
        found += inside
    return found


def as_json(evaluated: Evaluated) -> dict[str, Any]:
    """The keys of `cnnspec eval --json`."""
    found = evaluated.evaluation
    accuracies = {n: float(v) for n, v in zip(evaluated.classes, found.per_class, strict=True) if np.isfinite(v)}
    return {
        **found.summary(),
        "per_class": accuracies,
        "confusion": found.confusion.tolist(),
        "bins": [{"images": int(n), "right": int(r), "confidence": float(c)} for n, r, c in found.bins],
        "corrupt": evaluated.corrupt,
    }


def _by_name(dataset: FolderDataset, classes: Sequence[str]) -> None:
    """Number the classes of a folder as the network does: by their names. **Errors**: E852 for a name it does not know."""
    unknown = sorted(set(dataset.classes) - set(classes))
    if unknown:
        raise Problem("E852", f"{listing(unknown)} of {dataset.name} is no class of this network", did_you_mean(unknown[0], classes)
                      or f"its classes are {listing(classes)}", field="dataset.path")  # fmt: skip
    numbers = np.asarray([classes.index(name) for name in dataset.classes], np.int32)
    dataset.labels, dataset.classes = numbers[dataset.labels], tuple(classes)


def _read(trained: TrainedNetwork, path: Path) -> NDArray[np.uint8]:
    try:
        return trained.frame.read(path)
    except UNREADABLE as error:
        raise Problem(
            "E855",
            f"{path} cannot be read: {error}",
            "is it a whole JPEG or PNG? Remove it, or name the other pictures one by one",
        ) from error
