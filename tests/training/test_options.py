"""The training step, evaluation and prediction hand the options of XLA on: one that it refuses fails them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnnspec.training.commands import evaluate
from cnnspec.training.prediction import Predictor
from cnnspec.training.trained import open_trained
from cnnspec.training.trainer import train

pytestmark = pytest.mark.usefixtures("unrendered")

REFUSED = "xla_cpu_no_such_option"


def refused(train: bool = False) -> dict[str, int]:
    return {REFUSED: 1}


@pytest.fixture(scope="module")
def folder(tiny: str, recipe: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    return train(tiny, {**recipe, "steps": 1}, out=tmp_path_factory.mktemp("run") / "run", quiet=True).folder


def test_a_training_step(tiny: str, recipe: dict[str, Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnspec.lower.training.compiler_options", refused)
    with pytest.raises(RuntimeError, match=REFUSED):
        train(tiny, recipe, out=tmp_path / "run", quiet=True)


def test_evaluation_and_prediction(folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnspec.compiled.compiler_options", refused)
    trained = open_trained(folder)
    with pytest.raises(RuntimeError, match=REFUSED):
        evaluate(trained)
    predictor = Predictor(trained.inference, trained.task, trained.params, trained.state, trained.names)
    with pytest.raises(RuntimeError, match=REFUSED):
        predictor(np.zeros((1, 8, 8, 1), np.uint8))
