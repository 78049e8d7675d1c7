"""For which sizes of the input a condition on a side holds."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, lcm

from cnnspec.sizes.sides import MOST_PERIOD, NotPeriodicError, Side


@dataclass(frozen=True, slots=True)
class Valid:
    """A set of sizes: for every residue of its period the least and the greatest size (`None`: without end)."""

    bounds: tuple[tuple[int, int | None], ...]

    @property
    def period(self) -> int:
        return len(self.bounds)

    def __contains__(self, n: int) -> bool:
        low, high = self.bounds[n % self.period]
        return n >= max(low, 1) and (high is None or n <= high)

    def __and__(self, other: Valid) -> Valid:
        period = lcm(self.period, other.period)
        if period > MOST_PERIOD:
            raise NotPeriodicError
        return Valid(tuple(_meet(self.bounds[n % self.period], other.bounds[n % other.period]) for n in range(period)))

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
        return max([1, *(low for low, high in self.bounds if high is None)], default=1)

    @property
    def greatest(self) -> int:
        """The greatest size where the set is finite, and 0 where it is empty."""
        return max((high for low, high in self.bounds if high is not None and high >= max(low, 1)), default=0)


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


def _meet(one: tuple[int, int | None], other: tuple[int, int | None]) -> tuple[int, int | None]:
    highs = [high for _, high in (one, other) if high is not None]
    return max(one[0], other[0]), min(highs) if highs else None
