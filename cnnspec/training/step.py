"""One training step, jitted and donated: forward, loss, gradients, update, running averages.

The state is a plain tree of flat dicts, which JAX passes through faster than nested modules:

    {"step": [], "params": {path: array}, "frozen": {...}, "state": {...}, "optimizer": ..., "ema": {...}}

Everything random is derived from the seed and the step number, so that nothing else needs to be saved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array

from cnnspec.training.losses import scores, total_loss
from cnnspec.training.mixing import mix
from cnnspec.training.optimisers import Curve
from cnnspec.training.recipe import Recipe
from cnnspec.training.task import Task

TrainState = dict[str, Any]
Apply = Callable[..., tuple[dict[str, Array], dict[str, Array]]]

#: What a step reports, in this order.
MEASURES = ("loss", "accuracy", "gradient_norm", "learning_rate")


def initial_state(
    params: Mapping[str, Array],
    state: Mapping[str, Array],
    frozen: frozenset[str],
    optimizer: optax.GradientTransformation,
    ema: float | None,
) -> TrainState:
    """The state before the first step."""
    learned = {path: value for path, value in params.items() if path not in frozen}
    return {
        "step": jnp.zeros((), jnp.int32),
        "params": learned,
        "frozen": {path: value for path, value in params.items() if path in frozen},
        "state": dict(state),
        "optimizer": optimizer.init(learned),
        "ema": jax.tree.map(jnp.copy, learned | dict(state)) if ema is not None else {},
    }


def weights_of(train_state: TrainState) -> tuple[dict[str, Array], dict[str, Array]]:
    """The parameters and statistics that are evaluated: the running averages where there are any."""
    params, state = train_state["params"], train_state["state"]
    averages = train_state["ema"]
    if averages:
        params = {path: averages[path] for path in params}
        state = {path: averages[path] for path in state}
    return {**train_state["frozen"], **params}, dict(state)


def make_step(
    apply: Apply,
    task: Task,
    recipe: Recipe,
    optimizer: optax.GradientTransformation,
    curve: Curve,
    frozen: frozenset[str] = frozenset(),
) -> Callable[[TrainState, Mapping[str, Array]], tuple[TrainState, Array]]:
    """The step `(state, {"image": [n, h, w, c] uint8, "label": [n]}) -> (state, [4])`; see `MEASURES`. Not yet jitted."""

    def step(train_state: TrainState, batch: Mapping[str, Array]) -> tuple[TrainState, Array]:
        key = jax.random.fold_in(jax.random.key(recipe.seed), train_state["step"])
        network_key, mixing_key = jax.random.split(key)
        labels = batch["label"]
        targets = jax.nn.one_hot(labels, task.classes, dtype=jnp.float32)
        pixels = batch["image"]
        if recipe.mixing.mixup or recipe.mixing.cutmix:
            pixels, targets = mix(recipe.mixing, mixing_key, pixels, targets)
        inputs = task.inputs(pixels, labels)

        def objective(params: dict[str, Array]) -> tuple[Array, tuple[Any, Any]]:
            whole = {**train_state["frozen"], **params}
            outputs, state = apply(whole, train_state["state"], inputs, rng=network_key, train=True)
            unit = pixels.astype(jnp.float32) / 255
            loss = total_loss(recipe.loss, task.kind, outputs, task.output, targets, unit).mean()
            return loss, (outputs[task.output], state)

        (loss, (judged, state)), gradients = jax.value_and_grad(objective, has_aux=True)(train_state["params"])
        updates, optimizer_state = optimizer.update(gradients, train_state["optimizer"], train_state["params"])
        params = optax.apply_updates(train_state["params"], updates)
        state = {path: train_state["state"][path] if path in frozen else value for path, value in state.items()}
        count = train_state["step"] // recipe.accumulate
        right = scores(task.kind, judged).argmax(-1) == targets.argmax(-1)
        measures = jnp.stack([loss, right.mean(), optax.tree.norm(gradients), jnp.asarray(curve(count), jnp.float32)])
        following = {
            "step": train_state["step"] + 1,
            "params": params,
            "frozen": train_state["frozen"],
            "state": state,
            "optimizer": optimizer_state,
            "ema": _average(train_state, {**params, **state}, recipe) if recipe.ema is not None else {},
        }
        return following, measures

    return step


def _average(train_state: TrainState, now: Mapping[str, Array], recipe: Recipe) -> dict[str, Array]:
    """The running averages, which follow closely at first and only move when the weights do."""
    made = (train_state["step"] + 1) // recipe.accumulate
    moved = (train_state["step"] + 1) % recipe.accumulate == 0
    decay = jnp.minimum(recipe.ema or 0.0, (1.0 + made) / (10.0 + made))
    decay = jnp.where(moved, decay, 1.0)
    return {path: (decay * old + (1 - decay) * now[path]).astype(old.dtype) for path, old in train_state["ema"].items()}
