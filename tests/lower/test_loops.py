"""Depth as a loop, and activations computed again: the same numbers, found in another order."""

from __future__ import annotations

import re
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import cnnspec
from cnnspec.lower.loops import find_loops
from cnnspec.lower.program import Program
from cnnspec.lower.training import TrainingFunction

CHAIN = {
    "cnnspec": 1, "name": "chain", "input": {"height": 6, "width": 6, "channels": 4},
    "layers": [
        {"id": "stage", "repeat": 6, "basic": {"filters": 8, "survival": "${1 - (index + 1) / 20}"},
         "first": {"stride": 2}},
        {"id": "grouped", "repeat": 5, "conv": {"filters": 8, "kernel": 3, "groups": 2, "norm": "batch", "act": "relu"}},
        {"id": "depthwise", "repeat": 4, "conv": {"depthwise": True, "kernel": 3, "dilation": 2, "norm": "batch"}},
        "global_avg_pool",
        {"id": "classifier", "linear": {"features": 3}},
    ],
    "outputs": {"logits": "classifier"},
}  # fmt: skip


@pytest.fixture(scope="module")
def chain():
    network = cnnspec.compile(CHAIN)
    params, state = network.init(1)
    x = np.random.default_rng(0).standard_normal((3, 6, 6, 4)).astype(np.float32)
    return network, params, state, x


@pytest.fixture(scope="module")
def unrolled(chain):
    network, params, state, x = chain
    return step(network.apply, params, state, x)


def step(apply, params, state, x):
    """The loss, the new state and the gradients by path."""

    def loss(params):
        outputs, after = apply(params, state, x, rng=jax.random.key(3), train=True)
        return jnp.square(outputs["logits"]).sum(), after

    (value, after), gradients = jax.jit(jax.value_and_grad(loss, has_aux=True))(params)
    return value, after, gradients


def alike(found, expected):
    assert found.keys() == expected.keys()
    for path, value in expected.items():
        np.testing.assert_allclose(
            found[path], value, rtol=2e-4, atol=2e-5 * float(np.abs(value).max() + 1), err_msg=path
        )


def test_what_is_rolled_up(chain):
    network = chain[0]
    loops = find_loops(network.train_stages[-1].graph, 0)
    assert [loop.name for loop in loops] == ["stage.[1-5]", "grouped.[1-4]", "depthwise.[0-3]"] or [
        loop.name for loop in loops
    ] == ["stage.[1-5]", "grouped.[0-4]", "depthwise.[0-3]"]
    assert find_loops(network.train_stages[-1].graph, 1000) == ()
    first = loops[0]
    assert first.stacks[f"{first.name}.conv1.kernel"] == tuple(f"stage.{i}.conv1.kernel" for i in range(1, 6))


@pytest.mark.parametrize("held", ["by path", "stacked"])
@pytest.mark.parametrize("remat", [(), ("stage",), ("stage", "grouped.2", "classifier")])
def test_a_step_in_loops_is_the_unrolled_step(chain, unrolled, held, remat):
    network, params, state, x = chain
    value, after, gradients = unrolled
    rolled = TrainingFunction(network.train_stages[-1].graph, remat, loop_layers=0)
    assert len(rolled.program.loops) == 3
    if held == "stacked":
        found = step(rolled, rolled.stack(params), rolled.stack(state), x)
        assert any(".[" in path for path in found[2])
        loss, moved, slopes = found[0], rolled.unstack(found[1]), rolled.unstack(found[2])
    else:
        loss, moved, slopes = step(rolled, params, state, x)
    np.testing.assert_allclose(loss, value, rtol=1e-5)
    alike(moved, after)
    alike(slopes, gradients)


def test_gradients_in_loops_are_ordinary_convolutions():
    """Strided and grouped ones too: none of what XLA's CPU compiler has no fast kernel for in the body of a loop."""
    body = [{"id": "down", "conv": {"filters": 8, "kernel": 3, "stride": 2, "padding": 1}},
            {"id": "up", "upsample": 2}, {"id": "grouped", "conv": {"filters": 8, "kernel": 3, "groups": 2}},
            {"id": "merged", "conv": {"filters": 8, "kernel": 3, "groups": 4}}]  # fmt: skip
    spec = {"cnnspec": 1, "name": "net", "input": {"height": 16, "width": 16, "channels": 8},
            "layers": [{"id": "stage", "repeat": 4, "layers": body}], "outputs": {"main": "stage"}}  # fmt: skip
    network = cnnspec.compile(spec)
    params, state = network.init()
    x = np.zeros((2, 16, 16, 8), np.float32)

    def odd(loop_layers):
        function = TrainingFunction(network.train_stages[-1].graph, loop_layers=loop_layers)
        gradient = jax.jit(jax.grad(lambda p: function(p, state, x)[0]["main"].sum()))
        text = gradient.trace(params).lower(lowering_platforms=("cpu",)).as_text()
        assert text.count("stablehlo.convolution") > 6
        assert ("stablehlo.while" in text) == (loop_layers == 0)
        found = re.findall(r"(?:feature|batch)_group_count = (\d+)|lhs_dilate = \[(\d+), (\d+)\]", text)
        return [numbers for numbers in found if set(numbers) - {"", "1"}]

    assert odd(0) == []
    assert odd(10**9)


def test_rolling_is_undone(chain):
    network, params, _, _ = chain
    function = TrainingFunction(network.train_stages[-1].graph, loop_layers=0)
    tree = ({"momentum": params, "count": 3}, [params])
    back = function.unstack(function.stack(tree))
    assert jax.tree.structure(back) == jax.tree.structure(tree)
    assert all(np.array_equal(a, b) for a, b in zip(jax.tree.leaves(back), jax.tree.leaves(tree), strict=True))


def test_kinds_are_kept_apart(chain):
    """Frozen and learned parameters never share an array; iterations that differ in it stay unrolled."""
    network = chain[0]
    graph = network.train_stages[-1].graph
    function = TrainingFunction(graph, kind=lambda path: path.startswith("stage.3."), loop_layers=0)
    assert not any(loop.name.startswith("stage") for loop in function.program.loops)


def test_a_record_brings_the_same_choices_back(chain):
    network = chain[0]
    graph = network.train_stages[-1].graph
    rolled = TrainingFunction(graph, loop_layers=0)
    again = TrainingFunction(graph, recorded=rolled.record)
    assert again.program.forms == rolled.program.forms
    assert again.layout == rolled.layout
    flat = TrainingFunction(graph, recorded=TrainingFunction(graph).record)
    assert flat.layout == {}


def test_inference_in_loops_and_features_within_them(chain):
    network, params, state, x = chain
    graph = network.infer_stages[-1].graph
    prepared = network.prepare(params, state)
    rolled = Program(graph, {}, find_loops(graph, 0))
    expected, _ = Program(graph).apply(prepared, prepared, x, features=["stage.2", "stage"])
    found, _ = rolled.apply(prepared, prepared, x, features=["stage.2", "stage"])
    alike(found, expected)
    alike(rolled.apply(prepared, prepared, x)[0], {"logits": expected["logits"]})


@pytest.mark.slow
def test_1202_layers_compile_and_run_stacked():
    network = cnnspec.compile("resnet1202_cifar")
    assert len(network.inference_program.loops) == 3
    params, state = network.init()
    prepared = network.prepare(params, state)
    assert len(prepared) < 100
    x = np.zeros((1, 32, 32, 3), np.float32)
    assert network.infer(prepared, x)["logits"].shape == (1, 10)
    whole, _ = Program(network.infer_stages[-1].graph).apply(
        *(2 * [{**prepared, **_flat(network, prepared)}]), x, features=["stage1.3"]
    )
    alike(network.infer(prepared, x, features=["stage1.3"]), whole)


def _flat(network, prepared):
    from cnnspec.lower.loops import stack_layout, unstack

    return unstack(stack_layout(network.inference_program.loops), prepared, lambda array, i: array[i])


@pytest.mark.slow
def test_1202_layers_compile_in_seconds(monkeypatch, request):
    """In seconds of the processor, so that the load of the machine does not count; without what was compiled before."""
    monkeypatch.setattr("cnnspec.compiled.enable_compilation_cache", lambda: None)
    monkeypatch.setenv("CNNSPEC_CACHE", "off")
    kept = jax.config.jax_enable_compilation_cache
    request.addfinalizer(lambda: jax.config.update("jax_enable_compilation_cache", kept))
    jax.config.update("jax_enable_compilation_cache", False)
    network = cnnspec.compile("resnet1202_cifar")
    params, state = network.init()
    image = {"input": jax.ShapeDtypeStruct((8, 32, 32, 3), "float32")}

    def seconds(make):
        begin = time.process_time()
        make().compile()
        return time.process_time() - begin

    assert seconds(lambda: jax.jit(network.inference_function).lower(network.prepared_shapes(params, state), image)) < 5

    def gradient():
        function = network.training()

        def loss(params, state, x):
            outputs, after = function(params, state, x, rng=jax.random.key(0))
            return outputs["logits"].sum(), after

        return jax.jit(jax.value_and_grad(loss, has_aux=True)).lower(
            function.stack(params), function.stack(state), image["input"]
        )

    assert seconds(gradient) < 10
