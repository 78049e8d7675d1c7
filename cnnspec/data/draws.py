"""The random numbers of a batch: they depend on seed, step and place in the batch alone.

So a batch is the same however it is divided among hosts, and whenever it is made again after a resume. Every kind of
augmentation has streams of its own, numbered for good: a new kind must not move the others' numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Draws:
    """The random numbers of one step: drawn for the global batch, cut to the rows of this host."""

    seed: int
    step: int
    batch: int
    rows: slice

    def uniform(self, stream: int, low: float, high: float, columns: int = 1) -> NDArray[np.float64]:
        """`[rows, columns]` numbers in [low, high) of one stream."""
        return self._generator(stream).uniform(low, high, (self.batch, columns))[self.rows]

    def normal(self, stream: int, deviation: float, columns: int = 1) -> NDArray[np.float64]:
        """`[rows, columns]` numbers of mean 0 and the given standard deviation."""
        return self._generator(stream).normal(0.0, deviation, (self.batch, columns))[self.rows]

    def _generator(self, stream: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64([self.seed, self.step, stream]))
