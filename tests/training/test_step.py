"""The step: what is averaged, what stays frozen, and what mixing does to pixels and labels."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from cnnspec.compiled import Compiled
from cnnspec.data.config import Mixing
from cnnspec.document import Preprocess
from cnnspec.frontend import load_spec
from cnnspec.training.mixing import mix
from cnnspec.training.optimisers import learning_rate, optimiser
from cnnspec.training.recipe import Loss, Optimizer, Recipe
from cnnspec.training.step import initial_state, make_step, weights_of
from cnnspec.training.task import Task, task_of

TASK = Task("input", None, "logits", "logits", (2, 2, 1), 3, Loss(), Preprocess())
BATCH = {
    "image": jnp.asarray(np.arange(16, dtype=np.uint8).reshape(4, 2, 2, 1) * 15),
    "label": jnp.asarray([0, 1, 2, 0]),
}


def linear(params, state, inputs, *, rng, train):
    """A linear network that counts its batches in its state."""
    x = inputs["input"].reshape(4, -1)
    return {"logits": x @ params["a.kernel"] + params["b.bias"]}, {
        "a.count": state["a.count"] + 1.0,
        "b.count": state["b.count"] + 1.0,
    }


def run(recipe: Recipe, steps: int, frozen: frozenset[str] = frozenset()) -> list[dict]:
    curve = learning_rate(recipe, 100)
    rule = optimiser(recipe, curve)
    step = jax.jit(make_step(linear, TASK, recipe, rule, curve, frozen))
    params = {"a.kernel": jnp.full((4, 3), 0.1), "b.bias": jnp.zeros(3)}
    states = [initial_state(params, {"a.count": jnp.zeros(()), "b.count": jnp.zeros(())}, frozen, rule, recipe.ema)]
    for _ in range(steps):
        states.append(step(states[-1], BATCH)[0])
    return states


SGD = Optimizer(name="sgd", learning_rate=0.5, momentum=0.0)


def test_frozen_weights_and_statistics_stay_and_cost_no_optimiser_state():
    states = run(Recipe(steps=3, optimizer=Optimizer(name="adam")), 3, frozenset({"a.kernel", "a.count"}))
    assert (states[-1]["frozen"]["a.kernel"] == states[0]["frozen"]["a.kernel"]).all()
    assert (float(states[-1]["state"]["a.count"]), float(states[-1]["state"]["b.count"])) == (0.0, 3.0)
    assert not np.allclose(states[-1]["params"]["b.bias"], 0)
    assert sum(leaf.size for leaf in jax.tree.leaves(optax.tree.get(states[0]["optimizer"], "mu"))) == 3
    assert set(weights_of(states[-1])[0]) == {"a.kernel", "b.bias"}


def test_the_average_follows_by_its_definition():
    states = run(Recipe(steps=5, optimizer=SGD, ema=0.3), 5)
    expected = np.asarray(states[0]["params"]["a.kernel"])
    for made, state in enumerate(states[1:], start=1):
        decay = min(0.3, (1 + made) / (10 + made))
        expected = decay * expected + (1 - decay) * np.asarray(state["params"]["a.kernel"])
    assert np.allclose(states[-1]["ema"]["a.kernel"], expected, rtol=1e-5)
    assert weights_of(states[-1])[0]["a.kernel"] is states[-1]["ema"]["a.kernel"]


def test_accumulated_batches_move_weights_and_average_once():
    states = run(Recipe(steps=4, optimizer=SGD, accumulate=2, ema=0.5), 4)
    kernels = [np.asarray(s["params"]["a.kernel"]) for s in states]
    averages = [np.asarray(s["ema"]["a.kernel"]) for s in states]
    assert [bool((a != b).any()) for a, b in itertools.pairwise(kernels)] == [False, True, False, True]
    assert [bool((a != b).any()) for a, b in itertools.pairwise(averages)] == [False, True, False, True]
    once = run(Recipe(steps=1, optimizer=SGD), 1)
    assert np.allclose(kernels[2], once[-1]["params"]["a.kernel"], rtol=1e-5)


@pytest.mark.parametrize("config", [Mixing(mixup=0.5), Mixing(cutmix=1.0), Mixing(mixup=0.5, cutmix=1.0)])
def test_mixed_labels_are_the_share_of_the_pixels(config):
    pixels = jnp.concatenate([jnp.zeros((2, 8, 8, 1)), jnp.full((2, 8, 8, 1), 100.0)])
    targets = jnp.asarray([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    shares = set()
    for seed in range(12):
        mixed, labels = mix(config, jax.random.key(seed), pixels, targets)
        assert np.allclose(labels.sum(-1), 1)
        assert np.allclose(mixed.mean((1, 2, 3)) / 100, labels[:, 1], atol=1e-5)
        shares.add(round(float(labels[0, 1]), 3))
    assert len(shares) > 6


AUXILIARY = """cnnspec: 1
name: with_a_head
params: {classes: 3}
input: {height: 14, width: 14, channels: 1}
layers:
  - {id: c1, conv: {filters: 4, kernel: 3, stride: 2, act: relu}}
  - {id: c2, from: c1, conv: {filters: 8, kernel: 3, act: relu}}
  - global_avg_pool
  - {id: fc, linear: {features: $classes}}
  - {id: aux, from: c1, training_only: true, auxiliary_head: {window: 5, stride: 2, filters: 4, features: 8, dropout: 0.0, classes: $classes}}
outputs: {logits: fc, aux: aux}
"""


def test_auxiliary_heads_are_weighed_into_the_loss_and_get_gradients():
    loaded = load_spec(AUXILIARY)
    network = Compiled(loaded)
    recipe = Recipe(steps=1, optimizer=SGD, loss=Loss(auxiliary={"aux": 0.4}))
    task = task_of(loaded.graph, loaded.document.inputs, recipe)
    params, state = network.init()
    batch = {"image": jnp.asarray(np.random.default_rng(0).integers(0, 256, (4, 14, 14, 1)).astype(np.uint8)),
             "label": jnp.asarray([0, 1, 2, 0])}  # fmt: skip
    curve = learning_rate(recipe, 4)
    rule = optimiser(recipe, curve)
    before = initial_state(params, state, frozenset(), rule, None)
    after, measures = jax.jit(make_step(network.apply, task, recipe, rule, curve))(before, batch)
    outputs, _ = network.apply(params, state, task.inputs(batch["image"]), rng=jax.random.key(0), train=True)
    main, aux = (
        optax.softmax_cross_entropy_with_integer_labels(outputs[n], batch["label"]).mean() for n in ("logits", "aux")
    )
    assert float(measures[0]) == pytest.approx(float(main + 0.4 * aux), rel=1e-5)
    moved = [path for path in params if not np.array_equal(params[path], after["params"][path])]
    assert any(path.startswith("aux.") for path in moved)
