"""What a finished training leaves behind: weights, results, pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cnnspec.data.base import Dataset
from cnnspec.training import pictures, runs
from cnnspec.training.capsules import capsule_pictures
from cnnspec.training.evaluation import Evaluation
from cnnspec.training.network import Network
from cnnspec.training.prediction import Predictor
from cnnspec.training.records import read_events, write_json
from cnnspec.training.task import label_names
from cnnspec.training.weights import WEIGHTS, write_weights

#: Images on the sheet of sample predictions, those among them that may be mistakes, and those they are chosen from.
SAMPLES, MISTAKES, LOOKED_AT = 40, 24, 500
#: Characters of a caption that fit above an image.
CAPTION = 22


def write_report(
    folder: Path,
    network: Network,
    params: Mapping[str, Any],
    state: Mapping[str, Any],
    evaluation: Evaluation,
    metrics: Mapping[str, float],
    train_set: Dataset,
    test_set: Dataset,
    corrupt: Mapping[str, str],
) -> None:
    """Write `weights.safetensors`, `result.json` and the pictures into the run's folder."""
    write_weights(folder / WEIGHTS, {**params, **state})
    names = label_names(train_set.classes, network.task)
    accuracies = {name: float(v) for name, v in zip(names, evaluation.per_class, strict=True) if np.isfinite(v)}
    write_json(folder / runs.RESULT, {**metrics, "per_class": accuracies, "corrupt": dict(corrupt)})
    title = f"{network.name}: {evaluation.top1:.2%} of {evaluation.images} held-out images"
    pictures.curves(folder / "curves.png", read_events(folder), title)
    pictures.confusion(folder / "confusion.png", evaluation.confusion, names, title)
    pictures.reliability(folder / "reliability.png", evaluation.bins, evaluation.calibration_error, title)
    predictor = Predictor(network.compiled, network.task, params, state, names)
    _sample(folder / "predictions.png", predictor, test_set, names, title)
    capsule_pictures(folder, network, params, state, test_set)


def _sample(path: Path, predictor: Predictor, images: Dataset, names: Sequence[str], title: str) -> None:
    """A sheet of held-out images with their predictions: mistakes first, the surest of them before the others."""
    looked_at = np.linspace(0, len(images) - 1, min(LOOKED_AT, len(images))).astype(np.int64)
    pixels, good = images.read(looked_at)
    looked_at, pixels = looked_at[good], pixels[good]
    if not len(looked_at):
        return
    chances, labels = predictor.probabilities(pixels), images.labels[looked_at]
    predicted = chances.argmax(1)
    wrong = np.flatnonzero(predicted != labels)
    wrong = wrong[np.argsort(-chances[wrong, predicted[wrong]], kind="stable")][:MISTAKES]
    right = np.flatnonzero(predicted == labels)
    others = right[np.linspace(0, len(right) - 1, min(SAMPLES - len(wrong), len(right))).astype(np.int64)]
    chosen = [*wrong, *others]
    captions = [f"{names[predicted[i]][: CAPTION - 5]} {chances[i, predicted[i]]:.0%}" for i in chosen]
    for place, i in enumerate(wrong):
        captions[place] += f"\nis {names[labels[i]][:CAPTION]}"
    verdicts = [i not in wrong for i in chosen]
    pictures.predictions(path, list(pixels[chosen]), captions, verdicts, title=title)
