"""An evaluation counts every image once, whatever the batch, and its measures are those of scikit-learn."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, log_loss, top_k_accuracy_score

from cnnspec.data.base import ArrayDataset
from cnnspec.data.config import Loading
from cnnspec.data.frame import Frame
from cnnspec.document import Preprocess
from cnnspec.training.devices import devices_for
from cnnspec.training.evaluation import BINS, Evaluation, Evaluator
from cnnspec.training.recipe import Loss
from cnnspec.training.task import Task

CLASSES = 8
TASK = Task("input", None, "logits", "logits", (2, 4, 1), CLASSES, Loss(), Preprocess())


class Network:
    """The pixels themselves, tenfold, are the logits."""

    factor = 10.0
    compiler_options: ClassVar[dict[str, str]] = {}

    def prepare(self, params, state):
        return {}

    def inference_function(self, prepared, inputs):
        x = inputs["input"]
        return {"logits": self.factor * x.reshape(len(x), CLASSES)}


def evaluate(count: int, batch: int, *, labels: np.ndarray | None = None) -> tuple[Evaluation, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, 2, 4, 1)).astype(np.uint8)
    labels = random.integers(0, CLASSES, count) if labels is None else labels
    dataset = ArrayDataset("test", [str(i) for i in range(CLASSES)], images, labels, Frame(2, 4, 1))
    found = Evaluator(Network(), TASK, dataset, devices_for(None, batch), batch, Loading())({}, {})
    logits = 10 * images.reshape(count, CLASSES).astype(float) / 255
    return found, np.exp(logits) / np.exp(logits).sum(1, keepdims=True), labels


@pytest.mark.parametrize(("count", "batch"), [(1, 16), (33, 16), (32, 16), (37, 10)])
def test_every_image_counts_once(count, batch):
    found, chances, labels = evaluate(count, batch)
    classes = range(CLASSES)
    assert found.images == found.confusion.sum() == count
    assert found.top1 == pytest.approx((chances.argmax(1) == labels).mean(), abs=1e-6)
    assert found.loss == pytest.approx(log_loss(labels, chances, labels=classes), rel=1e-4)
    assert found.top5 == pytest.approx(top_k_accuracy_score(labels, chances, k=5, labels=classes), abs=1e-6)
    assert (found.confusion == confusion_matrix(labels, chances.argmax(1), labels=classes)).all()


def test_the_calibration_error_is_the_gap_of_confidence_and_accuracy_over_bins():
    found, chances, labels = evaluate(200, 64)
    confidence, right = chances.max(1), chances.argmax(1) == labels
    bins = np.clip((confidence * BINS).astype(int), 0, BINS - 1)
    expected = sum(abs(right[bins == b].sum() - confidence[bins == b].sum()) for b in range(BINS)) / 200
    assert found.calibration_error == pytest.approx(expected, rel=1e-4)
    assert found.bins[:, 0].tolist() == np.bincount(bins, minlength=BINS).tolist()
    assert found.bins[:, 1].tolist() == np.bincount(bins, right, minlength=BINS).tolist()


def test_images_that_cannot_be_read_count_nowhere_and_are_named():
    class Lossy(ArrayDataset):
        def read(self, indices, parts=None):
            images, _ = super().read(indices, parts)
            return images, ~np.isin(indices, (2, 9))

    images = np.random.default_rng(0).integers(0, 256, (11, 2, 4, 1)).astype(np.uint8)
    dataset = Lossy("test", [str(i) for i in range(CLASSES)], images, np.zeros(11), Frame(2, 4, 1))
    found = Evaluator(Network(), TASK, dataset, devices_for(None, 4), 4, Loading())({}, {})
    assert (found.unreadable, found.images, found.confusion.sum()) == ((2, 9), 9, 9)


def test_a_class_without_images_has_no_accuracy():
    found, _, _ = evaluate(10, 4, labels=np.zeros(10, np.int32))
    assert np.isfinite(found.per_class).tolist() == [True] + [False] * (CLASSES - 1)


@pytest.mark.parametrize("label", [0, 3])
def test_a_network_that_gives_nothing_finite_is_never_right(label):
    images = np.zeros((9, 2, 4, 1), np.uint8)
    dataset = ArrayDataset("test", list("abcdefgh"), images, np.full(9, label), Frame(2, 4, 1))

    class Broken(Network):
        factor = float("nan")

    found = Evaluator(Broken(), TASK, dataset, devices_for(None, 4), 4, Loading())({}, {})
    assert (found.top1, found.top5) == (0, 0)
