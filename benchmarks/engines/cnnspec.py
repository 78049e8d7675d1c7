"""The compiled network: `Compiled.infer`, and the training step of `cnnspec train`."""

from __future__ import annotations

from typing import Any

from benchmarks.engines import Contender
from benchmarks.networks import MEAN, STD, Network, examples, images

NAME = "cnnspec"
LABEL = "cnnspec"
NEEDS = ("jax",)
#: Compiled anew each time, as the other JAX engines are.
ENVIRONMENT = {"CNNSPEC_CACHE": "off"}
KINDS = ("inference", "training")


def has(network: Network) -> bool:
    return True


def inference(network: Network, batch: int) -> Contender:
    import jax

    import cnnspec

    compiled = cnnspec.compile(network.spec)
    prepared = compiled.prepare(*compiled.init())
    x = jax.device_put(images(network, batch))
    runs = {"infer": lambda: jax.block_until_ready(compiled.infer(prepared, x))}
    return Contender(runs, lambda outputs: outputs["logits"])


def training(network: Network, batch: int) -> Contender:
    import jax

    step, state, given = training_step(network, batch)
    run = step.lower(state, given).compile()

    def once() -> Any:
        nonlocal state
        state, measures = run(state, given)
        return jax.block_until_ready(measures)

    return Contender({"step": once}, lambda measures: measures[0])


def training_step(network: Network, batch: int, learning_rate: float = 1e-3) -> tuple[Any, Any, Any]:
    """The jitted step of `cnnspec train`, its first state and a batch; put together as the trainer does."""
    import jax

    from cnnspec.training.network import open_network
    from cnnspec.training.optimisers import decayed, optimiser
    from cnnspec.training.optimisers import learning_rate as curve_of
    from cnnspec.training.recipe import Recipe
    from cnnspec.training.step import initial_state, make_step

    sgd = {"name": "sgd", "learning_rate": learning_rate, "momentum": 0.9}
    recipe = Recipe.model_validate({"optimizer": sgd, "batch_size": batch, "steps": 1000,
                                    "normalise": {"mean": MEAN, "std": STD}})  # fmt: skip
    size = {"input.height": network.pixels, "input.width": network.pixels}
    opened = open_network(network.spec, recipe, size)
    curve = curve_of(recipe, images=batch)
    pulled = decayed(recipe.optimizer, opened.params)
    function = opened.compiled.training(kind=pulled.get)
    optimizer = optimiser(recipe, curve, {**pulled, **function.stack(pulled)})
    state = initial_state(opened.params, opened.state, frozenset(), optimizer, None)
    state = jax.jit(function.stack, donate_argnums=0)(state) if function.layout else jax.tree.map(jax.device_put, state)
    pixels, labels = (jax.device_put(array) for array in examples(network, batch))
    step = make_step(function, opened.task, recipe, optimizer, curve)
    jitted = jax.jit(step, donate_argnums=0, compiler_options=function.compiler_options)
    return jitted, state, {"image": pixels, "label": labels}
