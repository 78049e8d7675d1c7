"""Crops of scikit-learn's two photographs, written in CIFAR-100's own binary format and read back from it.

The labels mean nothing: a network that learns them all by heart shows that loader, loop and gradients are right.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cnnspec.data.base import ArrayDataset, Images
from cnnspec.data.cifar import SIDE, open_cifar, write_records
from cnnspec.data.config import DatasetConfig
from cnnspec.data.frame import Frame
from cnnspec.data.places import cache_folder

COUNT = 256
_WINDOW = 96


def photograph_crops(count: int = COUNT, seed: int = 0) -> Images:
    """`count` crops `[count, 32, 32, 3]`: windows of 96 x 96 pixels at random places, shrunk to a third."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    photographs = load_sample_images().images
    random = np.random.default_rng(seed)
    crops = []
    for index in range(count):
        photograph = photographs[index % len(photographs)]
        top = random.integers(photograph.shape[0] - _WINDOW)
        left = random.integers(photograph.shape[1] - _WINDOW)
        window = photograph[top : top + _WINDOW, left : left + _WINDOW]
        crops.append(np.asarray(Image.fromarray(window).resize((SIDE, SIDE), Image.Resampling.BOX)))
    return np.stack(crops)


def write_photographs(folder: Path, count: int = COUNT) -> None:
    """Write `train.bin` and `test.bin` (the same crops) of CIFAR-100's format into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    index = np.arange(count)
    labels = np.stack([index % 20, index % 100], axis=1).astype(np.int32)
    crops = photograph_crops(count)
    for name in ("train.bin", "test.bin"):
        write_records(folder / name, labels, crops)


def open_photographs(config: DatasetConfig, split: str, frame: Frame) -> ArrayDataset:
    """The crops, with 100 labels dealt out in turn; they are written first where they are not there."""
    folder = Path(config.path).expanduser() if config.path else cache_folder("photographs")
    if not (folder / "test.bin").is_file():
        write_photographs(folder)
    dataset = open_cifar(config.model_copy(update={"name": "cifar100"}), split, frame, folder)
    dataset.name = "photographs"
    return dataset
