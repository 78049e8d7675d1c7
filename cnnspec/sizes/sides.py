"""How one side of a feature map depends on the same side of the input.

Every shape rule of a sliding window, a pool, padding or upsampling repeats itself: enlarge the input by the rule's
period and the output grows by a fixed step. So does every composition of such rules, and one period says it all:
nothing has to be tried size by size.
"""

from __future__ import annotations

from collections.abc import Callable
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
