"""A small capsule network: its loss falls, and its decoder can be run from the capsules alone."""

from __future__ import annotations

import numpy as np
import pytest

from cnnspec.compiled import compile
from cnnspec.lower.program import Program
from cnnspec.training import train
from cnnspec.training.capsules import capsule_output, graph_below
from cnnspec.training.records import read_events

SPEC = """cnnspec: 1
name: small_capsules
inputs:
  image: {height: 12, width: 12, channels: 1}
  label: {classes: 10, optional: true}
layers:
  - {id: conv1, from: image, conv: {filters: 16, kernel: 5, padding: valid, act: relu}}
  - {id: primary, primary_capsules: {capsules: 4, dimensions: 4, kernel: 3, stride: 2}}
  - {id: digits, capsule_routing: {capsules: 10, dimensions: 8, iterations: 2}}
  - {id: lengths, capsule_length: {}}
  - {id: reconstruction, from: [digits, label], capsule_decoder: {features: [32], image: [12, 12, 1]}}
outputs: {lengths: lengths, capsules: digits, reconstruction: reconstruction}
"""
RECIPE = {
    "steps": 120,
    "batch_size": 32,
    "optimizer": {"name": "adam", "learning_rate": 0.003},
    "loss": "margin",
    "evaluate_every": 40,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train(SPEC, RECIPE, out=tmp_path_factory.mktemp("capsules") / "run", quiet=True)


def test_the_margin_loss_falls_and_the_pictures_are_drawn(trained):
    losses = [e["loss"] for e in read_events(trained.folder) if e["kind"] == "evaluation"]
    assert losses == sorted(losses, reverse=True)
    assert trained.metrics["top1"] > 0.5
    assert (trained.folder / "reconstructions.png").stat().st_size > 1000
    assert (trained.folder / "dimensions.png").stat().st_size > 1000


def test_the_decoder_alone_draws_what_the_whole_network_draws(trained):
    network = compile(SPEC)
    prepared = network.prepare(trained.params, trained.state)
    images = np.random.default_rng(0).random((3, 12, 12, 1), np.float32)
    whole = network.infer(prepared, {"image": images})
    graph = network.inference_program.graph
    name = capsule_output(graph, 10)
    assert name == "capsules"
    below = graph_below(graph, graph.outputs[name], "reconstruction")
    drawn, _ = Program(below).apply(prepared, prepared, {graph.outputs[name].node: whole["capsules"]})
    assert np.allclose(drawn["reconstruction"], whole["reconstruction"], atol=1e-5)
