"""`python -m benchmarks.directions`: how fast XLA and PyTorch convolve forward, and back to the input and to the kernel.

A training step consists of the three. The convolutions are those of ResNet-50 at 128 pixels; each runs by itself in
float32, in a process an engine, and the best of some calls counts. No lowering changes what the table says: XLA's
products and convolutions are all that a JAX program can be made of.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from functools import partial
from typing import Any

from benchmarks.turns import ENVIRONMENT
from cnnspec.cli.output import Table

#: Side of the output, input channels, filters, kernel, stride.
CONVOLUTIONS = ((64, 3, 64, 7, 2), (32, 64, 64, 1, 1), (32, 64, 256, 1, 1), (32, 64, 64, 3, 1), (16, 128, 128, 3, 1),
                (16, 512, 128, 1, 1), (8, 256, 256, 3, 1), (8, 1024, 256, 1, 1), (4, 512, 512, 3, 1), (4, 2048, 512, 1, 1))  # fmt: skip
DIRECTIONS = ("forward", "to the input", "to the kernel")


def xla(batch: int) -> list[list[float]]:
    """Seconds of each direction, a row a convolution."""
    import jax
    import jax.numpy as jnp

    from cnnspec.lower.forms.conv import Geometry, dot, plain
    from cnnspec.lower.forms.measure import in_turns, random_array
    from cnnspec.lower.xla import compiler_options

    found = []
    for side, channels, filters, size, stride in CONVOLUTIONS:
        pad = size // 2
        geometry = Geometry((stride, stride), ((pad, pad), (pad, pad)), (1, 1), 1)
        form = dot if size == 1 else plain
        x = jax.device_put(random_array((batch, side * stride, side * stride, channels)))
        kernel = jax.device_put(random_array((size, size, channels, filters)))
        dy = jnp.ones((batch, side, side, filters))

        def forward(x: Any, kernel: Any, form: Any = form, geometry: Geometry = geometry) -> Any:
            return form(x, kernel, geometry)

        def to_input(x: Any, kernel: Any, dy: Any, forward: Any = forward) -> Any:
            return jax.linear_transpose(lambda x: forward(x, kernel), x)(dy)

        def to_kernel(x: Any, kernel: Any, dy: Any, forward: Any = forward) -> Any:
            return jax.linear_transpose(lambda kernel: forward(x, kernel), kernel)(dy)

        jit = partial(jax.jit, compiler_options=compiler_options(train=True))
        seconds = in_turns({0: partial(jit(forward), x, kernel), 1: partial(jit(to_input), x, kernel, dy),
                            2: partial(jit(to_kernel), x, kernel, dy)}, 0.2)  # fmt: skip
        found.append([seconds[i] for i in range(3)])
    return found


def pytorch(batch: int) -> list[list[float]]:
    """The same by oneDNN in PyTorch, channels last."""
    import torch

    from cnnspec.lower.forms.measure import in_turns

    torch.set_grad_enabled(False)
    found = []
    for side, channels, filters, size, stride in CONVOLUTIONS:
        layout = {"memory_format": torch.channels_last}
        x = torch.randn(batch, channels, side * stride, side * stride).to(**layout)
        kernel = torch.randn(filters, channels, size, size).to(**layout)
        pad = size // 2
        convolve = partial(torch.nn.functional.conv2d, x, kernel, None, stride, pad)
        dy = torch.ones_like(convolve())
        back = partial(torch.ops.aten.convolution_backward, dy, x, kernel, None, [stride] * 2, [pad] * 2, [1, 1], False, [0, 0], 1)  # fmt: skip
        ways = {0: convolve, 1: partial(back, [True, False, False]), 2: partial(back, [False, True, False])}
        seconds = in_turns(ways, 0.2)
        found.append([seconds[i] for i in range(3)])
    return found


ENGINES = {"XLA": xla, "PyTorch": pytorch}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.engine:
        print(json.dumps(ENGINES[given.engine](given.batch)))
        return
    found = {}
    for name in ENGINES:
        command = [sys.executable, "-m", "benchmarks.directions", "--engine", name, "--batch", str(given.batch)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **ENVIRONMENT})
        if done.returncode:
            print(f"{name}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
            continue
        found[name] = json.loads(done.stdout.splitlines()[-1])
    heads = [f"{name}, {direction}" for name in found for direction in DIRECTIONS]
    table = Table(["kernel", "map", "channels", *heads], right=range(3, 3 + len(heads)))
    for i, (side, channels, filters, size, stride) in enumerate(CONVOLUTIONS):
        operations = 2 * given.batch * side**2 * filters * channels * size**2
        rates = [f"{operations / seconds / 1e9:.0f}" for rows in found.values() for seconds in rows[i]]
        table.add(f"{size}x{size}/{stride}", f"{side}x{side}", f"{channels} to {filters}", *rates)
    print("billion operations a second, of which a multiply-accumulate is two")
    table.print()


if __name__ == "__main__":
    main()
