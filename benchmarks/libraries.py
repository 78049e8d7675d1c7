"""`python -m benchmarks.libraries`: networks by either library of XLA for CPUs, Eigen and YNNPACK, on this machine.

Each column is a program of the same network under other options of the compiler (`cnnspec.lower.xla`): those that XLA
has by itself, and what YNNPACK computes of convolutions, products, sums and elementwise operations; the rest is Eigen's or a
loop of XLA's own. The last two are what is used, "eigen" for inference and "ynnpack" for training.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from math import exp, fsum, log
from typing import Any

import jax

import cnnspec
from benchmarks.engines.cnnspec import training_step
from benchmarks.job import Job
from benchmarks.networks import NETWORKS, find, images
from cnnspec.cli.output import Table
from cnnspec.lower.forms.measure import in_turns
from cnnspec.lower.xla import LIBRARY, SUMS, SUMS_AND_PRODUCTS, VECTORS, Options, usable

CONVOLUTIONS = "LIBRARY_FUSION_TYPE_INDIVIDUAL_CONVOLUTION"
WAYS: dict[str, Options] = {
    "XLA": {},
    "nothing": {LIBRARY: ""},
    "sums": {LIBRARY: SUMS},
    "and convolutions": {LIBRARY: f"{SUMS},{CONVOLUTIONS}"},
    "and products": {LIBRARY: SUMS_AND_PRODUCTS},
    "and elementwise": {LIBRARY: f"{SUMS_AND_PRODUCTS},LIBRARY_FUSION_TYPE_ELTWISE"},
    "eigen": {LIBRARY: SUMS, **VECTORS},
    "ynnpack": {LIBRARY: SUMS_AND_PRODUCTS, **VECTORS},
}
TRAINED = ("resnet50", "mobilenet_v2", "resnext50_32x4d")
PIXELS = 128


def inference(spec: str, batch: int) -> Callable[[Options], Callable[[], Any]]:
    """What makes a call under some options."""
    compiled = cnnspec.compile(spec)
    x = jax.device_put(images(find(spec), batch))
    prepared = compiled.prepare(*compiled.init())

    def make(options: Options) -> Callable[[], Any]:
        return partial(jax.jit(compiled.tiled_inference, compiler_options=usable(options)), prepared, x)

    return make


def training(spec: str, batch: int) -> Callable[[Options], Callable[[], Any]]:
    """The same for a training step."""
    step, state, given = training_step(Job("training", "cnnspec", spec, batch, PIXELS).network, batch)

    def make(options: Options) -> Callable[[], Any]:
        return partial(jax.jit(step.__wrapped__, compiler_options=usable(options)), state, given)

    return make


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", help="all of the benchmarks, where none is named")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--train", action="store_true", help=f"a training step at {PIXELS} pixels")
    arguments = parser.parse_args()
    networks = arguments.networks or (TRAINED if arguments.train else NETWORKS)
    table = Table(["network", *(f"{way} ms" for way in WAYS), "used / XLA"], right=range(1, 2 + len(WAYS)))
    used, ratios = "ynnpack" if arguments.train else "eigen", []
    for spec in networks:
        make = (training if arguments.train else inference)(spec, arguments.batch)
        seconds = in_turns({way: make(options) for way, options in WAYS.items()}, 0.5, 5)
        ratios.append(seconds[used] / seconds["XLA"])
        table.add(spec, *(f"{1e3 * seconds[way]:.2f}" for way in WAYS), f"{ratios[-1]:.2f}")
        print(table.rows[-1], flush=True)
        jax.clear_caches()
    print(table.plain())
    print(f"\ngeometric mean of used / XLA: {exp(fsum(map(log, ratios)) / len(ratios)):.3f}")


if __name__ == "__main__":
    main()
