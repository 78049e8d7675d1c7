"""A folder of pictures, one folder a class: `train/CLASS/*.jpg` and `val/CLASS/*.jpg`, or `CLASS/*.jpg` to be split."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnspec.data.base import Dataset, Images, Labels
from cnnspec.data.config import DatasetConfig
from cnnspec.data.frame import UNREADABLE, Frame
from cnnspec.data.parts import Part
from cnnspec.data.splitting import held_out_mask
from cnnspec.diagnostics import Problem, listing

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
_GREY = {"1", "L", "LA", "I;16", "I", "F"}
_SPLITS = {"train": ("train", "training"), "test": ("val", "validation", "test", "valid")}


class FolderDataset(Dataset):
    """Pictures in files; each is decoded when it is asked for."""

    threads: ClassVar[int] = 8

    def __init__(
        self, name: str, classes: Sequence[str], paths: Sequence[Path], labels: Labels, frame: Frame, corrupt: str,
        channels: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(name, classes, labels, channels, frame)
        self.paths = list(paths)
        self.policy = corrupt

    def describe(self, index: int) -> str:
        return str(self.paths[index])

    def unreadable(self, indices: Iterable[int]) -> dict[str, str]:
        found = {}
        for index in indices:
            try:
                self.frame.read(self.paths[index])
            except UNREADABLE as error:
                found[self.describe(index)] = str(error)
        return found

    def read(self, indices: NDArray[np.int64], parts: Sequence[Part] | None = None) -> tuple[Images, NDArray[np.bool_]]:
        images = np.zeros((len(indices), *self.frame.shape), np.uint8)
        good = np.ones(len(indices), bool)
        for row, index in enumerate(indices):
            try:
                images[row] = self.frame.read(self.paths[index], None if parts is None else parts[row])
            except UNREADABLE as error:
                if self.policy == "fail":
                    raise Problem(
                        "E855", f"{self.paths[index]} cannot be read: {error}",
                        "repair or remove the file, or leave such files out with `corrupt: skip` of the recipe's dataset "
                        "(`cnnspec train ... --with dataset.corrupt=skip`)", field="dataset.path",
                    ) from error  # fmt: skip
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
            "E850",
            f"{folder} has no folder {listing(_SPLITS[split])}",
            "make one, with a folder a class",
            field="dataset.path",
        )
    root = own or folder
    classes = _class_folders(root)
    if divided:
        _same_classes(folder, split, classes, root)
    paths: list[Path] = []
    labels: list[int] = []
    empty = []
    for label, name in enumerate(classes):
        found = sorted(p for p in (root / name).rglob("*") if is_picture(p))
        paths += found
        labels += [label] * len(found)
        if not found:
            empty.append(name)
    if empty:
        raise Problem("E854", f"{len(empty)} of {len(classes)} classes in {root} have no picture: {listing(empty)}",
                      f"a picture ends in {', '.join(SUFFIXES)}; remove the empty folders or fill them", field="dataset.path")  # fmt: skip
    array = np.asarray(labels, np.int32)
    if not divided:
        mask = held_out_mask(array, config.held_out)
        chosen = np.flatnonzero(mask if split == "test" else ~mask)
        paths, array = [paths[i] for i in chosen], array[chosen]
    return FolderDataset(folder.name, classes, paths, array, frame, config.corrupt, _channels(paths, array))


def is_picture(path: Path) -> bool:
    """Whether a file's name is that of a picture; a link that leads nowhere is one that cannot be read."""
    return path.suffix.lower() in SUFFIXES and not path.is_dir()


def _channels(paths: Sequence[Path], labels: Labels) -> int | None:
    """3 where the first picture of some class is in colour, 1 where all are grey; only their headers are read."""
    modes = set()
    for index in np.unique(labels, return_index=True)[1]:
        try:
            with Image.open(paths[index]) as picture:
                modes.add(picture.mode)
        except UNREADABLE:
            continue  # told when it is its turn
    return None if not modes else 1 if modes <= _GREY else 3


def _class_folders(root: Path) -> list[str]:
    classes = sorted(p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not classes:
        raise Problem(
            "E850",
            f"{root} has no folders; there should be one a class",
            "put the pictures of a class into a folder of its name",
            field="dataset.path",
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
                      "every class needs a folder in both", field="dataset.path")  # fmt: skip
