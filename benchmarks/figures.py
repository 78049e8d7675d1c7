"""Medians, minima and ratios of what was measured in turns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import exp, log
from statistics import median
from typing import Any


def summary(turns: Sequence[Sequence[float]]) -> dict[str, Any]:
    """The figures that are kept of the turns of one engine, in seconds: of each turn the median, of all the minimum."""
    return {
        "median": median(median(turn) for turn in turns),
        "minimum": min(min(turn) for turn in turns),
        "turns": [float(f"{median(turn):.5g}") for turn in turns],
        "calls": sum(map(len, turns)),
    }


def ratio(engine: dict[str, Any], base: dict[str, Any]) -> float:
    """How many times as long as `base` an engine takes.

    It is the median of the ratios within a round, whose turns are seconds apart: a machine that slows down for a while
    slows both down.
    """
    return median(a / b for a, b in zip(engine["turns"], base["turns"], strict=False))


def spread(engine: dict[str, Any]) -> float:
    """By what share the slowest turn was slower than the fastest."""
    return float(max(engine["turns"]) / min(engine["turns"]) - 1)


def geometric_mean(values: Iterable[float]) -> float:
    """Of positive numbers; `nan` of none."""
    found = list(values)
    return exp(sum(map(log, found)) / len(found)) if found else float("nan")
