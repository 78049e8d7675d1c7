"""From a recipe's optimizer and schedule to optax."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import jax.numpy as jnp
import optax

from cnnspec.training.recipe import Optimizer, Recipe, Schedule

Curve = Callable[[Any], Any]


def learning_rate(recipe: Recipe, images: int) -> Curve:
    """The learning rate as a function of the number of updates made."""
    schedule, peak = recipe.schedule, recipe.optimizer.learning_rate

    def updates(length: float) -> int:
        return round(length if recipe.steps is not None else length * images / recipe.batch_size) // recipe.accumulate

    total = max(1, recipe.total_steps(images) // recipe.accumulate)
    warmup = updates(schedule.warmup)
    curve = _curve(schedule, peak, max(1, total - warmup), total, lambda v: max(1, updates(v)), warmup)
    if not warmup:
        return curve
    rise = optax.linear_schedule(peak * schedule.warmup_from, peak, warmup)
    joined: Curve = optax.join_schedules([rise, curve], [warmup])
    return joined


def _curve(
    schedule: Schedule, peak: float, length: int, total: int, updates: Callable[[float], int], warmup: int
) -> Curve:
    """The part after the warm-up, `length` updates long; times of falls count from the training's beginning."""
    curve: Curve
    if schedule.name == "cosine":
        curve = optax.cosine_decay_schedule(peak, length, schedule.final)
    elif schedule.name == "linear":
        curve = optax.linear_schedule(peak, peak * schedule.final, length)
    elif schedule.name == "exponential":
        curve = optax.exponential_decay(
            peak, updates(schedule.every or 1), schedule.factor[0], staircase=schedule.staircase
        )
    elif schedule.name == "one_cycle":
        rise = max(1, round(length * schedule.rise))
        up = optax.cosine_decay_schedule(1.0, rise)
        down = optax.cosine_decay_schedule(peak, max(1, length - rise), schedule.final)
        low = peak * schedule.start
        curve = optax.join_schedules([lambda count: peak - (peak - low) * up(count), down], [rise])
    elif schedule.name == "step":
        every = updates(schedule.every) if schedule.every is not None else 0
        times = list(range(every, total, every)) if every else [updates(t) for t in schedule.at]
        factors = schedule.factor if len(schedule.factor) == len(times) else schedule.factor[:1] * len(times)
        curve = optax.piecewise_constant_schedule(
            peak, {max(0, t - warmup): f for t, f in zip(times, factors, strict=True)}
        )
    else:
        curve = optax.constant_schedule(peak)
    return curve


def decayed(config: Optimizer, params: Mapping[str, Any]) -> dict[str, bool]:
    """Which parameters weight decay pulls: by default kernels only, not biases nor the scales of norms."""

    def exempt(path: str) -> bool:
        return any(fnmatchcase(path, name) or fnmatchcase(path, f"{name}.*") for name in config.decay_exempt)

    return {path: (config.decay_everything or jnp.ndim(p) > 1) and not exempt(path) for path, p in params.items()}


def optimiser(recipe: Recipe, curve: Curve, mask: Mapping[str, bool] | None = None) -> optax.GradientTransformation:
    """Clip, decay, update rule, learning rate; averaged over `accumulate` batches.

    `mask` says which parameters are decayed; by default `decayed` does.
    """
    config = recipe.optimizer

    def pulled(params: Mapping[str, Any]) -> dict[str, bool]:
        return decayed(config, params) if mask is None else {path: mask[path] for path in params}

    decay = [optax.add_decayed_weights(config.weight_decay, pulled)] if config.weight_decay else []
    decoupled = config.name == "adamw"
    parts = [optax.clip_by_global_norm(recipe.clip)] if recipe.clip is not None else []
    parts += [] if decoupled else decay
    parts.append(_rule(config))
    parts += decay if decoupled else []
    parts.append(optax.scale_by_learning_rate(curve))
    if config.name == "rmsprop" and _or(config.momentum, 0.9):
        # TensorFlow's order: the momentum accumulates steps that hold the learning rate already.
        parts.append(optax.trace(_or(config.momentum, 0.9)))
    chain = optax.chain(*parts)
    return optax.MultiSteps(chain, recipe.accumulate).gradient_transformation() if recipe.accumulate > 1 else chain


def _rule(config: Optimizer) -> optax.GradientTransformation:
    if config.name == "sgd":
        momentum = _or(config.momentum, 0.9)
        return optax.trace(momentum, nesterov=bool(config.nesterov)) if momentum else optax.identity()
    if config.name == "rmsprop":
        return optax.scale_by_rms(_or(config.decay, 0.9), _or(config.epsilon, 1e-3), eps_in_sqrt=True)
    return optax.scale_by_adam(_or(config.beta1, 0.9), _or(config.beta2, 0.999), _or(config.epsilon, 1e-8))


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
