"""Local response normalisation against the equation of the paper, alone and within AlexNet and ZFNet."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from cnnspec.compiled import compile
from cnnspec.frontend import load_spec
from cnnspec.ops.local_response_norm import LocalResponseNorm
from cnnspec.weights.synthetic import synthetic_inputs, synthetic_weights
from tests.ops.running import AloneRun
from tests.references.response_norm import response_norm


@pytest.mark.parametrize(("size", "channels"), [(5, 12), (5, 3), (3, 7), (1, 4)])
def test_the_op_is_the_equation(size, channels):
    x = 40 * np.random.default_rng(0).standard_normal((2, 3, 4, channels))  # large, so that alpha matters
    ours = LocalResponseNorm(size=size).lower(AloneRun({}, {}, False), jnp.asarray(x, jnp.float32))
    theirs = response_norm(x, k=2, n=size, alpha=1e-4, beta=0.75)
    np.testing.assert_allclose(np.asarray(ours), theirs, rtol=2e-5)
    assert np.abs(theirs - x / 2**0.75).max() > 0.02 * np.abs(x).max()


@pytest.mark.parametrize("name", ["alexnet", "alexnet_two_groups"])
def test_alexnet_has_the_constants_of_the_paper(name):
    ops = [n.op for n in load_spec(name).graph.nodes if n.op.key == "local_response_norm"]
    assert [(o.size, o.k, o.alpha, o.beta, o.divide_by_size) for o in ops] == 2 * [(5, 2.0, 1e-4, 0.75, False)]


def test_within_alexnet():
    network = compile("alexnet", set={"input.height": 67, "input.width": 67})
    params, state = network.split(synthetic_weights(network.graph))
    image = {"input": 30 * synthetic_inputs(network.graph, 2)["input"]}
    found = network.infer(network.prepare(params, state), image, features=["conv1", "norm1"])
    theirs = response_norm(np.asarray(found["conv1"], np.float64), k=2, n=5, alpha=1e-4, beta=0.75)
    np.testing.assert_allclose(np.asarray(found["norm1"]), theirs, rtol=2e-5, atol=1e-6)
