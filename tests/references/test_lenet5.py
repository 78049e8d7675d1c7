"""LeNet-5 layer by layer against numpy."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from cnnspec.compiled import compile
from cnnspec.frontend import load_spec
from cnnspec.weights.synthetic import synthetic_inputs, synthetic_weights
from tests.references import lenet5


@pytest.fixture(scope="module")
def network():
    return compile("lenet5")


@pytest.fixture(scope="module")
def expected(network):
    weights = {p: v.astype(np.float64) for p, v in synthetic_weights(network.graph).items()}
    marked = [(s2, c3) for c3 in range(16) for s2 in range(6) if lenet5.TABLE[s2][c3] == "X"]
    kernels = {pair: weights["c3.kernel"][:, :, number] for number, pair in enumerate(marked)}
    theirs = {
        **weights,
        "s2.coefficient": weights["s2.coefficient.scale"] / 4,  # of the sum of four, ours of their mean
        "s2.bias": weights["s2.coefficient.bias"],
        "s4.coefficient": weights["s4.coefficient.scale"] / 4,
        "s4.bias": weights["s4.coefficient.bias"],
        "centres": weights["output.centres"],
    }
    image = synthetic_inputs(network.graph, 3)["input"].astype(np.float64)
    return lenet5.forward(image, theirs, kernels)


def test_the_table_of_the_spec_is_the_papers(network):
    ours = network.graph.by_path["c3"].op.table
    assert [set(row) for row in ours] == [{s for s in range(6) if lenet5.TABLE[s][c] == "X"} for c in range(16)]
    assert sum(row.count("X") for row in lenet5.TABLE) == 60


@pytest.mark.parametrize("layer", ["c1.act", "s2", "activation_1", "s4", "c5.act", "f6.act", "output"])
def test_every_layer_is_the_papers(network, expected, layer):
    weights = synthetic_weights(network.graph)
    params, state = network.split(weights)
    outputs = network.infer(network.prepare(params, state), synthetic_inputs(network.graph, 3), features=[layer])
    theirs = expected[{"activation_1": "c3"}.get(layer, layer.removesuffix(".act"))]
    ours = np.asarray(outputs[layer])
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 2e-5 * np.abs(theirs).max()
    assert theirs.std(0).max() > 1e-3  # the images differ in it


def test_connections_and_parameters_are_the_papers():
    """C1 122,304 connections, S2 5,880, C3 151,600, S4 2,000, C5 48,120, F6 10,164; with the output's 840 340,908."""
    graph = load_spec("lenet5").graph
    by_path = graph.by_path

    def connections(path: str) -> int:
        node = by_path[path]
        (before,) = graph.types_into(node)
        bias = node.type.size
        return node.op.cost((before,), node.type).macs + bias

    assert connections("c1") == 122_304
    assert connections("c3") == 151_600
    assert connections("c5") == 48_120
    assert connections("f6") == 10_164
    assert [5 * by_path[f"{s}.coefficient"].type.size for s in ("s2", "s4")] == [5_880, 2_000]
    assert np.prod(graph.parameters["output.centres"].shape) == 840
    assert 122_304 + 5_880 + 151_600 + 2_000 + 48_120 + 10_164 + 840 == 340_908


def test_the_penalty_of_the_nearest_class_is_least():
    centres = np.sign(np.random.default_rng(0).standard_normal((10, 84)))
    distances = lenet5.radial_basis(centres + 0.1, centres)
    assert (distances.argmin(1) == np.arange(10)).all()
    from cnnspec.ops.radial_basis_output import RadialBasisOutput
    from tests.ops.running import AloneRun

    run = AloneRun({}, {"centres": jnp.asarray(centres, jnp.float32)}, False)
    ours = RadialBasisOutput(classes=10).lower(run, jnp.asarray(centres + 0.1, jnp.float32))
    np.testing.assert_allclose(np.asarray(ours), distances, rtol=1e-5)
