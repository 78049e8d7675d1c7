"""Every network of the zoo checks in time, runs, and one of each family differentiates."""

from __future__ import annotations

import time
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import cnnspec
from cnnspec.diagnostics import Report
from cnnspec.frontend import LoadedSpec, check_spec, load_spec
from cnnspec.ops.conv import Conv
from cnnspec.weights.synthetic import synthetic_inputs, synthetic_weights
from cnnspec.zoo import zoo_specs
from tests.parity.pairs import pairs

NAMES = [path.stem for path in zoo_specs()]

#: Height and width in pixels at which a family runs in tests: as small as its windows allow, `None` for its own.
SIDES = {
    "AlexNet": 67, "ZFNet": 67, "VGG": 32, "GoogLeNet": 96, "Inception v2": None, "Inception v3": None, "Inception v4": 107,
    "Inception-ResNet v1": 107, "Inception-ResNet v2": 107, "Xception": 71, "LeNet": None, "CapsNet": None, "ResNet CIFAR": None,
}  # fmt: skip
SIDE = 64

#: Factors on the synthetic kernels of networks so deep that their sums would overflow.
GAINS = {"resnet1202_cifar": 0.3}

#: Networks for images that are small already, in families of others.
SMALL = {"alexnet_cifar100", "nin_cifar", "wrn_28_10", "densenet_bc_100_12"}


@cache
def loaded(name: str) -> LoadedSpec:
    return load_spec(name)


def smallest_of_each_family() -> list[str]:
    found: dict[str, tuple[int, str]] = {}
    for name in NAMES:
        family = loaded(name).document.family
        found[family] = min(found.get(family, (10**12, "")), (loaded(name).totals.params, name))
    return [name for _, name in found.values()]


FAMILIES = smallest_of_each_family()


def reduced(name: str) -> cnnspec.Compiled:
    """The network at a size that tests can afford."""
    side = None if name in SMALL else SIDES.get(loaded(name).document.family, SIDE)
    return cnnspec.compile(name, set={"input.height": side, "input.width": side} if side else {})


def assert_runs(name: str) -> None:
    """Its outputs have the inferred shapes, are finite, and depend on the image."""
    network = reduced(name)
    prepared = network.prepare(*network.split(synthetic_weights(network.graph, gain=GAINS.get(name, 1.0))))
    graph = network.inference_program.graph
    outputs = network.infer(prepared, synthetic_inputs(graph, 2))
    for output, ref in graph.outputs.items():
        value = np.asarray(outputs[output])
        assert value.shape == (2, *graph.type_of(ref).shape)
        assert np.isfinite(value).all()
        assert (value[0] != value[1]).any()


def test_the_whole_zoo_checks_in_four_seconds():
    def once() -> float:
        begin = time.process_time()  # not the wall clock: other programs are none of its business
        for path in zoo_specs():
            report = Report()
            assert check_spec(path, report) is not None, path
            assert len(report) == 0, path
        return time.process_time() - begin

    assert min(once() for _ in range(2)) < 4


@pytest.mark.parametrize("name", NAMES)
def test_expectations_are_complete_and_say_where_they_are_from(name):
    document = loaded(name).document
    expect = document.expect
    assert expect is not None
    assert expect.params is not None
    assert expect.macs is not None
    assert expect.output is not None
    assert expect.origin
    assert (expect.training_params is not None) == (loaded(name).totals.training_params > 0)
    assert document.source is not None
    assert document.source.year


def test_there_is_one_of_each_family():
    assert len(FAMILIES) == len({loaded(name).document.family for name in NAMES}) >= 20


#: Networks that run already where their logits are compared with a peer's, and families of which one does every day.
COMPARED = {pair.spec for pair in pairs() if pair.spec in NAMES}
COMPARED_FAMILIES = {loaded(pair.spec).document.family for pair in pairs() if pair.everyday}


@pytest.mark.parametrize("name", [n for n in FAMILIES if loaded(n).document.family not in COMPARED_FAMILIES])
def test_one_of_each_family_runs(name):
    assert_runs(name)


@pytest.mark.ci
@pytest.mark.parametrize("name", [name for name in NAMES if name not in COMPARED | set(FAMILIES)])
def test_every_other_network_runs(name):
    assert_runs(name)


@pytest.mark.ci
@pytest.mark.parametrize("name", FAMILIES)
def test_one_of_each_family_differentiates(name):
    network = reduced(name)
    params, state = network.split(synthetic_weights(network.graph))
    inputs = synthetic_inputs(network.graph, 2)

    def gradient(values):
        def loss(values):
            outputs, _ = network.apply(values, state, inputs, rng=jax.random.key(0), train=True)
            return sum(jnp.square(value).mean() for value in outputs.values())

        return jax.grad(loss)(values)

    # Only whether there are gradients is asked: half the time of compiling is for their speed.
    compiled = jax.jit(gradient).lower(params).compile(compiler_options={"xla_backend_optimization_level": 0})
    found = compiled(params)
    assert all(bool(jnp.isfinite(value).all()) for value in found.values())
    without = [path for path, value in found.items() if not bool((value != 0).any())]
    assert without == []  # a parameter that gets no gradient is no part of the network


def test_the_capsules_with_their_decoder():
    """8.2 M in the paper's section on reconstruction: 6,804,224 of the capsules and 1,411,344 of the decoder."""
    whole = load_spec("capsnet", set={"reconstruct": True}).totals
    assert (whole.params, whole.training_params) == (8_215_568, 0)
    totals = load_spec("capsnet").totals
    assert totals.params + totals.training_params == 8_215_568


#: Table 1 of arXiv:1602.07360: the output size of every row.
SQUEEZENET = {
    "conv1": (111, 111, 96), "maxpool1": (55, 55, 96), "fire2": (55, 55, 128), "fire3": (55, 55, 128),
    "fire4": (55, 55, 256), "maxpool4": (27, 27, 256), "fire5": (27, 27, 256), "fire6": (27, 27, 384),
    "fire7": (27, 27, 384), "fire8": (27, 27, 512), "maxpool8": (13, 13, 512), "fire9": (13, 13, 512),
    "conv10": (13, 13, 1000), "pool10": (1000,),
}  # fmt: skip


def test_the_rows_of_squeezenet_are_those_of_table_1_at_227_pixels():
    """The table says 224, and its maps of 111 and 55 pixels come from 227."""
    graph = load_spec("squeezenet1_0", set={"input.height": 227, "input.width": 227}).graph
    assert {row: graph.type_of(graph.scopes[row]).shape for row in SQUEEZENET} == SQUEEZENET


def test_bn_inception_with_the_biases_that_its_converted_weights_have():
    """The port of Caffe's weights to PyTorch keeps a bias beside every batch norm: one for each of 10,016 filters."""
    assert load_spec("bn_inception", set={"conv_bias": True}).totals.params == 11_295_240


#: Where pretrainedmodels' NASNet pads a reduction above and on the left, and the MACs that it comes to.
PADDED_REDUCTIONS = {
    "nasnet_a_mobile": (("stem2", "reduce_a", "reduce_b"), 568_234_858),
    "nasnet_a_large": (("reduce_a",), 23_809_955_634),
}


@pytest.mark.parametrize("name", PADDED_REDUCTIONS)
def test_what_another_port_of_nasnet_computes_and_cuts_off(name):
    """In such a cell the first half of a separable convolution has one more row and column, which are cut off again."""
    cells, counted = PADDED_REDUCTIONS[name]
    loaded = load_spec(name)
    more = 0
    for node in loaded.graph.nodes:
        if node.path.split(".")[0] in cells and ".separable_1.conv1." in node.path and isinstance(node.op, Conv):
            height, width, _ = node.type.shape
            macs = node.op.cost(loaded.graph.types_into(node), node.type).macs
            more += macs // (height * width) * (height + width + 1)
    assert loaded.totals.macs + more == counted
