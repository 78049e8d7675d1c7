"""The latency of a network, measured on this machine."""

from __future__ import annotations

import time

import numpy as np

from cnnspec.compiled import Compiled
from cnnspec.frontend import LoadedSpec


def seconds(loaded: LoadedSpec, runs: int = 5) -> float:
    """The least of several runs of one image after a first that compiles, in seconds."""
    network = Compiled(loaded)
    prepared = network.prepare(*network.init())
    image = np.zeros((1, *loaded.graph.inputs[0].type.shape), np.float32)
    times = []
    for _ in range(runs + 1):
        begin = time.perf_counter()
        for value in network.infer(prepared, image).values():
            value.block_until_ready()
        times.append(time.perf_counter() - begin)
    return min(times[1:])
