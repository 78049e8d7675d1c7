"""Timing of several things in alternation, so that a drift of the machine meets them all alike."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any


def alternate(functions: Mapping[str, Callable[[], Any]], rounds: int = 7) -> dict[str, float]:
    """The median seconds of each function, called in turn after one call to warm up."""
    for function in functions.values():
        function()
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            begin = time.perf_counter()
            function()
            times[name].append(time.perf_counter() - begin)
    return {name: statistics.median(found) for name, found in times.items()}


def machine() -> str:
    """The machine, its load, and the versions that matter."""
    load = os.getloadavg()[0]
    versions = ", ".join(f"{name} {version(name)}" for name in ("jax", "flax", "numpy"))
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, load {load:.1f}, Python {platform.python_version()}, {versions}"
    )
