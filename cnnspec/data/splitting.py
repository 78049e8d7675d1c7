"""The fixed split of a set that has none of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Never changes, so that a held-out image stays held out in every version and for every seed of a training.
SPLIT_SEED = 1998


def held_out_mask(labels: NDArray[np.int32], share: float) -> NDArray[np.bool_]:
    """Which images are held out: of every class the same share, chosen by a fixed shuffle."""
    mask = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        order = np.random.Generator(np.random.PCG64([SPLIT_SEED, int(label)])).permutation(len(members))
        mask[members[order[: round(len(members) * share)]]] = True
    return mask
