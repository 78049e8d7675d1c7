"""A large batch in tiles: a few images at a time, so that activations stay in the cache of a CPU.

Decided where the network runs, by its batch and its cores; a portable program knows nothing of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import jax
import jax.numpy as jnp

from cnnspec.graph import Graph

#: Bytes of the widest activation that a tile should have at least: below, the loop costs more than the cache gains.
TILE_BYTES = 2**22


def widest_activation(graph: Graph) -> int:
    """Bytes of the largest activation of one image, in float32."""
    return max((4 * prod(kind.shape) for node in graph.nodes for kind in node.types), default=4)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def tile_size(widest: int, count: int | None = None) -> int:
    """Images in a tile: one for each of `count` cores (those of this machine), or more where a map is small."""
    return max(count or cores(), -(-TILE_BYTES // widest))


def in_tiles(function: Callable[[Any, Any], Any], weights: Any, inputs: Mapping[str, Any], tile: int) -> Any:
    """`function(weights, inputs)`, computed `tile` images at a time where the batch is larger than that.

    Every input and every output has the batch as its first dimension. The last tile is filled up with zeros, and what
    comes of them is cut off.
    """
    batch = next(iter(inputs.values())).shape[0]
    if jax.default_backend() != "cpu" or batch <= tile:
        return function(weights, inputs)
    count = -(-batch // tile)
    tile = -(-batch // count)  # as many tiles, filled evenly: the fewer zeros

    def cut(x: Any) -> Any:
        x = jnp.pad(x, ((0, count * tile - batch), *((0, 0),) * (x.ndim - 1)))
        return x.reshape(count, tile, *x.shape[1:])

    outputs = jax.lax.map(lambda part: function(weights, part), {name: cut(x) for name, x in inputs.items()})
    return jax.tree.map(lambda y: y.reshape(count * tile, *y.shape[2:])[:batch], outputs)
