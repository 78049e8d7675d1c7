"""Files in the IDX format of MNIST, plain or gzipped.

**Source**: LeCun, Cortes and Burges, The MNIST database, "FILE FORMATS": two zero bytes, a type byte (8: unsigned
byte), the number of dimensions, each dimension as a big-endian 32-bit integer, then the values, last index fastest.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnspec.data.base import ArrayDataset
from cnnspec.data.config import DatasetConfig
from cnnspec.data.frame import Frame
from cnnspec.data.places import first_file
from cnnspec.diagnostics import Problem

_UNSIGNED_BYTE = 8
#: A dimension above this is no image file, whatever its header says.
_LARGEST = 1 << 31

FASHION = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array of an IDX file of unsigned bytes. **Errors**: E851 (not in the format, or truncated)."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Problem("E851", f"{path.name} is not a whole gzip file: {error}", "fetch it again") from error
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != _UNSIGNED_BYTE or not 1 <= data[3] <= 4:
        raise Problem(
            "E851", f"{path.name} is not an IDX file of unsigned bytes", "its first bytes should be 0 0 8 1 or 0 0 8 3"
        )
    rank = data[3]
    header = 4 + 4 * rank
    if len(data) < header:
        raise Problem("E851", f"{path.name} ends within its header", "fetch it again")
    shape = struct.unpack(f">{rank}I", data[4:header])
    size = prod(shape)
    if size > _LARGEST or len(data) - header != size:
        raise Problem(
            "E851",
            f"{path.name} is truncated or has too much: its header promises {'x'.join(map(str, shape))} = {size} bytes, "
            f"and {len(data) - header} follow",
            "fetch it again",
        )
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


def open_idx(config: DatasetConfig, split: str, frame: Frame, folder: Path) -> ArrayDataset:
    """The training (`train-...`) or test (`t10k-...`) images of a folder."""
    prefix = "t10k" if split == "test" else "train"
    images = read_idx(first_file(folder, _names(f"{prefix}-images", 3), config))
    labels = read_idx(first_file(folder, _names(f"{prefix}-labels", 1), config))
    if images.ndim not in (3, 4) or labels.ndim != 1 or len(images) != len(labels):
        raise Problem(
            "E851", f"{prefix}: {len(images)} images of rank {images.ndim - 1} do not go with {len(labels)} labels of rank {labels.ndim - 1}",
            "images and labels should come from the same set",
        )  # fmt: skip
    count = int(labels.max()) + 1 if len(labels) else 0
    classes = FASHION if config.name == "fashion_mnist" else [str(c) for c in range(max(count, 10))]
    images = images[..., None] if images.ndim == 3 else images
    if images.shape[-1] not in (1, 3):
        raise Problem(
            "E853",
            f"the images of {folder} have {images.shape[-1]} channels; pictures have 1 or 3",
            field="dataset.path",
        )
    return ArrayDataset(config.name, classes, images, labels.astype(np.int32), frame)


def _names(stem: str, rank: int) -> list[str]:
    return [f"{stem}{dash}idx{rank}-ubyte{end}" for dash in ("-", ".") for end in ("", ".gz")]
