"""The losses: what is made small, from the outputs of a network and the targets of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array

from cnnspec.training.recipe import Loss

#: What the numbers of an output are, one a class.
Kind = Literal["logits", "probabilities", "distances", "lengths"]


def smooth(targets: Array, smoothing: float) -> Array:
    """Targets `[n, classes]` with the share `smoothing` spread evenly over all classes."""
    return targets * (1 - smoothing) + smoothing / targets.shape[-1] if smoothing else targets


def cross_entropy(logits: Array, targets: Array) -> Array:
    """`[n]`: minus the log-probability of the targets `[n, classes]`, which sum to 1."""
    return -(targets * jax.nn.log_softmax(logits.astype(jnp.float32))).sum(-1)


def probability_entropy(probabilities: Array, targets: Array) -> Array:
    """`[n]`: the same for a network that ends in softmax."""
    return -(targets * jnp.log(jnp.clip(probabilities.astype(jnp.float32), 1e-12, 1.0))).sum(-1)


def margin(lengths: Array, targets: Array, present: float, absent: float, absent_weight: float) -> Array:
    """`[n]`: the margin loss of capsule lengths `[n, classes]`.

    T max(0, m+ - v)^2 + lambda (1 - T) max(0, v - m-)^2, summed over the classes.
    **Source**: Sabour, Frosst and Hinton 2017, equation 4, arXiv:1710.09829.
    """
    lengths = lengths.astype(jnp.float32)
    near = targets * jnp.square(jnp.maximum(0.0, present - lengths))
    far = (1 - targets) * jnp.square(jnp.maximum(0.0, lengths - absent))
    return (near + absent_weight * far).sum(-1)


def reconstruction_error(reconstruction: Array, image: Array) -> Array:
    """`[n]`: the sum of squared differences of pixels, both 0 to 1."""
    count = len(image)
    return jnp.square(reconstruction.reshape(count, -1).astype(jnp.float32) - image.reshape(count, -1)).sum(-1)


def rbf(distances: Array, targets: Array, competition: float) -> Array:
    """`[n]`: LeNet's loss of squared distances `[n, classes]` to the classes' codes.

    y_D + log(e^-j + sum_i e^-y_i): small for the right class, with a competition among all that j bounds.
    **Source**: LeCun, Bottou, Bengio and Haffner 1998, equation 9.
    """
    distances = distances.astype(jnp.float32)
    bound = jnp.full((len(distances), 1), -competition)
    return (targets * distances).sum(-1) + jax.nn.logsumexp(jnp.concatenate([bound, -distances], -1), axis=-1)


def total_loss(
    config: Loss, kind: Kind, outputs: Mapping[str, Array], main: str, targets: Array, pixels: Array
) -> Array:
    """`[n]`: the loss of each image; `pixels` are the images as 0 to 1, for reconstructions."""
    judged = outputs[main]
    if config.name == "margin":
        loss = margin(judged, targets, config.margins[0], config.margins[1], config.absent_weight)
        if config.reconstruction in outputs and config.reconstruction_weight:
            loss += config.reconstruction_weight * reconstruction_error(outputs[config.reconstruction], pixels)
    elif config.name == "rbf":
        loss = rbf(judged, targets, config.competition)
    else:
        targets = smooth(targets, config.label_smoothing)
        loss = (
            probability_entropy(judged, targets)
            if kind == "probabilities"
            else cross_entropy(scores(kind, judged), targets)
        )
    for name, weight in config.auxiliary.items():
        if name in outputs:  # auxiliary heads exist in training only
            loss += weight * cross_entropy(outputs[name], targets)
    return loss


def scores(kind: Kind, judged: Array) -> Array:
    """`[n, classes]`: the greatest is the prediction (distances count the other way)."""
    judged = judged.astype(jnp.float32)
    return -judged if kind == "distances" else judged


def probabilities(kind: Kind, judged: Array) -> Array:
    """`[n, classes]`: what the network gives for each class; they sum to 1, but for lengths of capsules.

    The length of a capsule is the probability that its class is there at all, whatever else is (Sabour 2017, section 2).
    """
    judged = judged.astype(jnp.float32)
    if kind == "lengths":
        return judged
    if kind == "probabilities":
        return judged / jnp.maximum(judged.sum(-1, keepdims=True), 1e-12)
    return jax.nn.softmax(scores(kind, judged))
