"""The compiled network: passes keep outputs, module equals program, state moves, features, bfloat16, symbolic batch."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import cnnspec
from cnnspec.diagnostics import SpecError
from cnnspec.lower.initialise import initial_values
from cnnspec.lower.module import parameters_of
from cnnspec.lower.program import Program
from cnnspec.weights.synthetic import synthetic_inputs, synthetic_weights

SMALL = {"input.height": 48, "input.width": 48}
FAMILIES = [
    ("resnet18", SMALL), ("densenet121", SMALL), ("mobilenet_v2", SMALL), ("efficientnet_b0", SMALL), ("capsnet", {}),
    ("shufflenet_v2_x1_0", SMALL), ("squeezenet1_0_complex_bypass", SMALL), ("lenet5", {}), ("se_resnext50_32x4d", SMALL),
    ("googlenet_torchvision", {"input.height": 64, "input.width": 64}), ("wrn_28_10", {"k": 1}),
]  # fmt: skip


def network(name, settings):
    compiled = cnnspec.compile(name, set=settings)
    params, state = compiled.split(synthetic_weights(compiled.graph))
    return compiled, params, state, synthetic_inputs(compiled.inference_program.graph, 2)


@pytest.mark.parametrize(("name", "settings"), FAMILIES)
def test_passes_and_forms_keep_the_outputs(name, settings):
    """From the first pass to the last form; `tests/passes` looks at each pass by itself."""
    compiled, params, state, inputs = network(name, settings)
    plain = Program(compiled.infer_stages[1].graph)
    expected, _ = jax.jit(plain.apply)(params, state, inputs)
    found = compiled.infer(compiled.prepare(params, state), inputs)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-4, atol=5e-5 * float(jnp.abs(value).max()))


@pytest.mark.parametrize(("name", "settings"), [FAMILIES[0], FAMILIES[4], FAMILIES[7]])
def test_the_module_equals_the_program(name, settings):
    compiled, params, state, inputs = network(name, settings)
    model = cnnspec.build(name, set=settings, weights={**params, **state})
    assert set(parameters_of(model)) == set(compiled.graph.parameters)
    mine = model(inputs)
    theirs = compiled.infer(compiled.prepare(params, state), inputs)
    for key, value in theirs.items():
        other = mine[key] if isinstance(mine, dict) else mine
        np.testing.assert_allclose(value, other, rtol=1e-3, atol=1e-4 * float(jnp.abs(value).max()))


def test_the_paths_of_the_module_are_those_of_the_spec():
    model = cnnspec.build("resnet18", set=SMALL)
    found = {".".join(map(str, path)) for path, _ in nnx.to_flat_state(nnx.state(model, nnx.Param))}
    graph = cnnspec.load_spec("resnet18", set=SMALL).graph
    assert found == {path for path, parameter in graph.parameters.items() if parameter.trainable}
    assert model.stage1[0].conv1.kernel.shape == (3, 3, 64, 64)


def test_a_users_own_loop():
    model = cnnspec.build("lenet5_modern", rngs=nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, optax.adam(3e-3), wrt=nnx.Param)
    images = np.random.default_rng(0).standard_normal((10, 32, 32, 1)).astype(np.float32)
    labels = np.arange(10)

    @nnx.jit
    def step(model, optimizer):
        def loss(model):
            return optax.softmax_cross_entropy_with_integer_labels(model(images), labels).mean()

        value, gradients = nnx.value_and_grad(loss)(model)
        optimizer.update(model, gradients)
        return value

    model.train()
    losses = [float(step(model, optimizer)) for _ in range(40)]
    assert losses[-1] < 0.1 * losses[0]
    graphdef, state = nnx.split(model)
    again = nnx.merge(graphdef, state)
    model.eval()
    again.eval()
    np.testing.assert_allclose(again(images), model(images), rtol=1e-6)


def test_training_moves_the_running_statistics_and_inference_does_not():
    compiled, params, state, inputs = network("resnet18", SMALL)
    _, moved = compiled.apply(params, state, inputs, train=True)
    _, kept = compiled.apply(params, state, inputs)
    assert any(bool((moved[path] != state[path]).any()) for path in state)
    assert all(bool((kept[path] == state[path]).all()) for path in state)


def test_the_running_variance_is_biased_or_unbiased():
    x = np.random.default_rng(0).standard_normal((4, 3, 3, 2)).astype(np.float32)
    for kind, degrees in (("biased", 0), ("unbiased", 1)):
        spec = {"cnnspec": 1, "name": "n", "input": {"height": 3, "width": 3, "channels": 2},
                "layers": [{"id": "norm", "batch_norm": {"momentum": 0.75, "running_variance": kind}}]}  # fmt: skip
        compiled = cnnspec.compile(spec)
        params, state = compiled.init()
        _, moved = compiled.apply(params, state, x, train=True)
        expected = 0.75 + 0.25 * x.reshape(-1, 2).var(0, ddof=degrees)
        np.testing.assert_allclose(moved["norm.var"], expected, rtol=1e-5)


def test_features_of_a_split_are_named_by_part():
    spec = {"cnnspec": 1, "name": "n", "input": {"features": 6},
            "layers": [{"id": "parts", "split": {"sizes": [2, 4]}}, {"id": "last", "from": "parts:1", "activation": "relu"}]}  # fmt: skip
    compiled = cnnspec.compile(spec)
    x = np.arange(6, dtype=np.float32)[None]
    outputs, _ = compiled.apply(*compiled.init(seed=0), x, features=["parts:0", "parts:1"])
    np.testing.assert_array_equal(outputs["parts:0"], x[:, :2])
    np.testing.assert_array_equal(outputs["parts:1"], x[:, 2:])
    with pytest.raises(KeyError, match="no node `parts:2`"):
        compiled.apply(*compiled.init(seed=0), x, features=["parts:2"])


def test_features_by_id_and_training_only_outputs():
    compiled, params, state, inputs = network("googlenet", {})
    outputs = jax.eval_shape(
        lambda p, s, x: compiled.apply(p, s, x, rng=jax.random.key(0), train=True, features=["inception_3a"])[0],
        params, state, inputs,
    )  # fmt: skip
    assert {k: v.shape for k, v in outputs.items()} == {
        "logits": (2, 1000), "aux1": (2, 1000), "aux2": (2, 1000), "inception_3a": (2, 28, 28, 256)
    }  # fmt: skip
    assert set(compiled.inference_program.graph.outputs) == {"logits"}
    with pytest.raises(KeyError, match="did you mean"):
        compiled.apply(params, state, inputs, features=["inception_3"])


def test_bfloat16_computes_in_bfloat16_and_answers_in_float32():
    compiled, params, state, inputs = network("resnet18", SMALL)
    half = cnnspec.compile("resnet18", set=SMALL, dtype="bfloat16")
    outputs = half.infer(half.prepare(params, state), inputs, features=["stage1"])
    assert outputs["stage1"].dtype == jnp.bfloat16
    assert outputs["logits"].dtype == jnp.float32
    exact = compiled.infer(compiled.prepare(params, state), inputs)["logits"]
    assert 0 < float(jnp.abs(outputs["logits"] - exact).max() / jnp.abs(exact).max()) < 0.05


def test_random_streams_follow_the_paths():
    spec = {"cnnspec": 1, "name": "n", "input": {"features": 64},
            "layers": [{"id": "a", "dropout": 0.5}, {"id": "b", "from": "input", "dropout": 0.5}],
            "outputs": ["a", "b"]}  # fmt: skip
    compiled = cnnspec.compile(spec)
    x = np.ones((2, 64), np.float32)
    one, _ = compiled.apply({}, {}, x, rng=jax.random.key(1), train=True)
    same, _ = compiled.apply({}, {}, x, rng=jax.random.key(1), train=True)
    assert bool((one["a"] == same["a"]).all())
    assert not bool((one["a"] == one["b"]).all())
    with pytest.raises(ValueError, match="rng"):
        compiled.apply({}, {}, x, train=True)


@pytest.mark.parametrize("batch", [1, 3, 7])
def test_wrong_inputs_are_told(batch):
    compiled, params, state, _ = network("lenet5", {})
    prepared = compiled.prepare(params, state)
    assert compiled.infer(prepared, np.zeros((batch, 32, 32, 1), np.float32))["distances"].shape == (batch, 10)
    with pytest.raises(ValueError, match=r"\[N, 32, 32, 1\]"):
        compiled.infer(prepared, np.zeros((batch, 28, 28, 1), np.float32))
    with pytest.raises(ValueError, match="no input `pixels`"):
        compiled.infer(prepared, {"pixels": np.zeros((batch, 32, 32, 1), np.float32)})


def test_initial_values_follow_the_path_and_not_the_order():
    graph = cnnspec.load_spec("resnet18").graph
    params, state = initial_values(graph, 3)
    turned = graph.with_nodes(graph.nodes, parameters=dict(reversed(graph.parameters.items())))
    again, _ = initial_values(turned, 3)
    assert all((params[path] == again[path]).all() for path in params)
    kernel = params["stage4.1.conv2.kernel"]
    np.testing.assert_allclose(kernel.std(), np.sqrt(2 / (9 * 512)), rtol=0.01)
    assert np.abs(kernel).max() < 2.3 * np.sqrt(2 / (9 * 512))
    assert (state["stage1.0.conv1.norm.var"] == 1).all()


def test_weights_of_another_network_are_refused():
    compiled = cnnspec.compile("lenet5_modern")
    params, state = compiled.init()
    with pytest.raises(SpecError, match="are missing"):
        compiled.split({**dict(list(params.items())[1:]), **state})
    with pytest.raises(SpecError, match="have another shape"):
        compiled.split({**params, "c1.bias": np.zeros(7)})
