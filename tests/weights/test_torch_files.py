"""Files of torch: weights are read, and nothing else is ever run."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest

from cnnspec.weights.readers import read_checkpoint
from tests.weights.test_readers import refused

pytestmark = pytest.mark.parity
torch = pytest.importorskip("torch")


class Bomb:
    """What a hostile pickle does: a command that runs while the file is read."""

    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {"model": x, "epoch": 3}, lambda x: {"state_dict": x}])
def test_a_state_dict_and_what_training_wraps_it_in(tmp_path, wrap):
    state = {"fc.weight": torch.arange(6.0).reshape(2, 3), "fc.half": torch.ones(2, dtype=torch.bfloat16)}
    torch.save(wrap(state), tmp_path / "x.pth")
    found = read_checkpoint(tmp_path / "x.pth")
    assert set(found) == set(state)
    assert found["fc.weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert {array.dtype for array in found.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("save", [torch.save, lambda x, path: path.write_bytes(pickle.dumps(x))])
def test_a_pickle_that_runs_something_runs_nothing(tmp_path, save):
    path, boom = tmp_path / "bomb.pth", tmp_path / "boom"
    save({"fc.weight": Bomb(boom)}, path)
    assert "is not read" in refused(path)
    assert "weights_only" not in refused(path)  # torch's advice to read it all the same is not passed on
    assert not boom.exists()


def test_files_that_are_not_whole_or_not_weights(tmp_path):
    path = tmp_path / "x.pth"
    torch.save({"a": torch.zeros(1000)}, path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"<html>"):
        path.write_bytes(content)
        assert "x.pth" in refused(path)
    torch.save([1, 2], path)
    assert "no mapping of names to tensors" in refused(path)
    torch.save(torch.nn.Linear(2, 2), path)
    assert "is not read" in refused(path)
