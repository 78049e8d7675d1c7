"""What a finished training leaves behind: weights, results, pictures."""

from __future__ import annotations

from collections.abc import Mapping
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

#: Images on the sheet of sample predictions.
SAMPLES = 40


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
    pictures.curves(folder / "curves.png", read_events(folder))
    pictures.confusion(folder / "confusion.png", evaluation.confusion, names)
    chosen = np.linspace(0, len(test_set) - 1, min(SAMPLES, len(test_set))).astype(np.int64)
    images, good = test_set.read(chosen)
    predictor = Predictor(network.compiled, network.task, params, state, names)
    found = predictor(images, 1)
    labels = test_set.labels[chosen]
    captions = [
        f"{f.names[0]} {f.probabilities[0]:.0%}" + ("" if f.classes[0] == label else f" ({names[label]})")
        for f, label in zip(found, labels, strict=True)
    ]
    right = [bool(f.classes[0] == label) if ok else None for f, label, ok in zip(found, labels, good, strict=True)]
    pictures.predictions(folder / "predictions.png", list(images), captions, right)
    capsule_pictures(folder, network, params, state, test_set)
