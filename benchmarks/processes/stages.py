"""`python -m benchmarks.processes.stages ENGINE KIND SPEC BATCH PIXELS STEPS`: the stages of compiling, once, timed.

Prints seconds as JSON: `build` (from the spec, or the class, to a function and its arguments), `trace`, `lower`,
`compile`, and the least seconds of STEPS steps. Nothing is cached: a process compiles a network once.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import jax

from benchmarks.job import Job
from benchmarks.networks import Network, examples, images


def cnnspec_inference(network: Network, batch: int) -> tuple[Any, tuple[Any, ...]]:
    import cnnspec

    compiled = cnnspec.compile(network.spec)
    x = {compiled.graph.inputs[0].name: images(network, batch)}
    function = jax.jit(compiled.inference_function, compiler_options=compiled.compiler_options)
    return function, (compiled.prepare(*compiled.init()), x)


def cnnspec_training(network: Network, batch: int) -> tuple[Any, tuple[Any, ...]]:
    from benchmarks.engines.cnnspec import training_step

    step, state, given = training_step(network, batch)
    return step, (state, given)


def nnx_inference(network: Network, batch: int) -> tuple[Any, tuple[Any, ...]]:
    from benchmarks import handwritten

    run, state = handwritten.inference(network.spec)
    return run, (state, images(network, batch))


def nnx_training(network: Network, batch: int) -> tuple[Any, tuple[Any, ...]]:
    from benchmarks import handwritten

    step, state = handwritten.training(network.spec)
    return step, (state, *examples(network, batch))


def stages(make: Callable[[], tuple[Any, tuple[Any, ...]]]) -> tuple[dict[str, float], Any, tuple[Any, ...]]:
    """Seconds of each stage, the compiled function, and its arguments."""
    clock = [time.perf_counter()]

    def lap(value: Any) -> Any:
        clock.append(time.perf_counter())
        return value

    function, arguments = lap(make())
    compiled = lap(lap(lap(function.trace(*arguments)).lower()).compile())
    names = ("build", "trace", "lower", "compile")
    return {name: clock[i + 1] - clock[i] for i, name in enumerate(names)}, compiled, arguments


def least_step(compiled: Any, arguments: tuple[Any, ...], kind: str, steps: int) -> float:
    """The least seconds of a step; the first, which warms up, does not count."""
    state, *given = arguments
    found = []
    for _ in range(steps + 1):
        begin = time.perf_counter()
        result = jax.block_until_ready(compiled(state, *given))
        found.append(time.perf_counter() - begin)
        state = result[0] if kind == "training" else state
    return min(found[1:])


def main() -> None:
    engine, kind, spec, batch, pixels, steps = sys.argv[1:]
    network = Job(kind, engine, spec, int(batch), int(pixels)).network
    seconds, compiled, arguments = stages(lambda: globals()[f"{engine}_{kind}"](network, int(batch)))
    if int(steps):
        seconds["step"] = least_step(compiled, arguments, kind, int(steps))
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
