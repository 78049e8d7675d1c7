"""Update rules against plain numpy, schedules at the points that matter, and what decays."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from cnnspec.training.optimisers import decayed, learning_rate, optimiser
from cnnspec.training.recipe import Optimizer, Recipe, Schedule


def run(recipe: Recipe, gradients: list[float], start: float = 1.0) -> list[float]:
    """The values of one weight (a 1 x 1 kernel) under given gradients."""
    rule = optimiser(recipe, learning_rate(recipe, 64))
    params = {"w.kernel": jnp.full((1, 1), start)}
    state, values = rule.init(params), []
    for gradient in gradients:
        updates, state = rule.update({"w.kernel": jnp.full((1, 1), gradient)}, state, params)
        params = {name: value + updates[name] for name, value in params.items()}
        values.append(float(params["w.kernel"][0, 0]))
    return values


def test_sgd_with_momentum_and_decay_is_the_textbook_rule():
    recipe = Recipe(steps=3, optimizer=Optimizer(name="sgd", learning_rate=0.1, momentum=0.9, weight_decay=0.01))
    weight, velocity, expected = 1.0, 0.0, []
    for gradient in (1.0, -0.5, 0.25):
        velocity = 0.9 * velocity + gradient + 0.01 * weight
        weight -= 0.1 * velocity
        expected.append(weight)
    assert run(recipe, [1.0, -0.5, 0.25]) == pytest.approx(expected, rel=1e-5)


def test_adamw_decays_the_weight_itself():
    recipe = Recipe(steps=2, optimizer=Optimizer(name="adamw", learning_rate=0.1, weight_decay=0.5))
    assert run(recipe, [0.0, 0.0]) == pytest.approx([0.95, 0.9025], rel=1e-5)
    assert run(recipe, [3.0]) == pytest.approx([1 - 0.1 - 0.05], rel=1e-4)


def test_rmsprop_accumulates_steps_and_clipping_bounds_the_gradient():
    recipe = Recipe(
        steps=2, optimizer=Optimizer(name="rmsprop", learning_rate=0.1, decay=0.9, momentum=0.9, epsilon=0.001)
    )
    first = 0.1 * 2 / np.sqrt(0.1 * 4 + 0.001)
    second = 0.9 * first + 0.1 * 2 / np.sqrt(0.9 * 0.4 + 0.1 * 4 + 0.001)
    assert run(recipe, [2.0, 2.0]) == pytest.approx([1 - first, 1 - first - second], rel=1e-4)
    clipped = Recipe(steps=1, clip=0.5, optimizer=Optimizer(name="sgd", learning_rate=1.0, momentum=0.0))
    assert run(clipped, [100.0]) == pytest.approx([0.5], rel=1e-5)


def test_accumulation_averages_and_moves_only_at_the_end():
    recipe = Recipe(steps=4, accumulate=2, optimizer=Optimizer(name="sgd", learning_rate=0.1, momentum=0.0))
    assert run(recipe, [1.0, 3.0, 0.0, 1.0]) == pytest.approx([1.0, 0.8, 0.8, 0.75], rel=1e-5)


def test_biases_and_norms_are_not_decayed_unless_asked():
    params = {
        "a.kernel": np.ones((3, 3, 1, 2)),
        "a.bias": np.ones(2),
        "n.scale": np.ones(2),
        "b.kernel": np.ones((2, 2)),
    }
    assert decayed(Optimizer(), params) == {"a.kernel": True, "a.bias": False, "n.scale": False, "b.kernel": True}
    assert decayed(Optimizer(decay_everything=True, decay_exempt=("b",)), params)["b.kernel"] is False
    assert decayed(Optimizer(decay_exempt=("*kernel",)), params)["a.kernel"] is False
    assert decayed(Optimizer(decay_everything=True), params)["a.bias"] is True


@pytest.mark.parametrize(
    ("schedule", "points"),
    [
        (Schedule(), {0: 1.0, 99: 1.0}),
        (Schedule(name="cosine"), {0: 1.0, 50: 0.5, 100: 0.0}),
        (Schedule(name="cosine", warmup=20, warmup_from=0.5), {0: 0.5, 10: 0.75, 20: 1.0, 60: 0.5, 100: 0.0}),
        (Schedule(name="linear", final=0.5), {0: 1.0, 50: 0.75, 100: 0.5}),
        (Schedule(name="step", at=(30, 60)), {29: 1.0, 31: 0.1, 61: 0.01}),
        (Schedule(name="step", at=(30,), warmup=10), {0: 0.0, 10: 1.0, 29: 1.0, 31: 0.1}),
        (Schedule(name="step", at=(30, 60), factor=(0.4, 0.5)), {29: 1.0, 31: 0.4, 61: 0.2}),
        (Schedule(name="step", every=40, factor=(0.5,)), {39: 1.0, 41: 0.5, 81: 0.25}),
        (Schedule(name="exponential", every=10, factor=(0.5,)), {0: 1.0, 10: 0.5, 20: 0.25}),
        (Schedule(name="exponential", every=10, factor=(0.5,), staircase=True), {9: 1.0, 19: 0.5}),
        (Schedule(name="one_cycle", start=0.1), {0: 0.1, 15: 0.55, 30: 1.0, 65: 0.5, 100: 0.0}),
    ],
)  # fmt: skip
def test_schedules_pass_through_their_points(schedule, points):
    curve = learning_rate(Recipe(steps=100, optimizer=Optimizer(learning_rate=1.0), schedule=schedule), 1000)
    assert {step: float(curve(step)) for step in points} == pytest.approx(points, abs=1e-6)


def test_lengths_are_epochs_where_the_recipe_counts_epochs():
    recipe = Recipe(
        epochs=10, batch_size=10, optimizer=Optimizer(learning_rate=1.0), schedule=Schedule(name="step", at=(5,))
    )
    curve = learning_rate(recipe, 100)
    assert (float(curve(49)), float(curve(51))) == pytest.approx((1.0, 0.1))
    assert recipe.total_steps(100) == 100
