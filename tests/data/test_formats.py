"""Readers of IDX and CIFAR files, on small files in the true formats."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from cnnspec.data.cifar import read_records, write_records
from cnnspec.data.config import DatasetConfig
from cnnspec.data.idx import read_idx
from cnnspec.data.opening import open_split
from cnnspec.diagnostics import Problem


def idx_bytes(array: np.ndarray) -> bytes:
    return (
        bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()
    )


def write_mnist(folder: Path, *, zipped: bool = False, count: int = 40, highest: int = 9) -> np.ndarray:
    random = np.random.default_rng(0)
    for prefix in ("train", "t10k"):
        images = random.integers(0, 256, (count, 28, 28))
        labels = np.arange(count) % (highest + 1)
        for stem, array in ((f"{prefix}-images-idx3-ubyte", images), (f"{prefix}-labels-idx1-ubyte", labels)):
            data = idx_bytes(array)
            (folder / (stem + (".gz" if zipped else ""))).write_bytes(gzip.compress(data) if zipped else data)
    return images


def problem(function, *arguments) -> Problem:
    with pytest.raises(Problem) as caught:
        function(*arguments)
    return caught.value


@pytest.mark.parametrize("zipped", [False, True])
def test_mnist_files_are_read(tmp_path, zipped):
    images = write_mnist(tmp_path, zipped=zipped)
    dataset = open_split(DatasetConfig(name="mnist", path=str(tmp_path)), "test", (28, 28, 1), 10)
    found, good = dataset.read(np.array([3, 0]))
    assert (found[..., 0] == images[[3, 0]]).all()
    assert good.all()
    assert list(dataset.labels[:3]) == [0, 1, 2]


@pytest.mark.parametrize(
    "data",
    [b"", b"\0\0\x08", b"\1\0\x08\x01\0\0\0\1x", b"\0\0\x0d\x01\0\0\0\1x", b"\0\0\x08\x03\0\0\0\1", b"\0\0\x08\x01\0\0\0\5abc",
     b"\0\0\x08\x01\0\0\0\2abc", b"\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\1abc"],
)  # fmt: skip
def test_what_is_no_whole_idx_file_is_refused(tmp_path, data):
    path = tmp_path / "file"
    path.write_bytes(data)
    assert problem(read_idx, path).code == "E851"


def test_a_truncated_gzip_file_is_refused(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(idx_bytes(np.zeros((50, 28, 28))))[:-20])
    assert problem(read_idx, path).code == "E851"


def test_a_label_above_the_outputs_is_told_before_the_first_step(tmp_path):
    write_mnist(tmp_path, highest=11)
    found = problem(open_split, DatasetConfig(name="idx", path=str(tmp_path)), "train", (28, 28, 1), 10)
    assert found.code == "E852"
    assert "12 classes" in found.message
    assert "classes=12" in found.help


def test_a_class_without_images_is_told(tmp_path):
    write_mnist(tmp_path, highest=7)
    found = problem(open_split, DatasetConfig(name="idx", path=str(tmp_path)), "train", (28, 28, 1), 10)
    assert (found.code, "`8`, `9`" in found.message) == ("E854", True)


def test_missing_files_are_named(tmp_path):
    found = problem(open_split, DatasetConfig(name="mnist", path=str(tmp_path)), "train", (28, 28, 1), 10)
    assert found.code == "E850"
    assert "train-images-idx3-ubyte" in found.message
    assert (
        problem(open_split, DatasetConfig(name="mnist", path=str(tmp_path / "no")), "train", (28, 28, 1), 10).code
        == "E850"
    )


def write_cifar100(folder: Path, count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (count, 32, 32, 3)).astype(np.uint8)
    labels = np.stack([np.arange(count) % 20, np.arange(count) % 100], 1).astype(np.int32)
    for name in ("train.bin", "test.bin"):
        write_records(folder / name, labels, images)
    return labels, images


def test_cifar_records_hold_planes_row_by_row(tmp_path):
    image = np.zeros((1, 32, 32, 3), np.uint8)
    image[0, 0, 1, 0], image[0, 1, 0, 2] = 7, 9
    write_records(tmp_path / "one", np.array([[3]], np.int32), image)
    data = (tmp_path / "one").read_bytes()
    assert (len(data), data[0], data[1 + 1], data[1 + 2048 + 32]) == (3073, 3, 7, 9)
    labels, images = read_records(tmp_path / "one", 1)
    assert labels.tolist() == [[3]]
    assert (images == image).all()


def test_cifar100_has_fine_and_coarse_labels(tmp_path):
    labels, images = write_cifar100(tmp_path)
    fine = open_split(DatasetConfig(name="cifar100", path=str(tmp_path)), "train", (32, 32, 3), 100)
    coarse = open_split(DatasetConfig(name="cifar100", path=str(tmp_path), labels="coarse"), "train", (32, 32, 3), 20)
    assert (fine.labels == labels[:, 1]).all()
    assert (coarse.labels == labels[:, 0]).all()
    assert (fine.read(np.array([5]))[0][0] == images[5]).all()
    (tmp_path / "fine_label_names.txt").write_text("\n".join(f"name{i}" for i in range(100)))
    assert (
        open_split(DatasetConfig(name="cifar100", path=str(tmp_path)), "test", (32, 32, 3), 100).classes[3] == "name3"
    )


def test_a_truncated_cifar_file_and_a_wrong_label_are_refused(tmp_path):
    write_cifar100(tmp_path)
    config = DatasetConfig(name="cifar100", path=str(tmp_path))
    data = bytearray((tmp_path / "train.bin").read_bytes())
    (tmp_path / "train.bin").write_bytes(data[:-1])
    assert problem(open_split, config, "train", (32, 32, 3), 100).code == "E851"
    data[3 * 3074 + 1] = 140
    (tmp_path / "train.bin").write_bytes(data)
    found = problem(open_split, config, "train", (32, 32, 3), 100)
    assert (found.code, "record 3 of train.bin" in found.message) == ("E852", True)


def test_colour_images_need_a_word_to_become_grey(tmp_path):
    write_cifar100(tmp_path)
    config = DatasetConfig(name="cifar100", path=str(tmp_path))
    assert problem(open_split, config, "train", (32, 32, 1), 100).code == "E853"
    grey = open_split(config.model_copy(update={"grey": True}), "train", (32, 32, 1), 100)
    assert grey.read(np.array([0]))[0].shape == (1, 32, 32, 1)
    assert problem(open_split, config, "train", (32, 32, 5), 100).code == "E853"


def test_photographs_are_written_in_cifar100s_format(tmp_path):
    config = DatasetConfig(name="photographs", path=str(tmp_path))
    dataset = open_split(config, "train", (32, 32, 3), 100)
    assert (len(dataset), (tmp_path / "train.bin").stat().st_size) == (256, 256 * 3074)
    images = dataset.read(np.arange(256))[0]
    assert len({image.tobytes() for image in images}) == 256
    assert images.std() > 20


def test_the_held_out_digits_never_change():
    train = open_split(DatasetConfig(), "train", (8, 8, 1), 10)
    held = open_split(DatasetConfig(), "test", (8, 8, 1), 10)
    assert (len(train), len(held)) == (1438, 359)
    assert np.bincount(held.labels).tolist() == [36, 36, 35, 37, 36, 36, 36, 36, 35, 36]
    seen = {i.tobytes() for i in train.read(np.arange(len(train)))[0]}
    assert sum(i.tobytes() in seen for i in held.read(np.arange(359))[0]) < 3  # but for equal scribbles
