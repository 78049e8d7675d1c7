"""Pictures in folders: splits, classes, and files that cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnspec.data.config import Augmentation, DatasetConfig, Loading, ResizedCrop
from cnnspec.data.folder import FolderDataset
from cnnspec.data.frame import Frame
from cnnspec.data.opening import open_split
from cnnspec.data.pipeline import EvaluationBatches, TrainingBatches, iterate
from cnnspec.diagnostics import Problem

SHAPE = (16, 16, 3)


def make(folder: Path, classes: dict[str, int], suffix: str = ".png") -> None:
    for label, (name, count) in enumerate(classes.items()):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            Image.new("RGB", (40, 30), (50 * label, 10 * i, 99)).save(folder / name / f"{i}{suffix}")


def test_own_splits_and_an_even_split_of_one_folder(tmp_path):
    make(tmp_path / "a" / "train", {"cat": 3, "dog": 4}, ".jpg")
    make(tmp_path / "a" / "val", {"cat": 1, "dog": 2})
    config = DatasetConfig(name="folder", path=str(tmp_path / "a"))
    train, held = (open_split(config, split, SHAPE, 2) for split in ("train", "test"))
    assert (train.classes, len(train), len(held)) == (("cat", "dog"), 7, 3)
    assert abs(int(train.read(np.array([6]))[0][0, 0, 0, 0]) - 50) <= 3
    make(tmp_path / "b", {"x": 10, "y": 5})
    config = DatasetConfig(name="folder", path=str(tmp_path / "b"))
    train, held = (open_split(config, split, SHAPE, 2) for split in ("train", "test"))
    assert np.bincount(train.labels).tolist() == [8, 4]
    assert np.bincount(held.labels).tolist() == [2, 1]
    assert not set(train.paths) & set(held.paths)  # type: ignore[attr-defined]


def test_empty_and_different_classes_are_told(tmp_path):
    make(tmp_path / "a", {"cat": 2, "dog": 0})
    with pytest.raises(Problem, match="`dog`") as caught:
        open_split(DatasetConfig(name="folder", path=str(tmp_path / "a")), "train", SHAPE, 2)
    assert caught.value.code == "E854"
    make(tmp_path / "b" / "train", {"cat": 2, "dog": 1})
    make(tmp_path / "b" / "val", {"cat": 2, "dgo": 1})
    with pytest.raises(Problem, match="`dgo`, `dog`"):
        open_split(DatasetConfig(name="folder", path=str(tmp_path / "b")), "train", SHAPE, 2)
    (tmp_path / "c").mkdir()
    with pytest.raises(Problem, match="no folders"):
        open_split(DatasetConfig(name="folder", path=str(tmp_path / "c")), "train", SHAPE, 2)


def test_a_corrupt_picture_stops_or_is_left_out_and_named(tmp_path):
    make(tmp_path, {"cat": 6, "dog": 6})
    broken = tmp_path / "cat" / "0.png"
    broken.write_bytes(broken.read_bytes()[:40])
    config = DatasetConfig(name="folder", path=str(tmp_path), held_out=0.0)
    source = TrainingBatches(
        open_split(config, "train", SHAPE, 2), batch=12, steps=1, seed=0, augmentation=Augmentation()
    )
    with pytest.raises(Problem, match="0.png cannot be read") as caught:
        next(iterate(source, Loading()))
    assert caught.value.code == "E855"
    dataset = open_split(config.model_copy(update={"corrupt": "skip"}), "train", SHAPE, 2)
    assert isinstance(dataset, FolderDataset)
    batch = TrainingBatches(dataset, batch=12, steps=1, seed=0, augmentation=Augmentation())[0]
    assert batch["image"].reshape(12, -1).max(1).min() > 0  # no black picture in its place
    assert list(dataset.corrupt) == [str(broken)]
    evaluation = EvaluationBatches(dataset, batch=5)
    assert sum(int(evaluation[i]["mask"].sum()) for i in range(len(evaluation))) == 11


def test_a_folder_of_nothing_but_broken_pictures_stops(tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.jpg").write_bytes(b"no picture")
    config = DatasetConfig(name="folder", path=str(tmp_path), held_out=0.0, corrupt="skip")
    source = TrainingBatches(
        open_split(config, "train", SHAPE, 1), batch=2, steps=1, seed=0, augmentation=Augmentation()
    )
    with pytest.raises(Problem, match="none of the 2 pictures"):
        source[0]


def test_a_resized_crop_takes_a_part_of_the_picture(tmp_path):
    (tmp_path / "cat").mkdir()
    ramp = np.repeat(np.arange(200, dtype=np.uint8)[None, :, None], 100, axis=0).repeat(3, axis=2)
    Image.fromarray(ramp).save(tmp_path / "cat" / "ramp.png")
    config = DatasetConfig(name="folder", path=str(tmp_path), held_out=0.0)
    augmentation = Augmentation(resized_crop=ResizedCrop(area=(0.1, 0.3)))
    batch = TrainingBatches(
        open_split(config, "train", SHAPE, 1), batch=30, steps=1, seed=0, augmentation=augmentation
    )[0]
    spans = np.ptp(batch["image"].reshape(30, -1).astype(int), axis=1)
    assert spans.max() < 150
    assert spans.min() > 20
    assert batch["image"].min() < 30
    assert batch["image"].max() > 170


def test_pad_and_crop_keep_the_aspect_ratio():
    wide = Image.fromarray(np.full((10, 40), 200, np.uint8))
    padded = Frame(20, 20, 1, fit="pad").place(wide)[..., 0]
    assert (np.flatnonzero(padded.max(1)).size, np.flatnonzero(padded.max(0)).size) == (5, 20)
    cropped = Frame(20, 20, 1, fit="crop", size=24).place(wide)
    assert cropped.min() == 200
    assert Frame(20, 60, 3, fit="crop", size=20).place(wide).shape == (20, 60, 3)
