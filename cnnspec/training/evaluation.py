"""Evaluation: every image once, on any number of devices; accuracy, confusion and calibration."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from cnnspec.data.base import Dataset
from cnnspec.data.config import Loading
from cnnspec.data.pipeline import EvaluationBatches, iterate
from cnnspec.lower.xla import Options
from cnnspec.training.devices import Devices
from cnnspec.training.losses import probabilities, scores, total_loss
from cnnspec.training.task import Task

#: Bins of confidence, as in the tables of Guo and others 2017.
BINS = 15
#: Classes up to which every evaluation records its confusion matrix.
CONFUSION_CLASSES = 100


class Inference(Protocol):
    """What an evaluation needs of a compiled network."""

    def prepare(self, params: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]: ...
    def inference_function(self, prepared: Mapping[str, Any], inputs: Any) -> dict[str, Any]: ...
    @property
    def compiler_options(self) -> Options: ...


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    `confusion [true, predicted]` counts images. Of each of the bins of confidence, which are equally wide, `bins [BINS,
    3]` holds the images, how many of them were right, and the sum of their confidences.
    """

    images: int
    loss: float
    top1: float
    top5: float
    confusion: NDArray[np.int64]
    bins: NDArray[np.float64]
    seconds: float
    #: Images that could not be read, by their index; they count nowhere.
    unreadable: tuple[int, ...] = ()

    @property
    def calibration_error(self) -> float:
        """The mean distance of confidence and accuracy over the bins, weighted by their images.

        **Source**: Guo, Pleiss, Sun and Weinberger 2017, equation 3, arXiv:1706.04599.
        """
        return float(np.abs(self.bins[:, 1] - self.bins[:, 2]).sum()) / max(self.images, 1)

    @property
    def per_class(self) -> NDArray[np.float64]:
        """Accuracy of each class, `nan` for one without images."""
        totals = self.confusion.sum(1)
        return np.where(totals > 0, np.diag(self.confusion) / np.maximum(totals, 1), np.nan)

    def summary(self) -> dict[str, float]:
        """The numbers, with stable names."""
        return {
            "images": self.images,
            "loss": self.loss,
            "top1": self.top1,
            "top5": self.top5,
            "calibration_error": self.calibration_error,
            "images_per_second": self.images / max(self.seconds, 1e-9),
        }

    def details(self) -> dict[str, Any]:
        """The accuracy of every class (`None` without images) and, up to 100 classes, the confusion matrix."""
        accuracies = [float(share) if np.isfinite(share) else None for share in self.per_class]
        small = len(accuracies) <= CONFUSION_CLASSES
        return {"per_class": accuracies, **({"confusion": self.confusion.tolist()} if small else {})}


class Evaluator:
    """An evaluation compiled once for a network and a dataset, run as often as asked."""

    def __init__(
        self, compiled: Inference, task: Task, dataset: Dataset, devices: Devices, batch: int, loading: Loading
    ) -> None:
        self.task, self.dataset, self.devices = task, dataset, devices
        # Processes would be started anew for every evaluation; decoding runs beside Python in threads too.
        self.loading = loading.model_copy(update={"processes": 0})
        batch = -(-min(batch, max(len(dataset), 1)) // devices.count) * devices.count
        self.source = EvaluationBatches(dataset, batch=batch, share=devices.share)
        self._inference = compiled
        adding = _adding(compiled.inference_function, task)
        self._add = jax.jit(adding, donate_argnums=0, compiler_options=compiled.compiler_options)

    def __call__(self, params: Mapping[str, Array], state: Mapping[str, Array]) -> Evaluation:
        begun = time.perf_counter()
        sums = self.devices.place_state(_zeros(self.task.classes))
        with np.errstate(over="ignore", invalid="ignore"):  # what diverges is told by the loop, not by numpy
            prepared = self._prepared(params, state)
        unreadable: list[int] = []
        for batch in iterate(self.source, self.loading):
            unreadable.extend(batch.pop("unreadable", ()))
            sums = self._add(sums, prepared, self.devices.place_batch(batch))
        found: dict[str, Any] = jax.tree.map(np.asarray, sums)
        share = 1 / max(int(found["images"]), 1)
        return Evaluation(
            images=int(found["images"]),
            loss=float(found["loss"]) * share,
            top1=float(found["top1"]) * share,
            top5=float(found["top5"]) * share,
            confusion=found["confusion"].astype(np.int64),
            bins=found["bins"].astype(np.float64),
            seconds=time.perf_counter() - begun,
            unreadable=tuple(sorted(map(int, unreadable))),
        )

    def _prepared(self, params: Mapping[str, Array], state: Mapping[str, Array]) -> dict[str, Any]:
        if self.devices.count == 1:
            return self._inference.prepare(params, state)
        # Preparing is a host's own business: from its copy, then to all of its devices.
        own_params, own_state = jax.tree.map(np.asarray, (dict(params), dict(state)))
        placed: dict[str, Any] = self.devices.place_state(self._inference.prepare(own_params, own_state))
        return placed


def _zeros(classes: int) -> dict[str, Any]:
    return {
        "images": np.zeros((), np.int32),
        "loss": np.zeros((), np.float32),
        "top1": np.zeros((), np.int32),
        "top5": np.zeros((), np.int32),
        "confusion": np.zeros((classes, classes), np.int32),
        "bins": np.zeros((BINS, 3), np.float32),
    }


def _adding(infer: Callable[..., dict[str, Array]], task: Task) -> Callable[..., dict[str, Array]]:
    """`(sums, prepared, batch) -> sums`, counting only the images whose mask is set."""

    def add(sums: dict[str, Array], prepared: Any, batch: Mapping[str, Array]) -> dict[str, Array]:
        outputs = infer(prepared, task.inputs(batch["image"]))
        labels, mask = batch["label"], batch["mask"]
        targets = jax.nn.one_hot(labels, task.classes, dtype=jnp.float32)
        unit = batch["image"].astype(jnp.float32) / 255
        loss = total_loss(task.loss, task.kind, outputs, task.output, targets, unit)
        judged = scores(task.kind, outputs[task.output])
        predicted = judged.argmax(-1)
        own = jnp.take_along_axis(judged, labels[:, None], axis=-1)
        # Ties count against the network, so that one which gives all classes the same score is not called right.
        rank = (judged >= own).sum(-1)
        confidence = probabilities(task.kind, outputs[task.output]).max(-1)
        right = (predicted == labels) & jnp.isfinite(own[:, 0]) & mask
        bins = jnp.clip((confidence * BINS).astype(jnp.int32), 0, BINS - 1)
        weight = mask.astype(jnp.float32)
        return {
            "images": sums["images"] + mask.sum(dtype=jnp.int32),
            "loss": sums["loss"] + jnp.where(mask, loss, 0.0).sum(),
            "top1": sums["top1"] + right.sum(dtype=jnp.int32),
            "top5": sums["top5"] + ((rank >= 1) & (rank <= 5) & mask).sum(dtype=jnp.int32),
            "confusion": sums["confusion"].at[labels, predicted].add(mask.astype(jnp.int32)),
            "bins": sums["bins"].at[bins].add(jnp.stack([weight, right.astype(jnp.float32), confidence * weight], -1)),
        }

    return add
