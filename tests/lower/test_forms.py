"""Every form computes what the plain one computes, forward and gradient, on random shapes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cnnspec.frontend import load_spec
from cnnspec.graph import Node, Ref
from cnnspec.lower.forms import norm
from cnnspec.lower.forms.choose import choose, choose_all
from cnnspec.lower.forms.conv import Geometry, plain
from cnnspec.lower.forms.layouts import LAYOUTS
from cnnspec.lower.forms.measure import candidates
from cnnspec.lower.forms.pool import max_pool, sum_pool
from cnnspec.lower.forms.table import FORMS, compute, fits
from cnnspec.passes.pipeline import run_passes
from cnnspec.registry import op_class
from cnnspec.types import TensorType

#: Forms that compute convolutions without groups only.
ALONE = ("dot", "im2col", "winograd")


@st.composite
def convolutions(draw, form):
    """Input, kernel, gradient of the output, and geometry of a small convolution that a form can compute."""
    depthwise = form in ("shifted", "depthwise")
    groups = 1 if form in ALONE else draw(st.integers(1 if form == "ordinary" else 2, 4))
    channels = groups if depthwise else groups * draw(st.integers(1, 3))
    alike = {"dot": (1, 1), "winograd": (3, 3)}
    window = alike.get(form) or (draw(st.integers(1, 4)), draw(st.integers(2 if form == "im2col" else 1, 4)))
    stride, dilation = (((1, 1), (1, 1)) if form == "winograd" else
                        tuple((draw(st.integers(1, most)), draw(st.integers(1, most))) for most in (3, 2)))  # fmt: skip
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    # Where the output is larger than the input, XLA's simplifier fails on the gradient that JAX derives.
    before = [draw(st.integers(0, r - 1)) for r in reach]
    padding = tuple((b, draw(st.integers(0, r - 1 - b))) for b, r in zip(before, reach, strict=True))
    size = (draw(st.integers(2, 7)), draw(st.integers(2, 7)))
    room = [s + sum(p) - r for s, p, r in zip(size, padding, reach, strict=True)]
    assume(min(room) >= 0)
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    batch, filters = draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    x = random.standard_normal((batch, *size, channels)).astype(np.float32)
    kernel = random.standard_normal((*window, channels // groups, filters)).astype(np.float32)
    sizes = [r // s + 1 for r, s in zip(room, stride, strict=True)]
    gradient = random.standard_normal((batch, *sizes, filters)).astype(np.float32)
    return x, kernel, gradient, Geometry(stride, padding, dilation, groups)


@pytest.mark.parametrize("form", [name for name in FORMS if name != "plain"])
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_a_form_of_convolution(form, data):
    """The outputs, the gradients to input and kernel, and the outputs by a kernel that was laid out before."""
    x, kernel, gradient, geometry = data.draw(convolutions(form))
    assert fits(form, x.shape[-1], kernel.shape, geometry)

    @jax.jit  # one program: what takes the time here is compiling
    def both(x, kernel, gradient):
        expected, back = jax.vjp(lambda x, k: plain(x, k, geometry), x, kernel)
        found, fast = jax.vjp(lambda x, k: compute(form, x, k, geometry), x, kernel)
        laid = LAYOUTS[form](kernel, geometry.groups) if form in LAYOUTS else None
        again = compute(form, x, kernel, geometry, laid)
        return (found, again, *fast(gradient)), (expected, expected, *back(gradient))

    for one, other in zip(*both(x, kernel, gradient), strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5 * float(jnp.abs(other).max() + 1))


@pytest.mark.parametrize("form", ["split", "block_diagonal"])
def test_gradients_of_groups_are_put_side_by_side(form):
    """Not padded to the whole kernel each and summed up, which takes the square of the groups."""
    x, kernel = jnp.zeros((1, 5, 5, 256)), jnp.zeros((3, 3, 64, 256))
    geometry = Geometry((1, 1), ((1, 1), (1, 1)), (1, 1), 4)
    program = jax.make_jaxpr(jax.grad(lambda k: FORMS[form](x, k, geometry).sum()))(kernel)
    primitives = {equation.primitive.name for equation in program.eqns}
    assert primitives & {"concatenate", "stack"}
    assert not primitives & {"pad", "add_any", "scatter", "scatter-add", "dynamic_update_slice"}


@settings(max_examples=8, deadline=None)
@given(
    size=st.tuples(st.integers(3, 8), st.integers(3, 8)), window=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)), pad=st.tuples(st.integers(0, 1), st.integers(0, 1)),
)  # fmt: skip
def test_forms_of_pooling(size, window, stride, pad):
    assume(all(s + sum(pad) >= w for s, w in zip(size, window, strict=True)))
    # Distinct values: where two are the largest, forms may choose either, and the gradient goes another way.
    x = np.random.default_rng(0).permutation(2 * size[0] * size[1] * 2).reshape(2, *size, 2).astype(np.float32)

    @jax.jit
    def both(x):
        found = []
        for form in ("slices", "plain"):
            for pool in (max_pool, sum_pool):
                value, back = jax.vjp(lambda x, pool=pool, form=form: pool(x, window, stride, (pad, pad), form), x)
                found += [value, *back(jnp.sin(value))]
        return found[:4], found[4:]

    for one, other in zip(*both(x), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@settings(max_examples=6, deadline=None)
@given(shape=st.lists(st.integers(1, 5), min_size=2, max_size=4), epsilon=st.sampled_from([1e-5, 1e-3]))
def test_forms_of_batch_normalisation(shape, epsilon):
    """The outputs, the statistics, and the gradients to input, scale and bias."""
    random = np.random.default_rng(0)
    x = 3 + random.standard_normal((4, *shape)).astype(np.float32)
    scale, bias, gradient = (random.standard_normal(s).astype(np.float32) for s in (shape[-1], shape[-1], x.shape))

    @jax.jit
    def both(*given):
        found = []
        for form in ("swept", "plain"):
            value, back, statistics = jax.vjp(
                lambda *g, f=form: _apart(norm.compute(f, *g, epsilon)), *given, has_aux=True
            )
            found.append((value, *statistics, *back(gradient)))
        return found

    for one, other in zip(*both(x, scale, bias), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=2e-5 * float(jnp.abs(other).max() + 1))


def _apart(found):
    return found[0], found[1:]


def test_products_with_a_border():
    geometry = Geometry((2, 1), ((1, 2), (0, 1)), (1, 1), 1)
    random = np.random.default_rng(0)
    x, kernel = (random.standard_normal(shape).astype(np.float32) for shape in ((2, 3, 4, 5), (1, 1, 5, 2)))
    np.testing.assert_allclose(compute("dot", x, kernel, geometry), plain(x, kernel, geometry), rtol=1e-5, atol=1e-5)


def test_too_many_groups_are_merged():
    """A program of hundreds of convolutions takes minutes to compile."""
    x, op = TensorType((8, 8, 1024)), op_class("conv").model_validate({"filters": 1024, "groups": 128}, strict=True)
    node = Node("a", op, (Ref("x"),), (op.infer(x),))
    assert choose(node, (x,)).form == "block_diagonal"
    assert "split" not in candidates(node, (x,))


@pytest.mark.parametrize(
    ("size", "filters", "more", "chosen"),
    [((56, 56, 64), 64, {}, True), ((7, 7, 512), 512, {}, True), ((56, 56, 64), 32, {}, False), ((56, 56, 32), 64, {}, False),
     ((112, 112, 128), 128, {}, False), ((56, 56, 64), 64, {"stride": 2}, False), ((56, 56, 64), 64, {"kernel": [3, 1]}, False),
     ((56, 56, 64), 64, {"dilation": 2}, False)],
)  # fmt: skip
def test_winograd_for_large_convolutions_whose_tiles_find_room(size, filters, more, chosen):
    """In inference only, and in the full precision."""
    fields = {"filters": filters, "kernel": [3, 3], "padding": "same", **more}
    op = op_class("conv").model_validate(fields, strict=True)
    for dtype in ("float32", "bfloat16"):
        x = TensorType(size, dtype)
        node = Node("a", op, (Ref("x"),), (op.infer(x),))
        assert (choose(node, (x,)).form == "winograd") == (chosen and dtype == "float32")
        assert choose(node, (x,), train=True).form != "winograd"
        assert choose(node, (x,), platform="cuda").form == "plain"


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnext50_32x4d", "googlenet", "lenet5"])
def test_the_choice_is_total_and_fits(name):
    graph = run_passes(load_spec(name).graph, "infer")[-1].graph
    choices = choose_all(graph)
    assert set(choices) == {node.path for node in graph.nodes}
    assert choices == choose_all(graph)
    for node in graph.nodes:
        form = choices[node.path].form
        if node.op.key == "conv":
            assert form in candidates(node, graph.types_into(node))
        for platform in ("cuda", "tpu"):
            assert choose(node, graph.types_into(node), platform).form == "plain"
