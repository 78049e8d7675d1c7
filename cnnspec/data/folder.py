"""A folder of pictures, one folder a class: `train/CLASS/*.jpg` and `val/CLASS/*.jpg`, or `CLASS/*.jpg` to be split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnspec.data.base import Boxes, Dataset, Images, Labels
from cnnspec.data.config import DatasetConfig
from cnnspec.data.frame import Frame
from cnnspec.data.splitting import held_out_mask
from cnnspec.diagnostics import Problem, listing

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
_SPLITS = {"train": ("train", "training"), "test": ("val", "validation", "test", "valid")}


class FolderDataset(Dataset):
    """Pictures in files; each is decoded when it is asked for."""

    def __init__(
        self, name: str, classes: Sequence[str], paths: Sequence[Path], labels: Labels, frame: Frame, corrupt: str
    ) -> None:
        super().__init__(name, classes, labels, None, frame)
        self.paths = list(paths)
        self.policy = corrupt
        #: Pictures that could not be read so far, with the reason.
        self.corrupt: dict[str, str] = {}

    def describe(self, index: int) -> str:
        return str(self.paths[index])

    def read(self, indices: NDArray[np.int64], boxes: Boxes | None = None) -> tuple[Images, NDArray[np.bool_]]:
        frame = self.frame
        images = np.zeros((len(indices), frame.height, frame.width, frame.channels), np.uint8)
        good = np.ones(len(indices), bool)
        for row, index in enumerate(indices):
            try:
                with Image.open(self.paths[index]) as picture:
                    # JPEG can be decoded at half, a quarter or an eighth, which is much faster for large pictures.
                    picture.draft(None, (2 * frame.width, 2 * frame.height) if boxes is None else None)
                    images[row] = frame.place(picture) if boxes is None else frame.part(picture, boxes[row])
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
                if self.policy == "fail":
                    raise Problem(
                        "E855", f"{self.paths[index]} cannot be read: {error}",
                        "repair or remove the file, or leave such files out with `corrupt: skip`", field="corrupt",
                    ) from error  # fmt: skip
                self.corrupt[str(self.paths[index])] = str(error)
                good[row] = False
        return images, good


def open_folder(config: DatasetConfig, split: str, frame: Frame, folder: Path) -> FolderDataset:
    """The pictures of one split; the classes are the names of the folders, in alphabetical order.

    **Errors**: E850 (no class folders), E854 (a class without a picture).
    """
    own = next((folder / name for name in _SPLITS[split] if (folder / name).is_dir()), None)
    divided = any((folder / name).is_dir() for names in _SPLITS.values() for name in names)
    if divided and own is None:
        raise Problem(
            "E850", f"{folder} has no folder {listing(_SPLITS[split])}", "make one, with a folder a class", field="path"
        )
    root = own or folder
    classes = _class_folders(root)
    if divided:
        _same_classes(folder, split, classes, root)
    paths: list[Path] = []
    labels: list[int] = []
    empty = []
    for label, name in enumerate(classes):
        found = sorted(p for p in (root / name).rglob("*") if p.suffix.lower() in SUFFIXES)
        paths += found
        labels += [label] * len(found)
        if not found:
            empty.append(name)
    if empty:
        raise Problem("E854", f"{len(empty)} of {len(classes)} classes in {root} have no picture: {listing(empty)}",
                      f"a picture ends in {', '.join(SUFFIXES)}; remove the empty folders or fill them", field="path")  # fmt: skip
    array = np.asarray(labels, np.int32)
    if not divided:
        mask = held_out_mask(array, config.held_out)
        chosen = np.flatnonzero(mask if split == "test" else ~mask)
        paths, array = [paths[i] for i in chosen], array[chosen]
    return FolderDataset(folder.name, classes, paths, array, frame, config.corrupt)


def _class_folders(root: Path) -> list[str]:
    classes = sorted(p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not classes:
        raise Problem(
            "E850",
            f"{root} has no folders; there should be one a class",
            "put the pictures of a class into a folder of its name",
            field="path",
        )
    return classes


def _same_classes(folder: Path, split: str, classes: list[str], root: Path) -> None:
    other = "train" if split == "test" else "test"
    place = next((folder / name for name in _SPLITS[other] if (folder / name).is_dir()), None)
    if place is None:
        return
    different = sorted(set(classes) ^ set(_class_folders(place)))
    if different:
        raise Problem("E854", f"{root.name} and {place.name} have different classes: {listing(different)} is in one of them only",
                      "every class needs a folder in both", field="path")  # fmt: skip
