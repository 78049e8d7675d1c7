"""Stochastic depth (Huang et al. 2016, section 3, arXiv:1603.09382)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

from tests.references.arrays import Array, relu

Body = Callable[[Array], Array]


def survival(block: int, blocks: int, last: float) -> float:
    """Equation 4: p_l = 1 - l / L (1 - p_L), blocks counted from 1."""
    return 1 - block / blocks * (1 - last)


def trained(x: Array, bodies: Sequence[Body], alive: Sequence[int]) -> Array:
    """Equation 2: H_l = ReLU(b_l f_l(H_{l-1}) + H_{l-1})."""
    for body, b in zip(bodies, alive, strict=True):
        x = relu(b * body(x) + x)
    return x


def tested(x: Array, bodies: Sequence[Body], probabilities: Sequence[float]) -> Array:
    """Equation 5: H_l = ReLU(p_l f_l(H_{l-1}) + H_{l-1})."""
    for body, p in zip(bodies, probabilities, strict=True):
        x = relu(p * body(x) + x)
    return x


def every_way(x: Array, bodies: Sequence[Body]) -> dict[tuple[int, ...], Array]:
    """What training can give: the output for every choice of blocks that survive."""
    return {alive: trained(x, bodies, alive) for alive in product((0, 1), repeat=len(bodies))}
