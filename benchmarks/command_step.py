"""`python -m benchmarks.command_step`: a training step as the command makes it, beside the bare jitted step.

Both run the same compiled function in one process, in blocks that take turns. The bare step gets the same batch again
and again; the command's loop reads, augments and moves every batch, looks at the measures and records them. Evaluations
and checkpoints are not part of a step and are left out. The ratio of processor times says more where others use the
machine: what the command does beside the step, in its own threads too, is in it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import fields
from pathlib import Path
from statistics import median
from typing import Any

import jax

from benchmarks import machine
from cnnspec.cli.output import Table
from cnnspec.training.interrupts import Interrupts
from cnnspec.training.loop import Loop
from cnnspec.training.preparing import prepare

#: Network, recipe, and what the recipe is given besides; in the order from the lightest step to the heaviest.
CASES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("lenet5", "lenet5", {}),
    ("resnet20_cifar", "residual_digits", {}),
    ("mobilenet_v2_050", "mobilenet_digits", {}),
    ("resnet56_cifar", "residual_digits", {}),
)

#: Of the clock, and of the processors.
Seconds = tuple[float, float]


class Steps(Loop):
    """A loop that makes steps and nothing else."""

    def _evaluate(self) -> dict[str, float]:
        return {}

    def _save(self, metrics: dict[str, float] | None) -> None:
        return None

    def block(self, steps: int, interrupts: Interrupts) -> Seconds:
        """A step of the command's loop."""
        self.total = self.done + steps
        begin, used = time.perf_counter(), time.process_time()
        self._looked = begin
        self._steps(interrupts)
        return (time.perf_counter() - begin) / steps, (time.process_time() - used) / steps

    def bare(self, steps: int, batch: Any) -> Seconds:
        """A step of the compiled function alone."""
        begin, used = time.perf_counter(), time.process_time()
        for _ in range(steps):
            self.state, measures = self.step(self.state, batch)
        jax.block_until_ready((self.state, measures))
        return (time.perf_counter() - begin) / steps, (time.process_time() - used) / steps


def measure(
    spec: str, recipe: str, overrides: dict[str, Any], seconds: float, rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds a step, of the command and bare, a number a round."""
    with tempfile.TemporaryDirectory() as folder:
        ready = prepare(spec, recipe, out=Path(folder) / "run", overrides={**overrides, "epochs": 10_000}, quiet=True)
        loop = Steps(**{f.name: getattr(ready.loop, f.name) for f in fields(Loop) if f.init})
        batch = jax.device_put(loop.devices.place_batch(next(loop.batches)))
        loop.bare(3, batch)
        steps = max(5, round(seconds / loop.bare(5, batch)[0]))
        with Interrupts() as interrupts:
            pairs = [(loop.block(steps, interrupts), loop.bare(steps, batch)) for _ in range(rounds + 1)]
        loop.close()
    return pairs[1:]  # the first round fills the buffer of batches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="of a block")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    table = Table(["network", "bare ms", "command ms", "ratio", "of processor time", "ratios"], right=range(1, 5))
    for spec, recipe, overrides in CASES:
        pairs = measure(spec, recipe, overrides, arguments.seconds, arguments.rounds)
        ratios = [ours[0] / bare[0] for ours, bare in pairs]
        table.add(
            spec, f"{1e3 * median(bare[0] for _, bare in pairs):.2f}", f"{1e3 * median(ours[0] for ours, _ in pairs):.2f}",
            f"{median(ratios):.3f}", f"{median(ours[1] / bare[1] for ours, bare in pairs):.3f}",
            " ".join(f"{ratio:.2f}" for ratio in ratios),
        )  # fmt: skip
    print(f"load {machine.load()}, {machine.describe()['cores']} cores; medians, and the ratio of every round")
    table.print()


if __name__ == "__main__":
    main()
