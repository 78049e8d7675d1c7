"""CIFAR-10 and CIFAR-100 in their binary format, read and written.

A record is one label byte (CIFAR-100: a coarse and a fine one) and 3072 bytes of 32 x 32 pixels, the red plane
first, then green, then blue, each row by row.

**Source**: Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images; "Binary version" of its page.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cnnspec.data.base import ArrayDataset, Images, Labels
from cnnspec.data.config import DatasetConfig
from cnnspec.data.frame import Frame
from cnnspec.data.places import first_file
from cnnspec.diagnostics import Problem
from cnnspec.files import written_whole

SIDE = 32
_PIXELS = 3 * SIDE * SIDE

FILES = {
    ("cifar10", "train"): [f"data_batch_{i}.bin" for i in range(1, 6)],
    ("cifar10", "test"): ["test_batch.bin"],
    ("cifar100", "train"): ["train.bin"],
    ("cifar100", "test"): ["test.bin"],
}
_NAMES = {"cifar10": "batches.meta.txt", "fine": "fine_label_names.txt", "coarse": "coarse_label_names.txt"}
_COUNTS = {"cifar10": 10, "fine": 100, "coarse": 20}


def read_records(path: Path, label_bytes: int) -> tuple[Labels, Images]:
    """Labels `[n, label_bytes]` and images `[n, 32, 32, 3]`. **Errors**: E851 (truncated)."""
    record = label_bytes + _PIXELS
    data = np.fromfile(path, np.uint8)
    if not len(data) or len(data) % record:
        raise Problem(
            "E851",
            f"{path.name} is truncated: {len(data)} bytes are not a whole number of records of {record} bytes",
            "fetch it again",
        )
    rows = data.reshape(-1, record)
    images = rows[:, label_bytes:].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return rows[:, :label_bytes].astype(np.int32), np.ascontiguousarray(images)


def write_records(path: Path, labels: Labels, images: Images) -> None:
    """Write labels `[n, label_bytes]` and images `[n, 32, 32, 3]` as records; the file appears whole or not at all."""
    planes = images.transpose(0, 3, 1, 2).reshape(len(images), _PIXELS)
    with written_whole(path) as beside:
        np.concatenate([labels.astype(np.uint8), planes], axis=1).tofile(beside)


def open_cifar(config: DatasetConfig, split: str, frame: Frame, folder: Path) -> ArrayDataset:
    """The training or test images of CIFAR-10, or of CIFAR-100 with its fine or coarse labels."""
    ten = config.name == "cifar10"
    kind = "cifar10" if ten else config.labels
    paths = [first_file(folder, [name], config) for name in FILES["cifar10" if ten else "cifar100", split]]
    parts = [read_records(path, 1 if ten else 2) for path in paths]
    column = 1 if kind == "fine" else 0
    labels = np.concatenate([labels[:, column] for labels, _ in parts])
    images = np.concatenate([images for _, images in parts])
    for path, (found, _) in zip(paths, parts, strict=True):
        worst = int(found[:, column].max())
        if worst >= _COUNTS[kind]:
            at = int(np.argmax(found[:, column] >= _COUNTS[kind]))
            raise Problem("E852", f"record {at} of {path.name} has the {kind} label {worst}; there are {_COUNTS[kind]}",
                          "is the file of this set, and whole?")  # fmt: skip
    return ArrayDataset(config.name, _class_names(paths[0].parent, kind), images, labels, frame)


def _class_names(folder: Path, kind: str) -> list[str]:
    path = folder / _NAMES[kind]
    found = path.read_text(encoding="utf-8").split() if path.is_file() else []
    return found if len(found) == _COUNTS[kind] else [str(c) for c in range(_COUNTS[kind])]
