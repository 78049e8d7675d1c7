"""How long scaling takes, whole processes as a user starts them: `python -m benchmarks.scaling`.

Each line is a command, the least of three runs in seconds of wall clock and of processor, and what it should stay under.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

RUNS = 3


@dataclass(frozen=True)
class Target:
    """A command, and the seconds that it should take at most."""

    words: str
    most: float


#: Scaling with its check, a budget, and a search over all 215 rules of the grid; networks small, large and deep.
TARGETS = (
    Target("scale lenet5_modern --width 2", 0.5),
    Target("scale resnet50 --width 0.5 --resolution 160 --explain", 0.5),
    Target("scale efficientnet_b0 --variant b7 --output OUT", 0.5),
    Target("scale inception_resnet_v2 --phi 1", 0.5),
    Target("scale resnet1202_cifar --width 2", 0.5),
    Target("check nasnet_a_large --width 0.5", 0.5),
    Target("scale resnet50 --macs 1G", 3.0),
    Target("scale efficientnet_b0 --macs 5G", 3.0),
    Target("scale densenet121 --activation-memory 20MiB", 3.0),
    Target("compile lenet5_modern --params 30K --emit elaborate", 3.0),
    Target("scale efficientnet_b0 --search --proxy macs", 10.0),
    Target("scale resnet50 --search --proxy macs", 10.0),
    Target("sizes inception_v3", 3.0),
    Target("sizes nasnet_a_mobile", 3.0),
)


def main() -> int:
    """Run every command and print its times; the exit code says whether all processor times are within their targets."""
    slow = 0
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    print(f"{'wall':>6} {'cpu':>6} {'most':>5}")
    with tempfile.TemporaryDirectory() as folder:
        for target in TARGETS:
            words = target.words.replace("OUT", str(Path(folder) / "scaled.yaml")).split()
            times = [measured(words) for _ in range(RUNS)]
            wall, cpu = min(t[0] for t in times), min(t[1] for t in times)
            late = cpu > target.most
            slow += late
            print(f"{wall:6.2f} {cpu:6.2f} {target.most:5.1f}  cnnspec {target.words}{'   too slow' if late else ''}")
    return 1 if slow else 0


def measured(words: list[str]) -> tuple[float, float]:
    """Wall clock and processor seconds of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-m", "cnnspec", *words], capture_output=True, check=True)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
