"""Fetching: checked by hash, whole or not there, and a clear word where there is no network."""

from __future__ import annotations

import hashlib
import tarfile

import pytest

from cnnspec.data.config import DatasetConfig
from cnnspec.data.download import SETS, fetch
from cnnspec.data.opening import open_split
from cnnspec.diagnostics import Problem
from tests.data.test_formats import write_mnist


def test_a_file_is_fetched_once_and_unpacked(tmp_path):
    (tmp_path / "inside.bin").write_bytes(b"content")
    archive = tmp_path / "set.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "inside.bin", "folder/inside.bin")
    source = [(archive.as_uri(), hashlib.md5(archive.read_bytes()).hexdigest())]
    fetch("cifar10", tmp_path / "cache", source)
    assert (tmp_path / "cache" / "set" / "folder" / "inside.bin").read_bytes() == b"content"
    archive.unlink()
    fetch("cifar10", tmp_path / "cache", source)  # it is there: nothing is asked for


def test_an_archive_that_is_no_archive_leaves_no_half_folder(tmp_path):
    (tmp_path / "set.tar.gz").write_bytes(b"no archive")
    source = [((tmp_path / "set.tar.gz").as_uri(), hashlib.md5(b"no archive").hexdigest())]
    with pytest.raises(Problem) as caught:
        fetch("cifar10", tmp_path / "cache", source)
    assert caught.value.code == "E856"
    assert [p.name for p in (tmp_path / "cache").iterdir()] == ["set.tar.gz"]


def test_a_given_folder_is_where_a_set_is_fetched_to(tmp_path, monkeypatch):
    files = tmp_path / "published"
    files.mkdir()
    write_mnist(files, zipped=True)
    names = sorted(files.iterdir())
    monkeypatch.setitem(SETS, "mnist", [(p.as_uri(), hashlib.md5(p.read_bytes()).hexdigest()) for p in names])
    config = DatasetConfig(name="mnist", path=str(tmp_path / "mine"), download=True)
    assert len(open_split(config, "train", (28, 28, 1), 10)) == 40
    assert [p.name for p in sorted((tmp_path / "mine").iterdir())] == [p.name for p in names]


def test_what_is_not_as_published_is_thrown_away(tmp_path):
    (tmp_path / "file.gz").write_bytes(b"something else")
    with pytest.raises(Problem, match="did not arrive as published") as caught:
        fetch("mnist", tmp_path / "cache", [((tmp_path / "file.gz").as_uri(), "0" * 32)])
    assert caught.value.code == "E856"
    assert list((tmp_path / "cache").iterdir()) == []


def test_without_a_network_the_way_out_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(SETS, "mnist", [("http://127.0.0.1:9/train-images-idx3-ubyte.gz", "0" * 32)])
    monkeypatch.setattr("cnnspec.data.places.cache_folder", lambda name: tmp_path / name)
    with pytest.raises(Problem, match="cannot be fetched") as caught:
        open_split(DatasetConfig(name="mnist", download=True), "train", (28, 28, 1), 10)
    assert caught.value.code == "E856"
    assert "digits" in caught.value.help
