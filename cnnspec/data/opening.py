"""From what a recipe says to a dataset that has been checked against the network."""

from __future__ import annotations

import numpy as np

from cnnspec.data.base import ArrayDataset, Dataset
from cnnspec.data.config import DatasetConfig
from cnnspec.data.frame import Frame
from cnnspec.data.places import data_folder
from cnnspec.diagnostics import Problem, listing


def open_split(config: DatasetConfig, split: str, shape: tuple[int, ...], classes: int) -> Dataset:
    """The `train` or `test` images at the network's input `shape` (height, width, channels), for its `classes`.

    **Errors**: E850 (no files), E851 (not in their format), E852 (label out of range), E853 (channels), E854 (an
    empty class), E856 (not fetched), E857 (no images).
    """
    if len(shape) != 3 or shape[-1] not in (1, 3):
        found = "x".join(map(str, shape)) or "a scalar"
        raise Problem("E853", f"pictures have 1 or 3 channels, and the network's input is {found}",
                      "give the input 1 channel (grey) or 3 (red, green, blue)", field="name")  # fmt: skip
    dataset = _open(config, split, frame_of(config, shape))
    if config.limit is not None and len(dataset) > config.limit:
        dataset = _first(dataset, config.limit)
    _check(dataset, config, split, classes, shape[-1])
    return dataset


def frame_of(config: DatasetConfig, shape: tuple[int, ...]) -> Frame:
    """How images fill a network's input `shape` (height, width, channels)."""
    height, width, channels = shape
    fit = config.fit or ("crop" if config.name == "folder" else "stretch")
    return Frame(height, width, channels, fit=fit, size=config.size, interpolation=config.interpolation)


def _open(config: DatasetConfig, split: str, frame: Frame) -> Dataset:
    if config.name == "digits":
        from cnnspec.data.digits import open_digits

        return open_digits(config, split, frame)
    if config.name == "photographs":
        from cnnspec.data.photographs import open_photographs

        return open_photographs(config, split, frame)
    folder = data_folder(config)
    if config.name == "folder":
        from cnnspec.data.folder import open_folder

        return open_folder(config, split, frame, folder)
    if config.name in ("cifar10", "cifar100"):
        from cnnspec.data.cifar import open_cifar

        return open_cifar(config, split, frame, folder)
    from cnnspec.data.idx import open_idx

    return open_idx(config, split, frame, folder)


def _first(dataset: Dataset, limit: int) -> Dataset:
    from cnnspec.data.folder import FolderDataset

    if isinstance(dataset, FolderDataset):
        # The paths are ordered by class: take them in turn from all classes.
        rank = np.zeros(len(dataset), np.int64)
        for label in range(len(dataset.classes)):
            members = dataset.labels == label
            rank[members] = np.arange(members.sum())
        chosen = np.sort(np.lexsort((dataset.labels, rank))[:limit])
        paths = [dataset.paths[i] for i in chosen]
        return FolderDataset(
            dataset.name, dataset.classes, paths, dataset.labels[chosen], dataset.frame, dataset.policy
        )
    assert isinstance(dataset, ArrayDataset)
    return dataset.first(limit)


def _check(dataset: Dataset, config: DatasetConfig, split: str, classes: int, channels: int) -> None:
    if not len(dataset):
        raise Problem(
            "E857", f"the {split} split of {dataset.name} has no images", "check the path and `held_out`", field="name"
        )
    if dataset.channels == 3 and channels == 1 and not config.grey:
        raise Problem("E853", f"the images of {dataset.name} have 3 channels, and the network's input has 1",
                      "turn them grey with `grey: true`, or give the network 3 channels", field="name")  # fmt: skip
    worst = int(dataset.labels.max())
    if worst >= classes or len(dataset.classes) > classes:
        index = int(dataset.labels.argmax())
        named = dataset.classes[worst] if worst < len(dataset.classes) else str(worst)
        raise Problem("E852", f"{dataset.name} has {max(len(dataset.classes), worst + 1)} classes and the network {classes} outputs: "
                      f"{dataset.describe(index)} has label {worst} (`{named}`)",
                      f"give the network as many outputs (`--set classes={len(dataset.classes)}`)", field="name")  # fmt: skip
    if split == "train" and config.limit is None and config.name not in ("photographs", "folder"):
        present = np.bincount(dataset.labels, minlength=len(dataset.classes))
        empty = [dataset.classes[i] for i in np.flatnonzero(present == 0)]
        if empty:
            raise Problem("E854", f"{len(empty)} of {len(dataset.classes)} classes of {dataset.name} have no image: {listing(empty)}",
                          "a class without images cannot be learned; is the file whole?", field="name")  # fmt: skip
