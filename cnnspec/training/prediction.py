"""Prediction: images in, the most probable classes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from cnnspec.training.evaluation import Inference
from cnnspec.training.losses import probabilities
from cnnspec.training.task import Task

#: Images that are run at once.
BATCH = 32


@dataclass(frozen=True)
class Prediction:
    """The most probable classes of one image, the first the most probable."""

    classes: tuple[int, ...]
    names: tuple[str, ...]
    probabilities: tuple[float, ...]


class Predictor:
    """A trained network as a function from images to predictions."""

    def __init__(
        self,
        inference: Inference,
        task: Task,
        params: Mapping[str, Any],
        state: Mapping[str, Any],
        names: Sequence[str],
    ) -> None:
        self.inference, self.task, self.names = inference, task, tuple(names)
        self._prepared = inference.prepare(params, state)
        self._run = jax.jit(self._probabilities, compiler_options=inference.compiler_options)

    def __call__(self, images: NDArray[np.uint8], top: int = 5) -> list[Prediction]:
        """Predictions for images `[n, height, width, channels]` of 0 to 255 at the network's size."""
        return [self._prediction(row, top) for row in self.probabilities(images)]

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The probability of every class for each image, `[n, classes]`."""
        rows: list[NDArray[np.float32]] = []
        for first in range(0, len(images), BATCH):
            part = images[first : first + BATCH]
            filled = np.concatenate(
                [part, np.repeat(part[-1:], BATCH - len(part), axis=0)]
            )  # one shape, one compilation
            rows += list(np.asarray(self._run(self._prepared, filled))[: len(part)])
        return np.stack(rows) if rows else np.zeros((0, self.task.classes), np.float32)

    def _probabilities(self, prepared: Any, pixels: Any) -> Any:
        task = self.task
        outputs = self.inference.inference_function(prepared, task.inputs(pixels))
        return probabilities(task.kind, outputs[task.output])

    def _prediction(self, row: NDArray[np.float32], top: int) -> Prediction:
        order = np.argsort(-row, kind="stable")[:top]
        return Prediction(
            tuple(map(int, order)), tuple(self.names[i] for i in order), tuple(float(row[i]) for i in order)
        )
