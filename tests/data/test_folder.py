"""Pictures in folders: splits, classes, and files that cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnspec.data.config import Augmentation, DatasetConfig, Loading, ResizedCrop
from cnnspec.data.frame import Frame
from cnnspec.data.opening import open_split, steps_of
from cnnspec.data.pipeline import EvaluationBatches, TrainingBatches, iterate
from cnnspec.diagnostics import Problem
from cnnspec.document import Preprocess
from cnnspec.preprocess import place

SHAPE = (16, 16, 3)


def make(folder: Path, classes: dict[str, int], suffix: str = ".png", mode: str = "RGB") -> None:
    for label, (name, count) in enumerate(classes.items()):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            Image.new("RGB", (40, 30), (50 * label, 10 * i, 99)).convert(mode).save(folder / name / f"{i}{suffix}")


def opened(folder: Path, split: str = "train", shape: tuple[int, ...] = SHAPE, classes: int = 2, **fields: object):
    return open_split(
        DatasetConfig.model_validate({"name": "folder", "path": str(folder), **fields}), split, shape, classes
    )


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
    batch = TrainingBatches(dataset, batch=12, steps=1, seed=0, augmentation=Augmentation())[0]
    assert batch["image"].reshape(12, -1).max(1).min() > 0  # no black picture in its place
    assert list(dataset.unreadable(batch["unreadable"])) == [str(broken)]
    evaluation = [EvaluationBatches(dataset, batch=5)[i] for i in range(3)]
    assert sum(int(part["mask"].sum()) for part in evaluation) == 11
    assert [part.get("unreadable", np.zeros(0)).tolist() for part in evaluation] == [[0], [], []]


@pytest.mark.slow
def test_processes_tell_of_broken_pictures_as_threads_do(tmp_path):
    make(tmp_path, {"cat": 6, "dog": 6})
    (tmp_path / "cat" / "0.png").write_bytes(b"no picture")
    source = TrainingBatches(
        opened(tmp_path, held_out=0.0, corrupt="skip"), batch=12, steps=1, seed=0, augmentation=Augmentation()
    )
    batches = iterate(source, Loading(processes=1))
    assert next(batches)["unreadable"].tolist() == [0]
    batches.close()
    source = TrainingBatches(opened(tmp_path, held_out=0.0), batch=12, steps=1, seed=0, augmentation=Augmentation())
    batches = iterate(source, Loading(processes=1))
    with pytest.raises(Problem, match="0.png cannot be read") as caught:
        next(batches)
    assert (caught.value.code, caught.value.field) == ("E855", "dataset.path")
    batches.close()


def test_a_picture_that_is_gone_counts_as_one_that_cannot_be_read(tmp_path):
    make(tmp_path, {"cat": 6, "dog": 6})
    dataset = opened(tmp_path, held_out=0.0, corrupt="skip")
    (tmp_path / "dog" / "3.png").unlink()
    batch = TrainingBatches(dataset, batch=12, steps=1, seed=0, augmentation=Augmentation())[0]
    ((name, reason),) = dataset.unreadable(batch["unreadable"]).items()
    assert (name, "No such file" in reason) == (str(tmp_path / "dog" / "3.png"), True)


def test_colour_needs_a_word_to_become_grey_and_grey_fills_three_channels(tmp_path):
    make(tmp_path / "colour", {"cat": 3, "dog": 3})
    make(tmp_path / "grey", {"cat": 3, "dog": 3}, mode="L")
    with pytest.raises(Problem, match="3 channels") as caught:
        opened(tmp_path / "colour", shape=(16, 16, 1))
    assert (caught.value.code, "grey: true" in caught.value.help) == ("E853", True)
    assert opened(tmp_path / "colour", shape=(16, 16, 1), grey=True).read(np.array([0]))[0].shape == (1, 16, 16, 1)
    assert opened(tmp_path / "grey", shape=(16, 16, 1)).read(np.array([0]))[0].shape == (1, 16, 16, 1)
    pixels = opened(tmp_path / "grey").read(np.array([0]))[0]
    assert (pixels[..., 0] == pixels[..., 2]).all()


def test_deep_and_transparent_pictures_are_read_for_what_they_show(tmp_path):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    found = Frame(16, 16, 1).read(tmp_path / "deep.png")
    assert np.abs(found[..., 0].ravel().astype(int) - np.arange(256)).max() <= 1
    Image.new("RGBA", (16, 16), (200, 100, 50, 255)).quantize(4).save(
        tmp_path / "palette.png", transparency=b"\xff\x10"
    )
    assert np.abs(Frame(16, 16, 3).read(tmp_path / "palette.png").astype(int) - [200, 100, 50]).max() <= 2
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "floating.tif")
    with pytest.raises(ValueError, match="no range"):
        Frame(16, 16, 1).read(tmp_path / "floating.tif")


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
    padded = place(wide, Preprocess(pad=20), (20, 20, 1))[..., 0]
    assert (np.flatnonzero(padded.max(1)).size, np.flatnonzero(padded.max(0)).size) == (5, 20)
    inner = place(wide, Preprocess(pad=16), (20, 20, 1))[..., 0]
    assert (np.flatnonzero(inner.max(1)).tolist(), np.flatnonzero(inner.max(0)).tolist()) == (
        [*range(8, 12)],
        [*range(2, 18)],
    )
    assert place(wide, Preprocess(resize=24, crop=(20, 20)), (20, 20, 1)).min() == 200


def test_what_the_recipe_leaves_open_the_spec_says():
    spec = Preprocess(resize=256, crop=(224, 224), interpolation="bicubic", mean=(0.5,))
    shape = (224, 224, 3)
    assert steps_of(DatasetConfig(name="folder"), shape, spec) == spec
    assert steps_of(DatasetConfig(name="folder", size=240), shape, spec).resize == 240
    assert steps_of(DatasetConfig(name="folder"), (64, 64, 3), spec).resize == 73
    stretched = steps_of(DatasetConfig(), shape, spec)
    assert (stretched.stretch, stretched.resize, stretched.crop, stretched.mean) == ((224, 224), None, None, (0.5,))
    with pytest.raises(Problem, match="larger than images of 100") as caught:
        steps_of(DatasetConfig(name="folder", size=100), shape)
    assert (caught.value.code, caught.value.field) == ("E862", "dataset.size")
