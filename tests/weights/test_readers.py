"""Files of checkpoints: what is in them comes out, and what is damaged or more than arrays is refused."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from cnnspec.diagnostics import SpecError
from cnnspec.weights.readers import read_checkpoint
from tests.weights.checkpoints import mobilenet_of_keras, write_named, write_numbered

LAYERS = mobilenet_of_keras()
EXPECTED = {f"{layer}/{name}": array for layer, arrays in LAYERS.items() for name, array in arrays.items()}


def refused(path) -> str:
    with pytest.raises(SpecError) as error:
        read_checkpoint(path)
    (found,) = error.value.diagnostics
    assert found.code == "E813"
    return f"{found.message}; {found.help}"


@pytest.mark.parametrize("write", [write_numbered, write_named, lambda p, x: write_named(p, x, oldest=True)])
def test_the_files_of_keras_give_arrays_by_layer(tmp_path, write):
    found = read_checkpoint(write(tmp_path / "x.weights.h5", LAYERS))
    assert set(found) == set(EXPECTED)
    assert all((found[name] == array).all() for name, array in EXPECTED.items())


def test_layers_that_keras_numbered_itself_count_from_the_first(tmp_path):
    layers = {f"conv2d_{n}": {"kernel": np.full((1, 1, 1, 1), n, np.float32)} for n in (12, 13, 7)}
    found = read_checkpoint(write_named(tmp_path / "x.h5", layers))
    assert {name: array.item() for name, array in found.items()} == {
        "conv2d/kernel": 7, "conv2d_1/kernel": 12, "conv2d_2/kernel": 13,
    }  # fmt: skip


def test_safetensors_of_every_width(tmp_path):
    arrays = {"a": np.ones((2, 3), np.float16), "b": np.arange(4), "c": np.full(3, 0.5, ml_dtypes.bfloat16)}
    save_file(arrays, tmp_path / "x.safetensors")
    found = read_checkpoint(tmp_path / "x.safetensors")
    assert all(
        (np.asarray(found[name], np.float32) == np.asarray(array, np.float32)).all() for name, array in arrays.items()
    )


@pytest.mark.parametrize("name", ["x.safetensors", "x.weights.h5"])
@pytest.mark.parametrize("what", ["half", "other", "empty"])
def test_a_file_that_is_not_whole_or_not_what_it_says(tmp_path, name, what):
    path = tmp_path / name
    if name.endswith("h5"):
        write_numbered(path, LAYERS)
    else:
        save_file(EXPECTED, path)
    content = path.read_bytes()
    path.write_bytes({"half": content[: len(content) // 2], "other": b"<html>not found</html>", "empty": b""}[what])
    assert name in refused(path)


def test_what_cannot_be_a_checkpoint(tmp_path):
    assert "there is no file" in refused(tmp_path / "missing.pth")
    (tmp_path / "x.tar").write_bytes(b"x")
    assert ".safetensors, .pth" in refused(tmp_path / "x.tar")
    write_named(tmp_path / "empty.h5", {})
    assert "no arrays" in refused(tmp_path / "empty.h5")
    write_numbered(tmp_path / "nameless.weights.h5", LAYERS, names=False)
    assert "newer keras" in refused(tmp_path / "nameless.weights.h5")
