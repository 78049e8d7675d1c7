"""One direction of scaling, followed to a budget.

What a budget limits grows about exponentially along a direction, and by steps, since widths and repeats are whole
numbers; here and there lies a scale at which the network is none, since groups no longer divide or sides no longer meet.
A direction is followed from the network as it stands, with the growth so far as the guess for the next step, until two
neighbours hold the budget between them; where a gap lies between these, it is probed for what is in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from cnnspec.frontend import Counted
from cnnspec.scaling.factors import Factors

#: Networks tried along a direction before and after it is probed, probes, and the step below which two are neighbours.
_TRIES = 16
_PROBES = 40
_FINE = 0.004


@dataclass(frozen=True)
class Fit:
    """A network near a budget: how it was found, by what it was scaled, and how much of the budgeted it has."""

    direction: str
    factors: Factors
    value: int
    network: Counted


class Direction:
    """The networks at every distance along a direction; that at 0 is the one that one starts from."""

    def __init__(
        self, budget: int, at: Callable[[float], Fit | None], reach: tuple[float, float], start: Fit,
        slope: float, full: float = 1.0,
    ) -> None:  # fmt: skip
        """`at` gives the network at a distance within `reach`, if there is one; `slope` guesses how its logarithm grows.

        A network that uses the share `full` of the budget is not improved.
        """
        self._budget = budget
        self._network = at
        self._slope = slope
        self._enough = full * budget
        self._up = start.value <= budget
        self._end = reach[1] if self._up else reach[0]
        self._found: dict[float, Fit | None] = {0.0: start}
        self._bracket()

    def search(self) -> tuple[Fit | None, Fit | None]:
        """The largest network within the budget, and the smallest found that is not."""
        self._narrow()
        self._bracket()
        if not self._full and any(fit is None and self._low < t < self._high for t, fit in self._found.items()):
            self._probe()
            self._bracket()
            self._narrow()
        return self._inside, self._outside

    def _bracket(self) -> None:
        """The largest network known within the budget, the next one known beyond it, and what lies between them."""
        known = sorted((t, fit) for t, fit in self._found.items() if fit is not None)
        within = [(t, fit) for t, fit in known if fit.value <= self._budget]
        self._inside: Fit | None
        self._outside: Fit | None
        self._low, self._inside = within[-1] if within else (self._end, None)
        beyond = [(t, fit) for t, fit in known if fit.value > self._budget and (t > self._low or not within)]
        self._high, self._outside = beyond[0] if beyond else (self._end, None)

    @property
    def _full(self) -> bool:
        return self._inside is not None and self._inside.value >= self._enough

    def _at(self, t: float) -> Fit | None:
        if t not in self._found:
            self._found[t] = self._network(t)
        return self._found[t]

    def _probe(self) -> None:
        """Networks in even steps between the two sides, until one lies on the other side of the budget."""
        begin, end = (self._low, self._high) if self._up else (self._high, self._low)
        for number in range(1, _PROBES + 1):
            fit = self._at(begin + (end - begin) * number / _PROBES)
            if fit is not None and (fit.value <= self._budget) != self._up:
                return

    def _narrow(self) -> None:
        """Bring the two sides together."""
        nothing_there = False
        for _ in range(_TRIES):
            if self._high - self._low < _FINE or self._full:
                return
            t = (self._low + self._high) / 2 if nothing_there else self._guess()
            fit = self._at(t)
            nothing_there = fit is None
            if fit is None and self._inside is not None:
                self._high = t
            elif fit is None:
                self._low = t
            elif fit.value <= self._budget:
                self._learn(self._inside or self._outside, fit, t - (self._low if self._inside else self._high))
                self._low, self._inside = t, fit
            else:
                self._learn(self._outside or self._inside, fit, t - (self._high if self._outside else self._low))
                self._high, self._outside = t, fit

    def _guess(self) -> float:
        """Where the budget should be met."""
        low, high, inside, outside = self._low, self._high, self._inside, self._outside
        if inside and outside and inside.value < outside.value:
            share = math.log(self._budget / inside.value) / math.log(outside.value / inside.value)
            return low + (high - low) * min(0.85, max(0.15, share))
        known = inside or outside
        if known is None or known.value < 1:
            return (low + high) / 2
        # A little too far, so that the budget comes to lie between two networks.
        step = 1.1 * math.log(self._budget / known.value) / self._slope
        step = math.copysign(max(abs(step), _FINE), step if step else (1.0 if inside else -1.0))
        return max(low, min(high, (low if inside else high) + step))

    def _learn(self, before: Fit | None, after: Fit, distance: float) -> None:
        """How fast what is counted grows, from two networks; steps of rounding would mislead, so within bounds."""
        if before is not None and distance and min(before.value, after.value) >= 1:
            growth = math.log(after.value / before.value) / distance
            self._slope = min(2 * self._slope, max(self._slope / 2, growth))
