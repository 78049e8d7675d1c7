"""Deep networks in training: stages as loops over stacked parameters, and recomputed, are the same training."""

from __future__ import annotations

import json
import signal
from functools import partial
from typing import Any

import jax
import numpy as np
import pytest

import cnnspec
from cnnspec.lower.training import TrainingFunction
from cnnspec.training.trained import open_trained
from cnnspec.training.trainer import train
from tests.training.test_train import codes, same, stop_at

pytestmark = pytest.mark.usefixtures("unrendered")

DEEP = """cnnspec: 1
name: deep
input: {height: 8, width: 8, channels: 1}
layers:
  - {id: stem, conv: {filters: 4, kernel: 3, norm: batch, act: relu}}
  - {id: stage, repeat: 5, basic: {filters: 4}}
  - global_avg_pool
  - {id: fc, linear: {features: 10}}
outputs: {logits: fc}
"""
RECIPE: dict[str, Any] = {"dataset": "digits", "batch_size": 32, "steps": 6, "evaluate_every": 3, "ema": 0.9,
                          "optimizer": {"name": "adamw", "learning_rate": 0.01, "weight_decay": 0.01}}  # fmt: skip


def rolled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops from the first convolution on."""
    monkeypatch.setattr("cnnspec.compiled.TrainingFunction", partial(TrainingFunction, loop_layers=0))


@pytest.fixture(scope="module")
def unrolled(tmp_path_factory):
    return train(DEEP, RECIPE, out=tmp_path_factory.mktemp("run") / "unrolled", quiet=True)


def close(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for path, value in other.items():
        np.testing.assert_allclose(one[path], value, rtol=2e-3, atol=2e-4, err_msg=path)


def test_a_run_in_loops_is_stacked_inside_and_by_path_at_the_edges(unrolled, tmp_path, monkeypatch):
    """Stopped and resumed it is bit for bit the same, by the forms that it recorded: without them nothing would loop."""
    with monkeypatch.context() as patched:
        rolled(patched)
        whole = train(DEEP, RECIPE, out=tmp_path / "whole", quiet=True)
        stop_at(patched, 4)
        part = train(DEEP, RECIPE, out=tmp_path / "part", quiet=True)
    assert part.interrupted == signal.SIGTERM
    close(whole.params, unrolled.params)
    close(whole.state, unrolled.state)
    recorded = json.loads((tmp_path / "part" / "run.json").read_text())["compiled"]
    assert recorded["loops"] == ["stage.[0-4]"]
    assert recorded["forms"]["stage.0.conv1"] == "ordinary"
    assert json.loads((unrolled.folder / "run.json").read_text())["compiled"]["loops"] == []
    parameters = cnnspec.load_spec(DEEP).graph.parameters
    held = open_trained(tmp_path / "part", "last")
    assert {*held.params, *held.state} == set(parameters)
    rest = train("deep", out=tmp_path / "part", resume=True, quiet=True)
    assert same(rest.params, whole.params)
    assert same(rest.state, whole.state)


def test_stages_of_a_recipe_are_computed_again(unrolled, tmp_path, monkeypatch):
    made: list[TrainingFunction] = []

    def spy(*arguments: Any) -> TrainingFunction:
        made.append(TrainingFunction(*arguments))
        return made[-1]

    monkeypatch.setattr("cnnspec.compiled.TrainingFunction", spy)
    again = train(DEEP, {**RECIPE, "remat": ["stage"]}, out=tmp_path / "again", quiet=True)
    assert made[0].program.remat == ("stage",)
    assert [loop.name for loop in made[0].program.loops] == ["stage.[0-4]"]
    close(again.params, unrolled.params)
    ((code, message),) = codes(DEEP, {**RECIPE, "remat": ["stages"]}, out=tmp_path / "wrong")
    assert code == "E862"
    assert "stages" in message


def test_what_is_computed_again_takes_no_memory():
    layers = {"id": "stage", "repeat": 12, "conv": {"filters": 8, "kernel": 1, "norm": "batch", "act": "tanh"}}
    network = cnnspec.compile({"cnnspec": 1, "name": "net", "input": {"height": 32, "width": 32, "channels": 8},
                               "layers": [layers, "global_avg_pool"], "outputs": {"main": "global_avg_pool_1"}})  # fmt: skip
    params, state = network.init()
    x = np.zeros((64, 32, 32, 8), np.float32)

    def memory(remat: tuple[str, ...]) -> int:
        function = network.training(remat)
        gradient = jax.jit(jax.grad(lambda p: function(p, state, x)[0]["main"].sum()))
        return gradient.lower(function.stack(params)).compile().memory_analysis().temp_size_in_bytes

    assert memory(("stage",)) < 0.7 * memory(())
