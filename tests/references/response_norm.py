"""Local response normalisation (Krizhevsky et al. 2012, section 3.3)."""

from __future__ import annotations

import numpy as np

from tests.references.arrays import Array


def response_norm(a: Array, k: float, n: int, alpha: float, beta: float) -> Array:
    """b_i = a_i / (k + alpha sum_j a_j^2)^beta, j from max(0, i - n/2) to min(N - 1, i + n/2), on the last axis."""
    count = a.shape[-1]
    b = np.empty_like(a)
    for i in range(count):
        near = [a[..., j] ** 2 for j in range(max(0, i - n // 2), min(count - 1, i + n // 2) + 1)]
        b[..., i] = a[..., i] / (k + alpha * np.sum(near, axis=0)) ** beta
    return b
