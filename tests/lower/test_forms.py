"""Every form computes what the plain one computes, forward and gradient, on random shapes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cnnspec.frontend import load_spec
from cnnspec.lower.forms.choose import choose, choose_all
from cnnspec.lower.forms.conv import Geometry, plain
from cnnspec.lower.forms.pool import max_pool, sum_pool
from cnnspec.lower.forms.table import FORMS, compute, fits
from cnnspec.passes.pipeline import run_passes


@st.composite
def convolutions(draw):
    """Input, kernel and geometry of a convolution that some fast form can compute."""
    form = draw(st.sampled_from([name for name in FORMS if name != "plain"]))
    each = draw(st.integers(1, 4))
    groups = {"dot": 1, "im2col": 1}.get(form) or draw(st.integers(1 if form == "ordinary" else 2, 6))
    channels = groups if form in ("shifted", "depthwise") else groups * each
    window = (1, 1) if form == "dot" else (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    dilation = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    padding = tuple((draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in range(2))
    size = (draw(st.integers(4, 9)), draw(st.integers(4, 9)))
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    assume(all(s + sum(p) >= r for s, p, r in zip(size, padding, reach, strict=True)))
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    x = random.standard_normal((draw(st.integers(1, 3)), *size, channels)).astype(np.float32)
    kernel = random.standard_normal((*window, channels // groups, groups * draw(st.integers(1, 3)))).astype(np.float32)
    return form, x, kernel, Geometry(stride, padding, dilation, groups)


@settings(max_examples=25, deadline=None)
@given(convolutions())
def test_forms_of_convolution(case):
    form, x, kernel, geometry = case
    assert fits(form, x.shape[-1], kernel.shape, geometry.groups)
    expected = plain(x, kernel, geometry)
    found = compute(form, jnp.asarray(x), jnp.asarray(kernel), geometry)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * float(jnp.abs(expected).max() + 1))

    def loss(function):
        return jax.grad(lambda x, k: jnp.sin(function(x, k)).sum(), argnums=(0, 1))(jnp.asarray(x), jnp.asarray(kernel))

    wanted = loss(lambda x, k: plain(x, k, geometry))
    for one, other in zip(loss(lambda x, k: compute(form, x, k, geometry)), wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * float(jnp.abs(other).max() + 1))


@settings(max_examples=15, deadline=None)
@given(
    size=st.tuples(st.integers(4, 9), st.integers(4, 9)), window=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)), pad=st.tuples(st.integers(0, 1), st.integers(0, 1)),
)  # fmt: skip
def test_forms_of_pooling(size, window, stride, pad):
    x = jnp.asarray(np.random.default_rng(0).standard_normal((2, *size, 3)), jnp.float32)
    for pool in (max_pool, sum_pool):
        assert_alike(lambda x, form, pool=pool: pool(x, window, stride, (pad, pad), form), x)


def assert_alike(pool, x):
    """A pool in both forms, forward and gradient."""
    np.testing.assert_allclose(pool(x, "slices"), pool(x, "plain"), rtol=1e-6, atol=1e-6)
    one, other = (jax.grad(lambda x, form=form: jnp.sin(pool(x, form)).sum())(x) for form in ("slices", "plain"))
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnext50_32x4d", "googlenet", "lenet5"])
def test_the_choice_is_total_and_fits(name):
    graph = run_passes(load_spec(name).graph, "infer")[-1].graph
    choices = choose_all(graph)
    assert set(choices) == {node.path for node in graph.nodes}
    assert choices == choose_all(graph)
    for node in graph.nodes:
        form = choices[node.path].form
        if node.op.key == "conv":
            (x,) = graph.types_into(node)
            groups = node.op.resolved_groups(x)
            assert fits(form, x.channels, node.op.parameters(x)["kernel"].shape, groups)
        for platform in ("cuda", "tpu"):
            assert choose(node, graph.types_into(node), platform).form == "plain"
