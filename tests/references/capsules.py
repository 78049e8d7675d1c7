"""Capsules (Sabour, Frosst and Hinton 2017, arXiv:1710.09829)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tests.references.arrays import Array, convolution, dense, relu, sigmoid


def squash(s: Array) -> Array:
    """Equation 1: |s|^2 / (1 + |s|^2) times s / |s|."""
    length = np.sqrt((s**2).sum(-1, keepdims=True))
    return length**2 / (1 + length**2) * (s / length)


def routing(predictions: Array, rounds: int) -> Array:
    """Procedure 1, one image at a time: predictions `[N, i, j, dimensions]` to capsules `[N, j, dimensions]`."""
    images = []
    for u in predictions:
        lower, upper = u.shape[:2]
        b = np.zeros((lower, upper))
        for _ in range(rounds):
            c = np.exp(b) / np.exp(b).sum(1, keepdims=True)
            s = np.stack([sum(c[i, j] * u[i, j] for i in range(lower)) for j in range(upper)])
            v = squash(s)
            for j in range(upper):
                b[:, j] += u[:, j] @ v[j]
        images.append(v)
    return np.stack(images)


def margin_loss(lengths: Array, labels: Array) -> Array:
    """Equation 4, with m+ = 0.9, m- = 0.1, lambda = 0.5, summed over the classes: `[N]`."""
    losses = []
    for image, label in zip(lengths, labels, strict=True):
        total = 0.0
        for k, v in enumerate(image):
            t = 1.0 if k == label else 0.0
            total += t * max(0.0, 0.9 - v) ** 2 + 0.5 * (1 - t) * max(0.0, v - 0.1) ** 2
        losses.append(total)
    return np.array(losses)


def forward(x: Array, labels: Array, w: Mapping[str, Array], rounds: int = 3) -> dict[str, Array]:
    """Figures 1 and 2: the network and its decoder on images `[N, 28, 28, 1]`, with 8-dimensional primary capsules."""
    conv1 = relu(convolution(x, w["conv1.kernel"], w["conv1.bias"]))
    primary = convolution(conv1, w["primary.kernel"], w["primary.bias"], stride=2)
    u = squash(primary.reshape(len(x), -1, 8))  # a capsule: eight channels at one place
    predictions = np.einsum("nid,ijde->nije", u, w["digits"])
    v = routing(predictions, rounds)
    kept = np.stack(
        [np.where(np.arange(len(image))[:, None] == k, image, 0) for image, k in zip(v, labels, strict=True)]
    )
    hidden = relu(dense(kept.reshape(len(x), -1), w["decoder1.kernel"], w["decoder1.bias"]))
    hidden = relu(dense(hidden, w["decoder2.kernel"], w["decoder2.bias"]))
    drawn = sigmoid(dense(hidden, w["decoder3.kernel"], w["decoder3.bias"]))
    return {"capsules": v, "lengths": np.sqrt((v**2).sum(-1)), "reconstruction": drawn.reshape(len(x), 28, 28, 1)}
