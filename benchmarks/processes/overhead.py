"""`python -m benchmarks.processes.overhead SPEC ROUNDS`: seconds of a call that does nothing, ours and of `jax.jit`.

The network is replaced by a function that reads one number of every weight: what is left is passing the arrays.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import cnnspec
from cnnspec.compiled import Compiled

CALLS = 200
#: So small that passing the image costs nothing either.
PIXELS = 32


class Idle(Compiled):
    """A compiled network that only touches its weights."""

    def inference_function(self, prepared: Any, inputs: Any, features: tuple[str, ...] = ()) -> dict[str, Any]:
        touched = sum(jnp.ravel(array)[0] for array in prepared.values())
        return {"logits": next(iter(inputs.values()))[:, 0, 0] + touched}


def burst(call: Callable[[], Any]) -> float:
    """Seconds of one of many calls, the last of which is waited for."""
    begin = time.perf_counter()
    for _ in range(CALLS):
        result = call()
    jax.block_until_ready(result)
    return (time.perf_counter() - begin) / CALLS


def main() -> None:
    spec, rounds = sys.argv[1], int(sys.argv[2])
    idle = Idle(cnnspec.load_spec(spec, set={"input.height": PIXELS, "input.width": PIXELS}))
    prepared = idle.prepare(*idle.init())
    name = idle.graph.inputs[0].name
    inputs = {name: jax.device_put(np.zeros((1, PIXELS, PIXELS, 3), np.float32))}
    plain = jax.jit(idle.inference_function)
    ways = {"infer": lambda: idle.infer(prepared, inputs), "jit": lambda: plain(prepared, inputs)}
    found: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(rounds + 1):  # the first compiles
        for way, call in ways.items():
            seconds = burst(call)
            if number:
                found[way].append(seconds)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
