"""`python -m benchmarks`: cnnspec beside hand-written Flax NNX, in one run, as ratios; writes docs/benchmarks.md.

`--long` takes more networks, batches and rounds. torch is measured too where it is installed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

import cnnspec
from benchmarks.handwritten import NETWORKS, inference
from benchmarks.timing import alternate, machine
from cnnspec.cli.output import Table
from cnnspec.zoo import zoo_specs

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def startup() -> Table:
    """Whole processes: checking specs."""
    table = Table(["process", "seconds"], right=(1,))
    command = [sys.executable, "-m", "cnnspec", "check", "-q"]
    specs = [str(path) for path in zoo_specs()]
    for name, files in (("check resnet50", ["resnet50"]), (f"check all {len(specs)} specs", specs)):
        times = []
        for _ in range(3):
            begin = time.perf_counter()
            subprocess.run([*command, *files], check=True)
            times.append(time.perf_counter() - begin)
        table.add(name, f"{min(times):.2f}")
    begin = time.perf_counter()
    cnnspec.load_spec("resnet1202_cifar")
    table.add("infer the shapes of 1202 layers (in process)", f"{time.perf_counter() - begin:.2f}")
    for name in ("vgg16", "resnet152"):
        network = cnnspec.compile(name)
        begin = time.perf_counter()
        network.init()
        table.add(f"initial values of {name} (in process)", f"{time.perf_counter() - begin:.2f}")
    return table


def compiling(names: list[str]) -> Table:
    """Trace, lower and compile, without any cache."""
    table = Table(["compile", "cnnspec s", "by hand s", "ratio"], right=(1, 2, 3))
    jax.config.update("jax_enable_compilation_cache", False)
    for name in names:
        network = cnnspec.compile(name)
        prepared = network.prepare(*network.init())
        image = np.zeros((1, 224, 224, 3), np.float32)
        run, state = inference(name)
        mine, theirs = [], []
        for _ in range(2):
            jax.clear_caches()
            begin = time.perf_counter()
            jax.jit(network.inference_function).lower(prepared, image).compile()
            mine.append(time.perf_counter() - begin)
            jax.clear_caches()
            begin = time.perf_counter()
            run.lower(state, image).compile()
            theirs.append(time.perf_counter() - begin)
        table.add(name, f"{min(mine):.2f}", f"{min(theirs):.2f}", f"{min(mine) / min(theirs):.2f}")
    return table


def running(names: list[str], batches: list[int], rounds: int) -> Table:
    """Inference, float32, 224 pixels."""
    table = Table(["inference", "batch", "cnnspec ms", "by hand ms", "torch ms", "hand / cnnspec", "torch / cnnspec"],
                  right=range(1, 7))  # fmt: skip
    for name in names:
        network = cnnspec.compile(name)
        prepared = network.prepare(*network.init())
        run, state = inference(name)
        for batch in batches:
            images = np.random.default_rng(0).standard_normal((batch, 224, 224, 3)).astype(np.float32)
            on_device = jax.device_put(images)
            functions: dict[str, Any] = {
                "cnnspec": partial(_ready, network.infer, prepared, on_device),
                "hand": partial(_ready, run, state, on_device),
            }
            peer = _torch(name, images)
            if peer is not None:
                functions["torch"] = peer
            seconds = alternate(functions, rounds)
            torch_ms = f"{1e3 * seconds['torch']:.1f}" if "torch" in seconds else ""
            torch_ratio = f"{seconds['torch'] / seconds['cnnspec']:.2f}" if "torch" in seconds else ""
            table.add(name, batch, f"{1e3 * seconds['cnnspec']:.1f}", f"{1e3 * seconds['hand']:.1f}", torch_ms,
                      f"{seconds['hand'] / seconds['cnnspec']:.2f}", torch_ratio)  # fmt: skip
    return table


def _ready(function: Any, *arguments: Any) -> None:
    """Call and wait for the result."""
    jax.block_until_ready(function(*arguments))


def _torch(name: str, images: np.ndarray) -> Any:
    """torch's eager network with channels last, where torch is installed."""
    try:
        import torch

        from tests.parity.peers import torchvision
    except ImportError:
        return None
    model = getattr(torchvision().models, name)(weights=None).eval().to(memory_format=torch.channels_last)
    x = torch.tensor(images).permute(0, 3, 1, 2).to(memory_format=torch.channels_last)

    def run() -> None:
        with torch.no_grad():
            model(x)

    return run


def overhead() -> Table:
    """The cost of a call over the network itself: 300 arrays that do nothing."""
    table = Table(["call with the arrays of ResNet-50, no work", "microseconds"], right=(1,))
    network = cnnspec.compile("resnet50")
    prepared = network.prepare(*network.init())
    one = jax.device_put(np.zeros(1, np.float32))
    plain = jax.jit(lambda weights, x: x + 1)
    inner = jax.jit(lambda weights, x, features: x + 1, static_argnums=(2,))

    class Idle(type(network)):  # type: ignore[misc]  # the class of the network at hand
        _infer = property(lambda self: inner)

    idle = Idle(network.loaded)

    def many(function: Any) -> Any:
        def run() -> None:
            for _ in range(200):
                function()

        return run

    seconds = alternate(
        {"jit": many(lambda: plain(prepared, one)), "infer": many(lambda: idle.infer(prepared, one))}, 5
    )
    table.add("jax.jit on the mapping", f"{1e6 * seconds['jit'] / 200:.0f}")
    table.add("Compiled.infer", f"{1e6 * seconds['infer'] / 200:.0f}")
    table.add("ratio", f"{seconds['infer'] / seconds['jit']:.2f}")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="more networks, batches and rounds")
    arguments = parser.parse_args()
    names = list(NETWORKS) if arguments.long else ["resnet50", "mobilenet_v2"]
    sections = [("Start", startup()), ("Call", overhead()), ("Compile", compiling(["vgg16", "resnet50"]))]
    sections.append(("Inference", running(names, [1, 8] if arguments.long else [1], 9 if arguments.long else 5)))
    lines = ["# Benchmarks", "", "Written by `python -m benchmarks --long`. Medians, measured in alternation in one run.",
             "", machine(), ""]  # fmt: skip
    for title, table in sections:
        lines += [f"## {title}", "", "```text", table.plain(), "```", ""]
    text = "\n".join(lines)
    print(text)
    if arguments.long:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
