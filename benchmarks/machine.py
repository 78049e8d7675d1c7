"""The machine: what it is, what runs on it, and whether anybody else works on it while something is measured."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("cnnspec", "jax", "jaxlib", "flax", "optax", "numpy", "keras", "torch", "torchvision", "timm", "onnx",
            "onnxruntime")  # fmt: skip


def describe() -> dict[str, object]:
    """Processor, cores, memory, system, and the versions of what is compared."""
    return {
        "processor": _first(Path("/proc/cpuinfo"), "model name") or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"Python": platform.python_version(), **_versions(PACKAGES)},
    }


def load() -> float:
    """The mean number of processes that wanted to run in the last minute."""
    return round(os.getloadavg()[0], 2)


def busy_seconds() -> float | None:
    """Seconds of processor time that all processes together have used since the machine started; Linux only."""
    try:
        fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _idle, _waiting, interrupts, soft, stolen = map(int, fields[:8])
    return (user + nice + system + interrupts + soft + stolen) / os.sysconf("SC_CLK_TCK")


def used_seconds(processes: Iterable[int]) -> float:
    """Seconds of processor time that some processes have used; 0 for those that are gone."""
    total = 0
    for number in processes:
        try:
            # After the name in brackets, which may hold anything, the 12th and 13th fields are user and system time.
            fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


@dataclass
class Watch:
    """Over a stretch of time: the share of the machine that processes other than `ours` have used."""

    ours: list[int]
    begin: float = field(default_factory=time.perf_counter)
    busy: float | None = field(default_factory=busy_seconds)
    used: float = 0.0

    def __post_init__(self) -> None:
        self.ours = [*self.ours, os.getpid()]
        self.used = used_seconds(self.ours)

    def others(self) -> float | None:
        """From 0 to 1; `None` where the system does not say."""
        now = busy_seconds()
        if now is None or self.busy is None:
            return None
        ours = used_seconds(self.ours) - self.used
        span = (time.perf_counter() - self.begin) * (os.cpu_count() or 1)
        return max(0.0, now - self.busy - ours) / span if span else 0.0


def _versions(packages: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _first(path: Path, key: str) -> str | None:
    """The value of the first line `key: value`."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), None)
