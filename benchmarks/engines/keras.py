"""keras.applications on the JAX backend: `predict_on_batch`, and what is often faster, a jitted stateless call."""

from __future__ import annotations

from math import prod, sqrt
from typing import Any

from benchmarks.engines import Contender
from benchmarks.networks import Network, images

NAME = "keras"
LABEL = "keras on JAX"
NEEDS = ("keras", "jax")
ENVIRONMENT = {"KERAS_BACKEND": "jax"}
KINDS = ("inference",)


def has(network: Network) -> bool:
    return network.keras is not None


def inference(network: Network, batch: int) -> Contender:
    import jax
    import jax.numpy as jnp
    import keras

    size = (network.pixels, network.pixels, 3)
    model = getattr(keras.applications, network.keras)(weights=None, classifier_activation=None, input_shape=size)
    _he_normal(model)
    x = images(network, batch)
    on_device = jax.device_put(x)
    # Copies, since `predict_on_batch` takes over the arrays that the variables hold.
    trainable = [jnp.copy(variable.value) for variable in model.trainable_variables]
    others = [jnp.copy(variable.value) for variable in model.non_trainable_variables]

    @jax.jit
    def call(trainable: Any, others: Any, x: Any) -> Any:
        return model.stateless_call(trainable, others, x, training=False)[0]

    runs = {
        "predict_on_batch": lambda: model.predict_on_batch(x),
        "jitted call": lambda: jax.block_until_ready(call(trainable, others, on_device)),
    }
    return Contender(runs, lambda logits: logits)


def _he_normal(model: Any) -> None:
    """Kernels that keep activations in range through every layer: what fades into denormal numbers runs slowly."""
    import numpy as np

    random = np.random.default_rng(0)
    for layer in model.layers:
        for weight in layer.weights:
            if len(weight.shape) > 1:
                inputs = prod(weight.shape[:2]) if "depthwise" in weight.path else prod(weight.shape[:-1])
                weight.assign(random.standard_normal(weight.shape) * sqrt(2 / inputs))
