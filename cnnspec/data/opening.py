"""From what a recipe says to a dataset that has been checked against the network."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnspec.data.base import ArrayDataset, Dataset
from cnnspec.data.config import DatasetConfig
from cnnspec.data.frame import Frame
from cnnspec.data.places import data_folder
from cnnspec.diagnostics import Problem, listing
from cnnspec.document import Preprocess


def open_split(
    config: DatasetConfig, split: str, shape: tuple[int, ...], classes: int, steps: Preprocess | None = None
) -> Dataset:
    """The `train` or `test` images at the network's input `shape` (height, width, channels), for its `classes`.

    `steps` say how an image fills the input; by default `steps_of` does.
    **Errors**: E850 (no files), E851 (not in their format), E852 (label out of range), E853 (channels), E854 (an
    empty class), E856 (not fetched), E857 (no images), E862 (a crop larger than the image).
    """
    if len(shape) != 3 or shape[-1] not in (1, 3):
        found = "x".join(map(str, shape)) or "a scalar"
        raise Problem("E853", f"pictures have 1 or 3 channels, and the network's input is {found}",
                      "give the input 1 channel (grey) or 3 (red, green, blue)", field="dataset.name")  # fmt: skip
    height, width, channels = shape
    dataset = _open(config, split, Frame(height, width, channels, steps or steps_of(config, shape)))
    if config.limit is not None and len(dataset) > config.limit:
        dataset = _first(dataset, config.limit)
    _check(dataset, config, split, classes, shape[-1])
    return dataset


def steps_of(config: DatasetConfig, shape: tuple[int, ...], given: Preprocess | None = None) -> Preprocess:
    """How the images of a dataset fill an input of `shape`; what the recipe leaves open, the spec's own steps say.

    **Errors**: E862 where a crop would be larger than the image it is taken from.
    """
    height, width = shape[:2]
    given = given or Preprocess()
    fit = config.fit or ("crop" if config.name == "folder" else "stretch")
    geometry: dict[str, Any] = {"stretch": None, "resize": None, "pad": None, "crop": None}
    if fit == "crop":
        margin = given.resize / min(given.crop) if given.resize and given.crop else 8 / 7
        geometry |= {"resize": config.size or round(max(height, width) * max(margin, 1)), "crop": (height, width)}
        if geometry["resize"] < max(height, width):
            raise Problem("E862", f"a crop of {height}x{width} pixels is larger than images of {config.size}",
                          f"give a `size` of at least {max(height, width)}", field="dataset.size")  # fmt: skip
    elif fit == "pad":
        geometry["pad"] = config.size or min(height, width)
    else:
        geometry["stretch"] = (height, width)
    return given.model_copy(update={**geometry, "interpolation": config.interpolation or given.interpolation})


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
            dataset.name,
            dataset.classes,
            paths,
            dataset.labels[chosen],
            dataset.frame,
            dataset.policy,
            dataset.channels,
        )
    assert isinstance(dataset, ArrayDataset)
    return dataset.first(limit)


def _check(dataset: Dataset, config: DatasetConfig, split: str, classes: int, channels: int) -> None:
    if not len(dataset):
        raise Problem(
            "E857",
            f"the {split} split of {dataset.name} has no images",
            "check the path and `held_out`",
            field="dataset.name",
        )
    if dataset.channels == 3 and channels == 1 and not config.grey:
        raise Problem("E853", f"the images of {dataset.name} have 3 channels (colour), and the network's input has 1",
                      "turn them grey with `dataset.grey: true`, or give the network 3 channels (`--set input.channels=3`)", field="dataset.name")  # fmt: skip
    worst = int(dataset.labels.max())
    if worst >= classes or len(dataset.classes) > classes:
        index = int(dataset.labels.argmax())
        named = dataset.classes[worst] if worst < len(dataset.classes) else str(worst)
        raise Problem("E852", f"{dataset.name} has {max(len(dataset.classes), worst + 1)} classes and the network {classes} outputs: "
                      f"{dataset.describe(index)} has label {worst} (`{named}`)",
                      f"give the network as many outputs (`--set classes={len(dataset.classes)}`)", field="dataset.name")  # fmt: skip
    if split == "train" and config.limit is None and config.name not in ("photographs", "folder"):
        present = np.bincount(dataset.labels, minlength=len(dataset.classes))
        empty = [dataset.classes[i] for i in np.flatnonzero(present == 0)]
        if empty:
            raise Problem("E854", f"{len(empty)} of {len(dataset.classes)} classes of {dataset.name} have no image: {listing(empty)}",
                          "a class without images cannot be learned; is the file whole?", field="dataset.name")  # fmt: skip
