"""Convolutions by oneDNN: equal to XLA's own with all that is computed with them, and used where nothing transforms them."""

from __future__ import annotations

import warnings
from functools import reduce
from operator import add

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import cnnspec
from cnnspec.cache import not_cached
from cnnspec.lower import onednn
from cnnspec.lower.forms.conv import Geometry, plain
from cnnspec.lower.fuse import FusedConv, fuse
from cnnspec.ops.activation import Activation
from cnnspec.passes.verify import verify

library = pytest.mark.skipif(not onednn.available(), reason="this jaxlib or processor has no oneDNN")

#: Two branches that a sum joins, a convolution that two nodes see, one that is an output, an activation that is not fused.
NETWORK = """
cnnspec: 1
name: net
input: {height: 24, width: 20, channels: 64}
layers:
  - {id: a, conv: {filters: 64, norm: batch, act: relu}}
  - {id: left, conv: {filters: 96, kernel: 5, norm: batch}}
  - {id: right, from: a, conv: {filters: 96, kernel: 1, norm: batch}}
  - {id: joined, from: [left, right], add: {}}
  - {id: clipped, activation: relu6}
  - {id: deep, conv: {depthwise: true, norm: batch, act: silu}}
  - {id: seen, conv: {filters: 64, groups: 2}}
  - {id: one, from: seen, activation: relu}
  - {id: two, from: seen, activation: tanh}
  - {id: sum, from: [one, two], add: {}}
outputs: {first: sum, second: deep}
"""


@st.composite
def convolutions(draw):
    """Input, kernel, bias, summand (either may be absent), geometry and activation of a small convolution."""
    depthwise = draw(st.booleans())
    groups = draw(st.integers(2, 9)) if depthwise else draw(st.integers(1, 3))
    width = 1 if depthwise else draw(st.integers(1, 18))
    filters = groups * draw(st.integers(1, 2 if depthwise else 20))
    window, stride, dilation = (tuple(draw(st.integers(1, most)) for _ in "hw") for most in (5, 3, 2))
    size = tuple(draw(st.integers(1, 12)) for _ in "hw")
    padding = tuple((draw(st.integers(0, k - 1)), draw(st.integers(0, k - 1))) for k in window)
    room = [s + sum(p) - (k - 1) * d - 1 for s, p, k, d in zip(size, padding, window, dilation, strict=True)]
    assume(min(room) >= 0)
    batch, random = draw(st.integers(1, 3)), np.random.default_rng(draw(st.integers(0, 2**16)))
    shapes = (
        (batch, *size, groups * width), (*window, width, filters), (filters,),
        (batch, *(r // s + 1 for r, s in zip(room, stride, strict=True)), filters),
    )  # fmt: skip
    x, kernel, bias, summand = (random.standard_normal(shape, np.float32) for shape in shapes)
    geometry = Geometry(stride, padding, dilation, groups)
    act = draw(st.sampled_from([None, *onednn.ACTIVATIONS]))
    return x, kernel, geometry, draw(st.sampled_from([bias, None])), draw(st.sampled_from([summand, None])), act


@library
@settings(max_examples=60, deadline=None)
@given(convolutions())
def test_a_convolution_with_what_follows(given):
    x, kernel, geometry, bias, summand, act = given
    with not_cached():
        found = jax.jit(lambda *a: onednn.convolve(a[0], a[1], geometry, a[2], a[3], act))(x, kernel, bias, summand)
    parts = [plain(x, kernel, geometry), *(part for part in (bias, summand) if part is not None)]
    total = reduce(add, parts)
    expected = total if act is None else Activation(function=act).lower(None, total)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * max(1.0, float(jnp.abs(total).max())))


def test_what_becomes_part_of_a_convolution():
    graph = cnnspec.compile(NETWORK).inference_program.graph
    fused = fuse(graph, {node.path for node in graph.nodes if node.op.key == "conv"})
    verify(fused, "fuse")
    made = {node.path: (node.op.function, len(node.inputs)) for node in fused.nodes if isinstance(node.op, FusedConv)}
    assert made == {"a": ("relu", 1), "left": ("relu6", 2), "right": (None, 1), "deep": (None, 1),
                    "seen": (None, 1)}  # fmt: skip
    assert [node.path for node in fused.nodes if not isinstance(node.op, FusedConv)] == [
        "deep.act",
        "one",
        "two",
        "sum",
    ]
    assert {name: ref.node for name, ref in fused.outputs.items()} == {"first": "sum", "second": "deep.act"}


@pytest.fixture
def network():
    network = cnnspec.compile(NETWORK)
    prepared = network.prepare(*network.init(1))
    x = np.random.default_rng(0).standard_normal((5, 24, 20, 64), np.float32)
    return network, prepared, x


def close(found, expected):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 * float(np.abs(b).max())), found, expected)  # fmt: skip


@library
@pytest.mark.parametrize("batch", [1, 4, 5])
def test_a_network_is_what_the_portable_program_is(network, batch):
    network, prepared, x = network
    assert network.native is not None
    forms = {path: choice.form for path, choice in network.choices("cpu", batch, native=True).items()}
    assert "onednn" in forms.values()
    assert "onednn" not in {choice.form for choice in network.choices("cpu", batch).values()}
    close(network.infer(prepared, x[:batch]), jax.jit(network.inference_function)(prepared, x[:batch]))
    assert set(network.infer(prepared, x[:batch], features=("left",))) == {"first", "second", "left"}


def test_transformations_meet_the_portable_program(network):
    network, prepared, x = network
    expected = network.inference_function(prepared, x)
    close(jax.jit(network.infer)(prepared, x), expected)
    close(jax.vmap(lambda image: network.infer(prepared, image[None]))(x)["first"][:, 0], expected["first"])
    gradients = jax.grad(lambda x: network.infer(prepared, x)["second"].sum())(x[:1])
    close(gradients, jax.grad(lambda x: network.inference_function(prepared, x)["second"].sum())(x[:1]))


@library
def test_it_is_left_alone_where_it_is_not_known(monkeypatch, tmp_path):
    for name, value in (("TESTED", ()), ("_agrees", lambda: False)):
        with monkeypatch.context() as patch:
            patch.setattr(onednn, name, value)
            assert not onednn.available.__wrapped__()
    monkeypatch.setenv("CNNSPEC_ONEDNN", "off")
    assert not onednn.available.__wrapped__()
    monkeypatch.setattr(onednn, "available", lambda: False)
    network = cnnspec.compile(NETWORK)
    assert network.native is None
    assert network.infer(network.prepare(*network.init()), np.zeros((1, 24, 20, 64), np.float32))["first"].shape == (
        1,
        24,
        20,
        64,
    )


@library
def test_nothing_of_it_is_written_to_the_compilation_cache(network, tmp_path):
    network, prepared, x = network
    names = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
    before = {name: getattr(jax.config, name) for name in names}
    try:
        jax.config.update("jax_compilation_cache_dir", str(tmp_path))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            network.infer(prepared, x[:2])
        assert jax.config.jax_persistent_cache_min_compile_time_secs == 0
    finally:
        for name, value in before.items():
            jax.config.update(name, value)
    assert not list(tmp_path.glob("jit_run*"))
