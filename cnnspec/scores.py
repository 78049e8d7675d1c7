"""What outputs say of classes: which of them has scores, and the most probable classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def class_output(outputs: Mapping[str, Any]) -> str | None:
    """The first output that holds a score for each class of each image; `None` where there is none."""
    names = ("logits", "lengths", "distances", "output", "probabilities")
    return next((name for name, values in outputs.items() if name in names and np.ndim(values) == 2), None)


def top_classes(outputs: Mapping[str, Any], most: int) -> list[list[tuple[int, float]]]:
    """For each image the most probable classes and their probabilities, from the first output.

    Logits go through a softmax; lengths of capsules are probabilities already; of distances the smallest is the best.
    """
    name = class_output(outputs)
    if name is None:
        raise ValueError("no output is the scores of classes")
    values = outputs[name]
    scores = np.asarray(values, np.float64)
    if name == "distances":
        scores = -scores
    if name in ("logits", "output", "distances"):
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
    order = np.argsort(-scores, axis=-1, kind="stable")[:, :most]
    return [[(int(c), float(row[c])) for c in best] for best, row in zip(order, scores, strict=True)]
