"""The handwritten digits that ship with scikit-learn: 1797 real ones, 8 x 8 pixels of 17 grey levels.

**Source**: Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from cnnspec.data.base import ArrayDataset, Images, Labels
from cnnspec.data.config import DatasetConfig
from cnnspec.data.frame import Frame
from cnnspec.data.splitting import held_out_mask


@cache
def load_digits() -> tuple[Images, Labels]:
    """All images `[1797, 8, 8, 1]`, the 17 levels spread over 0 to 255, and their labels."""
    from sklearn import datasets

    bunch = datasets.load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[..., None]
    return images, bunch.target.astype(np.int32)


def open_digits(config: DatasetConfig, split: str, frame: Frame) -> ArrayDataset:
    """The training or the held-out digits; the split is fixed, stratified, and the same for every seed."""
    images, labels = load_digits()
    mask = held_out_mask(labels, config.held_out)
    chosen = mask if split == "test" else ~mask
    return ArrayDataset("digits", [str(d) for d in range(10)], images[chosen], labels[chosen], frame)
