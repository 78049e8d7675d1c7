"""How one side of a feature map depends on the same side of the input, and for which sizes a condition on it holds.

Every shape rule of a sliding window, a pool, padding or upsampling repeats itself: enlarge the input by the rule's
period and the output grows by a fixed step. So does every composition of such rules, and one period says it all:
nothing has to be tried size by size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import gcd, lcm

#: The longest period that is followed; ordinary networks have their total stride, 32.
MOST_PERIOD = 8192


class NotPeriodicError(Exception):
    """A rule that does not repeat itself, or only after too many sizes."""


@dataclass(frozen=True, slots=True)
class Side:
    """A side as a function of the input's side n: `table[n mod period] + step * floor(n / period)`."""

    step: int
    table: tuple[int, ...]

    @property
    def period(self) -> int:
        return len(self.table)

    def at(self, n: int) -> int:
        """Its length for an input of side n."""
        turns, rest = divmod(n, self.period)
        return self.table[rest] + self.step * turns

    def then(self, rule: Side) -> Side:
        """The side after another rule was applied to this one."""
        period = self.period * (rule.period // gcd(rule.period, self.step) if self.step else 1)
        if period > MOST_PERIOD:
            raise NotPeriodicError
        table = tuple(rule.at(self.at(n)) for n in range(period))
        return Side(rule.at(self.at(period)) - table[0], table)

    def times(self, factor: int) -> Side:
        """So many of it."""
        return Side(self.step * factor, tuple(length * factor for length in self.table))

    def plus(self, other: Side) -> Side:
        """Both, one after the other."""
        period = lcm(self.period, other.period)
        if period > MOST_PERIOD:
            raise NotPeriodicError
        table = tuple(self.at(n) + other.at(n) for n in range(period))
        return Side(self.at(period) + other.at(period) - table[0], table)

    @property
    def constant(self) -> bool:
        """Whether it is the same for every input."""
        return self.step == 0 and len(set(self.table)) == 1


IDENTITY = Side(1, (0,))


def fixed(length: int) -> Side:
    """A side that does not depend on the input's."""
    return Side(0, (length,))


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


def learned(rule: Callable[[int], int | None], period: int, start: int) -> tuple[Side, int]:
    """A rule of one op as a `Side`, and the least length that it accepts; `None` of the rule stands for a refusal.

    The rule of an op is known to repeat itself with its stride; three strides from `start` say what it is. An op that
    accepts a length accepts every greater one. Raises `NotPeriodicError` where that does not hold.
    """
    start = -(-start // period) * period
    seen = [rule(start + n) for n in range(3 * period)]
    known = [length for length in seen if length is not None]
    if len(known) < len(seen):
        raise NotPeriodicError
    step = known[period] - known[0]
    side = Side(step, tuple(length - step * (start // period) for length in known[:period]))
    low, high = 0, start
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if rule(middle) is not None else (middle, high)
    for n in (*range(high, high + 2 * period), *range(start, start + 3 * period)):
        if rule(n) != side.at(n):
            raise NotPeriodicError
    return side, high


def in_words(valid: Valid) -> str:
    """A set of sizes as people say it: `at least 75`, `multiples of 32`, `only 28`."""
    residues = valid.endless
    if not residues:
        sizes = valid.below(valid.greatest + 1)
        return f"only {_runs(sizes)}" if sizes else "no size"
    start, period = valid.settled, _least_period(residues, valid.period)
    residues = frozenset(r % period for r in residues)
    # The first size from which the residue decides alone, brought down as far as that stays true.
    while start > 1 and ((start - 1) in valid) == ((start - 1) % period in residues):
        start -= 1
    first = next(n for n in range(start, start + period) if n % period in residues)
    before = valid.below(start)
    if period == 1:
        words = f"at least {first}" if first > 1 else "any size"
    elif residues == {0}:
        words = f"multiples of {period}" + (f", at least {first}" if first > period else "")
    else:
        words = f"{_around(residues, period)}" + (f", at least {first}" if first >= period else "")
    return words + (f", and {_runs(before)}" if before else "")


def _around(residues: frozenset[int], period: int) -> str:
    """`32k - 1 to 32k + 6`: runs of residues, with those that end at the period told from its multiple."""
    begins = sorted(r for r in residues if (r - 1) % period not in residues)
    shown = []
    for begin in begins:
        length = next(n for n in range(1, period + 1) if (begin + n) % period not in residues)
        shift = begin - period if begin + length > period else begin
        ends = sorted({shift, shift + length - 1})
        shown.append(" to ".join(f"{period}k" + (f" {'+' if e > 0 else '-'} {abs(e)}" if e else "") for e in ends))
    return ", ".join(shown[:8]) + (f", and {len(shown) - 8} more" if len(shown) > 8 else "")


def _runs(sizes: Iterable[int]) -> str:
    """`0, 3 to 7, 9`."""
    runs: list[list[int]] = []
    for size in sizes:
        if runs and size == runs[-1][1] + 1:
            runs[-1][1] = size
        else:
            runs.append([size, size])
    shown = [str(a) if a == b else f"{a} to {b}" if b > a + 1 else f"{a}, {b}" for a, b in runs]
    return ", ".join(shown[:12]) + (f", and {len(shown) - 12} more" if len(shown) > 12 else "")


def _least_period(residues: frozenset[int], period: int) -> int:
    for shorter in range(1, period + 1):
        if period % shorter == 0 and all(((r + shorter) % period) in residues for r in residues):
            return shorter
    return period


def _meet(one: tuple[int, int | None], other: tuple[int, int | None]) -> tuple[int, int | None]:
    highs = [high for _, high in (one, other) if high is not None]
    return max(one[0], other[0]), min(highs) if highs else None
