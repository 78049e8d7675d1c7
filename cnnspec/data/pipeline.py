"""Batches, made ahead beside the step by `grain`, with a position that can be saved and restored exactly.

A batch is a function of (seed, step) alone. The stream of a training is epoch after epoch, each a permutation of
all images, cut into batches without regard to where an epoch ends: every image is seen once an epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from cnnspec.data.augment import augment
from cnnspec.data.base import Dataset
from cnnspec.data.config import Augmentation, Loading
from cnnspec.data.draws import Draws
from cnnspec.data.parts import parts_of

Batch = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Share:
    """Which rows of every global batch this host makes."""

    index: int = 0
    count: int = 1

    def rows(self, batch: int) -> slice:
        """The rows of a batch that `count` divides."""
        each = batch // self.count
        return slice(self.index * each, (self.index + 1) * each)


class TrainingBatches:
    """Random access to the batches of a training: `{"image": [n, h, w, c] uint8, "label": [n] int32}`.

    A picture that cannot be read gives its place to another of the batch; `"unreadable"` then holds the indices of such.
    """

    def __init__(
        self, dataset: Dataset, *, batch: int, steps: int, seed: int, augmentation: Augmentation, share: Share = Share()
    ) -> None:
        self.dataset, self.batch, self.steps, self.seed = dataset, batch, steps, seed
        self.augmentation, self.share = augmentation, share
        self._order = lru_cache(maxsize=4)(self._permutation)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: SupportsIndex) -> Batch:
        step = int(step)
        if not 0 <= step < self.steps:  # ends a `for` loop over the batches
            raise IndexError(step)
        rows = self.share.rows(self.batch)
        draws = Draws(self.seed, step, self.batch, rows)
        indices = self._indices(step)[rows]
        images, good = self.dataset.read(indices, parts_of(self.augmentation, self.dataset.frame.shape, draws))
        lost = indices[~good]
        for row in np.flatnonzero(~good):
            stand_in = self._stand_in(indices, good, int(row))
            images[row], indices[row] = images[stand_in], indices[stand_in]
        batch: Batch = {"image": augment(images, self.augmentation, draws), "label": self.dataset.labels[indices]}
        return batch | {"unreadable": lost} if len(lost) else batch

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_order"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._order = lru_cache(maxsize=4)(self._permutation)

    def _indices(self, step: int) -> NDArray[np.int64]:
        first, count = step * self.batch, len(self.dataset)
        epochs = range(first // count, (first + self.batch - 1) // count + 1)
        stream = np.concatenate([self._order(epoch) for epoch in epochs])
        start = first - epochs[0] * count
        return stream[start : start + self.batch]

    def _permutation(self, epoch: int) -> NDArray[np.int64]:
        return np.random.Generator(np.random.PCG64([self.seed, epoch, 77])).permutation(len(self.dataset))

    def _stand_in(self, indices: NDArray[np.int64], good: NDArray[np.bool_], row: int) -> int:
        from cnnspec.diagnostics import Problem

        readable = np.flatnonzero(good)
        if not len(readable):
            raise Problem("E855", f"none of the {len(indices)} pictures of a batch can be read, among them {self.dataset.describe(int(indices[row]))}",
                          "are these pictures?", field="dataset.name")  # fmt: skip
        return int(readable[row % len(readable)])


class EvaluationBatches:
    """Every image once, in order; the last batch is filled up, and `mask [n]` is false for what does not count.

    What cannot be read does not count either; `"unreadable"` holds its indices.
    """

    def __init__(self, dataset: Dataset, *, batch: int, share: Share = Share()) -> None:
        self.dataset, self.batch, self.share = dataset, batch, share

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch)

    def __getitem__(self, step: SupportsIndex) -> Batch:
        if not 0 <= int(step) < len(self):
            raise IndexError(int(step))
        count = len(self.dataset)
        places = (int(step) * self.batch + np.arange(self.batch))[self.share.rows(self.batch)]
        indices = np.minimum(places, count - 1)
        images, good = self.dataset.read(indices)
        batch: Batch = {"image": images, "label": self.dataset.labels[indices], "mask": (places < count) & good}
        return batch if good.all() else batch | {"unreadable": indices[~good]}


def iterate(source: TrainingBatches | EvaluationBatches, loading: Loading) -> Any:
    """A grain iterator over the batches, made ahead; it has `get_state()`, `set_state(...)` and `close()`."""
    import grain

    threads = loading.threads or source.dataset.threads
    options = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=loading.prefetch)
    batches = grain.MapDataset.source(source).to_iter_dataset(options)
    if loading.processes:
        from absl import flags

        if not flags.FLAGS.is_parsed():  # grain's workers read flags that only an absl program would have parsed
            flags.FLAGS.mark_as_parsed()
        batches = batches.mp_prefetch(grain.MultiprocessingOptions(num_workers=loading.processes))
    return iter(batches)
