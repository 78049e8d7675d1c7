"""Training, ours and the peers': outputs, auxiliary heads and running statistics, stored and live."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cnnspec.compiled import Compiled
from cnnspec.frontend import load_spec
from tests.parity import training
from tests.parity.pairs import TOLERANCE, pairs
from tests.parity.training import MOMENTUM, our_step, peer_step, stored, training_pairs

PAIRS = training_pairs()
EVERYDAY = {"resnet18--torchvision", "mobilenet_v2--torchvision"}
STATISTICS = 1e-5  # of the largest number in an array


def near(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in EVERYDAY else pytest.mark.ci) for n in PAIRS])
def test_a_step_is_the_peers_as_it_is_stored(name):
    ours = our_step(PAIRS[name]).digest()
    with np.load(stored(name)) as theirs:
        assert {key for key in theirs.files if key.startswith("output")} <= set(ours)
        for key in theirs.files:
            if theirs[key].size:
                assert near(ours[key], theirs[key]) <= (STATISTICS if key == "statistics" else TOLERANCE), key
                assert key == "statistics" or near(ours[key][:1], theirs[key][1:2]) > 20 * TOLERANCE


def test_one_network_of_each_family_with_a_peer_is_stored():
    assert {path.stem for path in stored("x").parent.glob("*.npz")} == set(PAIRS)
    families = {pair.spec: load_spec(pair.spec).document.family for pair in pairs() if pair.rules is None}
    assert {families[pair.spec] for pair in PAIRS.values()} == set(families.values())
    with np.load(stored("googlenet_torchvision--torchvision")) as theirs:
        assert {"output logits", "output aux1", "output aux2"} < set(theirs.files)


@pytest.mark.parametrize("fault", ["biased variance", "momentum", "statistics of inference"])
def test_a_planted_fault_is_noticed(fault, monkeypatch):
    name = "resnet18--torchvision"

    def faulty(pair) -> Compiled:
        network = training.network_of(pair)
        update = {"running_variance": "biased"} if fault == "biased variance" else {"momentum": MOMENTUM - 0.01}
        nodes = tuple(
            replace(n, op=n.op.model_copy(update=update)) if n.op.key == "batch_norm" else n
            for n in network.graph.nodes
        )
        return Compiled(replace(network.loaded, graph=network.graph.with_nodes(nodes)))

    if fault == "statistics of inference":
        ours = {**our_step(PAIRS[name]).digest()}
        pair = PAIRS[name]
        network = training.network_of(pair)
        weights, image = training._weights_and_image(pair, network)
        prepared = network.prepare(*network.split(weights))
        ours["output logits"] = np.asarray(network.infer(prepared, image)["logits"])
        key, bound = "output logits", TOLERANCE
    else:
        network_of = faulty(PAIRS[name])
        monkeypatch.setattr(training, "network_of", lambda pair: network_of)
        ours = our_step(PAIRS[name]).digest()
        key, bound = "statistics", STATISTICS
    with np.load(stored(name)) as theirs:
        assert near(ours[key], theirs[key]) > 10 * bound


@pytest.mark.parity
@pytest.mark.slow
@pytest.mark.parametrize("name", PAIRS)
def test_a_step_is_the_peers_live(name):
    pytest.importorskip("torch" if PAIRS[name].peer != "keras" else "keras")
    ours, theirs = our_step(PAIRS[name]), peer_step(PAIRS[name])
    assert set(theirs.outputs) <= set(ours.outputs)
    for key, value in theirs.outputs.items():
        assert near(ours.outputs[key], value) <= TOLERANCE, key
    assert set(ours.statistics) == set(theirs.statistics)
    far = {p: near(ours.statistics[p], v) for p, v in theirs.statistics.items()}
    assert {path: value for path, value in far.items() if value > 5 * TOLERANCE} == {}
