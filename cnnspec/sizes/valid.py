"""For which sizes of the input a condition on a side holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd, lcm

from cnnspec.sizes.sides import MOST_PERIOD, NotPeriodicError, Side


@dataclass(frozen=True, slots=True)
class Valid:
    """A set of sizes: for every residue of its period the least and the greatest size (`None`: without end).

    `exceptions` are single sizes for which the opposite is true.
    """

    bounds: tuple[tuple[int, int | None], ...]
    exceptions: frozenset[int] = frozenset()

    @property
    def period(self) -> int:
        return len(self.bounds)

    def __contains__(self, n: int) -> bool:
        low, high = self.bounds[n % self.period]
        return (n >= max(low, 1) and (high is None or n <= high)) != (n in self.exceptions)

    def __and__(self, other: Valid) -> Valid:
        period = lcm(self.period, other.period)
        if period > MOST_PERIOD:
            raise NotPeriodicError
        both = Valid(tuple(_meet(self.bounds[n % self.period], other.bounds[n % other.period]) for n in range(period)))
        apart = {n for n in self.exceptions | other.exceptions if (n in self and n in other) != (n in both)}
        return Valid(both.bounds, frozenset(apart)) if apart else both

    @property
    def endless(self) -> frozenset[int]:
        """The residues of which every size is right from some size on."""
        return frozenset(r for r, (_, high) in enumerate(self.bounds) if high is None)

    def below(self, end: int) -> list[int]:
        """The sizes in it that are smaller than `end`."""
        return [n for n in range(1, end) if n in self]

    @property
    def settled(self) -> int:
        """From this size on, the residue alone decides."""
        return max([1, *(low for low, high in self.bounds if high is None), *(n + 1 for n in self.exceptions)])

    @property
    def greatest(self) -> int:
        """The greatest size where the set is finite, and 0 where it is empty."""
        highs = (high for low, high in self.bounds if high is not None and high >= max(low, 1))
        return max([0, *highs, *(n for n in self.exceptions if n in self)])


EVERY = Valid(((1, None),))
_NEVER = (1, 0)


def at_least(side: Side, length: int) -> Valid:
    """The input sizes for which `side` is at least `length`."""
    bounds: list[tuple[int, int | None]] = []
    for rest, first in enumerate(side.table):
        if side.step > 0:
            turns = max(0, -((first - length) // side.step))
            bounds.append((rest + turns * side.period, None))
        else:
            bounds.append((1, None) if first >= length else _NEVER)
    return Valid(tuple(bounds))


def equal(one: Side, other: Side) -> Valid:
    """The input sizes for which two sides have the same length."""
    period = lcm(one.period, other.period)
    if period > MOST_PERIOD:
        raise NotPeriodicError
    bounds: list[tuple[int, int | None]] = []
    for n in range(period):
        here = one.at(n) - other.at(n)
        grows = (one.at(n + period) - other.at(n + period)) - here
        turns, rest = divmod(-here, grows) if grows else (0, here)
        size = n + turns * period
        if rest or turns < 0:
            bounds.append(_NEVER)
        else:
            bounds.append((size, size) if grows else (1, None))
    return Valid(tuple(bounds))


def multiple_of(side: Side, number: int) -> Valid:
    """The input sizes for which `side` is a multiple of a number."""
    period = side.period * (number // gcd(number, side.step) if side.step else 1)
    if period > MOST_PERIOD:
        raise NotPeriodicError
    return Valid(tuple((1, None) if side.at(n) % number == 0 else _NEVER for n in range(period)))


def repeating(flags: Sequence[bool]) -> Valid:
    """The set that `flags` says of the sizes 0, 1, 2, ..., whose end repeats itself and goes on so without end.

    Raises `NotPeriodicError` where the second half of them does not repeat itself twice.
    """
    end, half = len(flags), (len(flags) + 1) // 2
    for period in range(1, end // 4 + 1):
        if all(flags[n] == flags[n - period] for n in range(half + period, end)):
            last = {n % period: flags[n] for n in range(end - period, end)}
            bounds: tuple[tuple[int, int | None], ...]
            bounds = tuple((1, None) if last[rest] else _NEVER for rest in range(period))
            return Valid(bounds, frozenset(n for n in range(1, end) if flags[n] != last[n % period]))
    raise NotPeriodicError


def _meet(one: tuple[int, int | None], other: tuple[int, int | None]) -> tuple[int, int | None]:
    highs = [high for _, high in (one, other) if high is not None]
    return max(one[0], other[0]), min(highs) if highs else None
