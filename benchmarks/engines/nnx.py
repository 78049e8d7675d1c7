"""The network written by hand with Flax NNX, split once and run by `jax.jit`."""

from __future__ import annotations

from typing import Any

from benchmarks.engines import Contender
from benchmarks.networks import Network, examples, images

NAME = "nnx"
LABEL = "Flax NNX by hand"
NEEDS = ("flax", "optax")
ENVIRONMENT: dict[str, str] = {}
KINDS = ("inference", "training")


def has(network: Network) -> bool:
    return True


def inference(network: Network, batch: int) -> Contender:
    import jax

    from benchmarks import handwritten

    run, state = handwritten.inference(network.spec)
    x = jax.device_put(images(network, batch))
    return Contender({"jit": lambda: jax.block_until_ready(run(state, x))}, lambda logits: logits)


def training(network: Network, batch: int) -> Contender:
    import jax

    from benchmarks import handwritten

    step, state = handwritten.training(network.spec)
    given = [jax.device_put(array) for array in examples(network, batch)]

    def once() -> Any:
        nonlocal state
        state, loss = step(state, *given)
        return jax.block_until_ready(loss)

    return Contender({"step": once}, lambda loss: loss)
