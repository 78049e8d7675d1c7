"""What this machine can do: its fastest product or convolution, and how fast its memory delivers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import log
from typing import Any

import jax
import jax.numpy as jnp

from cnnspec.lower.forms.measure import in_turns

#: Bytes of the arrays that the bandwidth is measured with: in the caches of a core, in those of all, and beyond.
SIZES = (2**18, 2**22, 2**26)
#: Seconds for which each is measured, and below which nothing is believed to take.
LONG, SHORTEST = 0.1, 1e-7


@dataclass
class Ceilings:
    """What the machine reaches: operations a second, and bytes a second by the size of what is moved."""

    flops: float
    bandwidth: dict[int, float]

    def seen(self, flops: int, moved: int, seconds: float) -> None:
        """Raise what was reached more by a step of the network than by what was measured for the purpose."""
        self.flops = max(self.flops, flops / seconds)
        self.bandwidth[self._nearest(moved)] = max(self.bandwidth[self._nearest(moved)], moved / seconds)

    def bound(self, flops: int, moved: int) -> tuple[float, str]:
        """The least seconds for so much arithmetic and memory, and which of them takes it ("compute", "memory")."""
        by = {"compute": flops / self.flops, "memory": moved / self.bandwidth[self._nearest(moved)]}
        what = max(by, key=by.__getitem__)
        return by[what], what

    def _nearest(self, moved: int) -> int:
        return min(self.bandwidth, key=lambda size: abs(log(size / max(moved, 1))))


def ceilings(idle: float) -> Ceilings:
    """What this machine reaches in a dense product or convolution, and in memory; `idle` is the time of an empty call."""
    from cnnspec.lower.forms.conv import Geometry, plain

    dense, side, images = 256, 28, 2
    x, k = jnp.ones((images, side, side, dense)), jnp.ones((3, 3, dense, dense))
    a = jnp.ones((1024, 1024))
    same = Geometry((1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    convolve, multiply = jax.jit(lambda x, k: plain(x, k, same)), jax.jit(jnp.matmul)
    seconds = in_turns({"conv": lambda: convolve(x, k), "dot": lambda: multiply(a, a)}, LONG)
    work = {"conv": 2 * images * side**2 * 9 * dense**2, "dot": 2 * 1024**3}
    # In place, as a network reuses its memory: a new array would cost the system's zeroing of its pages.
    add = jax.jit(lambda x: x + 1, donate_argnums=0)
    arrays = {size: jnp.zeros(size // 8) for size in SIZES}  # half of the bytes are read, half written

    def sweep(size: int) -> Any:
        arrays[size] = add(arrays[size])
        return arrays[size]

    moved = in_turns({size: partial(sweep, size) for size in SIZES}, LONG / 2)
    bandwidth = {size: size / max(moved[size] - idle, SHORTEST) for size in SIZES}
    return Ceilings(max(work[name] / seconds[name] for name in work), bandwidth)


def overhead() -> float:
    """The seconds of a call that computes next to nothing."""
    x = jnp.zeros(1)
    idle = jax.jit(lambda params, inputs: [inputs[0] + 1])
    return in_turns({"": lambda: idle({"a": x, "b": x}, [x])})[""]
