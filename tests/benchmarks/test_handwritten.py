"""The hand-written networks are the networks of the specs: a comparison with something else would mean nothing."""

from __future__ import annotations

from math import prod
from typing import Any

import jax
import numpy as np
import pytest

import cnnspec
from benchmarks import handwritten
from benchmarks.engines.cnnspec import training_step
from benchmarks.job import Job
from benchmarks.networks import DEPTHS, NETWORKS, examples
from cnnspec.weights.synthetic import synthetic_inputs, synthetic_weights
from tests.benchmarks.hand_names import name_in_spec

#: Of the largest logit.
TOLERANCE = 5e-5
QUICK = ("squeezenet1_1", "mobilenet_v1", "resnet20_cifar")
#: Heights and widths that the networks need (64 will do for the others), and gains that keep activations alive.
SIZES = {"vgg16": 224, "inception_v3": 299, "resnet20_cifar": 32, "resnet56_cifar": 32}
GAINS = {"efficientnet_b0": 1.25, "inception_v3": 1.3, "mobilenet_v1": 1.5}


def networks(quick: tuple[str, ...]) -> list[Any]:
    """All networks that a test takes seconds for; those that are not quick are slow."""
    names = [*NETWORKS, "resnet20_cifar", "resnet56_cifar"]
    return [pytest.param(name, marks=() if name in quick else pytest.mark.slow) for name in names]


def test_every_network_is_written_by_hand() -> None:
    assert set(handwritten.NETWORKS) == {*NETWORKS, *DEPTHS}


@pytest.mark.parametrize("spec", networks((*QUICK, "mobilenet_v2", "resnet50")))
def test_it_has_as_many_parameters_as_the_spec_expects(spec: str) -> None:
    loaded = cnnspec.load_spec(spec)
    assert loaded.document.expect is not None
    assert loaded.document.expect.params is not None
    _, state = handwritten.split(spec, lambda path, leaf: np.zeros(leaf.shape, np.float32))
    arrays = {handwritten.path_of(path): leaf for path, leaf in jax.tree.leaves_with_path(state)}
    learned = [leaf.shape for path, leaf in arrays.items() if path.endswith(("kernel", "bias", "scale"))]
    assert sum(map(prod, learned)) == loaded.document.expect.params.value


@pytest.mark.parametrize("spec", networks(QUICK))
def test_its_logits_are_those_of_the_spec(spec: str) -> None:
    size = SIZES.get(spec, 64)
    network = cnnspec.compile(spec, set={"input.height": size, "input.width": size})
    weights = synthetic_weights(network.graph, gain=GAINS.get(spec, 1.0))
    image = next(iter(synthetic_inputs(network.graph, 2).values()))
    taken: set[str] = set()

    def value(path: str, leaf: Any) -> Any:
        name = name_in_spec(spec, path)
        taken.add(name)
        return weights[name]

    run, state = handwritten.inference(spec, value)
    assert taken == set(network.inference_program.graph.parameters)
    theirs = np.asarray(run(state, image))
    ours = np.asarray(network.infer(network.prepare(*network.split(weights)), image)["logits"])
    assert np.abs(theirs - ours).max() <= TOLERANCE * np.abs(ours).max()
    assert np.abs(ours[0] - ours[1]).max() > 20 * TOLERANCE * np.abs(ours).max(), "the logits say nothing of the image"


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "rate"), [("resnet20_cifar", 1e-3), ("resnet50", 1e-7)])
def test_a_training_step_changes_the_loss_by_as_much(spec: str, rate: float) -> None:
    """From the same weights: the loss is that of the forward pass, its change that of gradients and update.

    The rate is so small that the change is linear in it: an untrained ResNet-50 magnifies the least difference.
    """
    network = Job("training", "cnnspec", spec, 8, SIZES.get(spec, 64)).network
    step, state, given = training_step(network, 8, rate)
    weights = {**state["params"], **state["state"]}
    by_hand, hand_state = handwritten.training(spec, lambda path, leaf: weights[name_in_spec(spec, path)], rate)
    pixels, labels = examples(network, 8)
    ours, theirs = [], []
    for _ in range(2):
        state, measures = step(state, given)
        hand_state, loss = by_hand(hand_state, pixels, labels)
        ours.append(float(measures[0]))
        theirs.append(float(loss))
    assert theirs[0] == pytest.approx(ours[0], rel=1e-5)
    assert abs(ours[1] - ours[0]) > 1e-3 * ours[0], "the step changed nothing"
    assert theirs[1] - theirs[0] == pytest.approx(ours[1] - ours[0], rel=0.02)
