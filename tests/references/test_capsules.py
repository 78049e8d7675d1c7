"""Squashing, routing, margin loss, and the whole of CapsNet with its decoder, against numpy."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cnnspec.compiled import compile
from cnnspec.ops.dynamic_routing import DynamicRouting
from cnnspec.ops.squash import Squash
from cnnspec.training.losses import margin
from cnnspec.weights.synthetic import synthetic_inputs, synthetic_weights
from tests.ops.running import AloneRun
from tests.references import capsules

RUN = AloneRun({}, {}, False)


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_squashing(scale):
    s = scale * np.random.default_rng(0).standard_normal((4, 6, 8))
    ours = np.asarray(Squash().lower(RUN, jnp.asarray(s, jnp.float32)))
    np.testing.assert_allclose(ours, capsules.squash(s), rtol=1e-4, atol=1e-7)
    assert (np.linalg.norm(ours, axis=-1) < 1).all()


@pytest.mark.parametrize("rounds", [1, 2, 3, 5])
def test_routing_by_agreement(rounds):
    u = np.random.default_rng(1).standard_normal((3, 20, 4, 6))
    ours = DynamicRouting(iterations=rounds).lower(RUN, jnp.asarray(u, jnp.float32))
    theirs = capsules.routing(u, rounds)
    np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-4, atol=1e-5)
    assert np.abs(theirs - capsules.routing(u, rounds + 1)).max() > 1e-3  # another round is another answer


def test_the_margin_loss():
    random = np.random.default_rng(2)
    lengths, labels = random.uniform(0, 1, (16, 10)), random.integers(0, 10, 16)
    targets = np.eye(10, dtype=np.float32)[labels]
    ours = margin(jnp.asarray(lengths, jnp.float32), jnp.asarray(targets), 0.9, 0.1, 0.5)
    np.testing.assert_allclose(np.asarray(ours), capsules.margin_loss(lengths, labels), rtol=1e-5)


@pytest.fixture(scope="module")
def whole():
    """Our outputs, and numpy's, on the same weights, for the spec of the zoo."""
    network = compile("capsnet")
    weights = synthetic_weights(network.graph)
    weights["digits.kernel"] *= 0.03  # so that lengths are not all close to 1
    image = synthetic_inputs(network.graph, 2)["image"]
    labels = np.array([3, 7], np.int32)
    wide = {path: value.astype(np.float64) for path, value in weights.items()}
    names = {"primary": "primary.conv", **{f"decoder{n}": f"reconstruction.linear{n}" for n in (1, 2, 3)}}
    theirs = {f"{n}.{leaf}": wide[f"{p}.{leaf}"] for n, p in names.items() for leaf in ("kernel", "bias")}
    theirs |= {"conv1.kernel": wide["conv1.kernel"], "conv1.bias": wide["conv1.bias"], "digits": wide["digits.kernel"]}
    params, state = network.split(weights)
    ours, _ = jax.jit(network.apply)(params, state, {"image": image, "label": labels})
    return ours, capsules.forward(image.astype(np.float64), labels, theirs)


@pytest.mark.parametrize("output", ["lengths", "capsules", "reconstruction"])
def test_the_whole_network(whole, output):
    ours, theirs = (np.asarray(side[output]) for side in whole)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 5e-5 * np.abs(theirs).max()
    assert np.abs(theirs[0] - theirs[1]).max() > 1e-3 * np.abs(theirs).max()
