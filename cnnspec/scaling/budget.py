"""Networks scaled to a budget, along the compound direction or along one axis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cnnspec.diagnostics import Diagnostic, Report, SpecError
from cnnspec.frontend import LoadedSpec, SpecLike, check_spec, load_spec
from cnnspec.scaling.factors import Factors
from cnnspec.scaling.rule import MOST_RESOLUTION, Compound

Budget = Literal["macs", "params", "activation_bytes"]
Direction = Literal["compound", "width", "depth", "resolution"]
DIRECTIONS: tuple[Direction, ...] = ("compound", "width", "depth", "resolution")

#: How far each direction is followed: exponents of the compound rule, and powers of two of a single factor.
_REACH: dict[str, tuple[float, float]] = {"compound": (-20.0, 20.0)}
_OCTAVES = (-6.0, 6.0)
_TRIES = 18
#: A step along a direction below which two networks count as neighbours.
_FINE = 0.002


@dataclass(frozen=True)
class Fit:
    """A network near a budget: in which direction it was scaled, by what, and how much of the budgeted it has."""

    direction: Direction
    factors: Factors
    value: int
    loaded: LoadedSpec


def count(loaded: LoadedSpec, what: Budget) -> int:
    """What a budget limits."""
    return int(getattr(loaded.totals, what))


@dataclass
class _Line:
    """The networks along one direction, each built once."""

    spec: SpecLike
    what: Budget
    settings: Mapping[str, Any] | None
    direction: Direction
    height: int | None
    seen: dict[float, Fit | None] = field(default_factory=dict)

    @property
    def reach(self) -> tuple[float, float]:
        return _REACH.get(self.direction, _OCTAVES)

    def factors(self, t: float) -> Factors | None:
        """The factors at exponent `t`; 0 is the network as written."""
        if self.direction == "compound":
            return Factors(phi=round(t, 4))
        if self.direction == "resolution":
            pixels = round((self.height or 0) * 2**t)
            return Factors(resolution=pixels) if self.height and 1 <= pixels <= MOST_RESOLUTION else None
        return Factors.model_validate({self.direction: round(2**t, 4)})

    def at(self, t: float) -> Fit | None:
        """The network at `t`, or the nearest to it that checks (branches that meet ask for certain sizes)."""
        for aside in (0.0, 0.03, -0.03, 0.07, -0.07):
            fit = self._at(t + aside)
            if fit is not None or self.direction in ("width", "depth"):
                return fit
        return None

    def _at(self, t: float) -> Fit | None:
        t = round(t, 4)
        if t not in self.seen:
            factors = self.factors(t)
            loaded = (
                check_spec(self.spec, Report(), set=self.settings, scale=factors, explain=False) if factors else None
            )
            value = 0 if loaded is None else count(loaded, self.what)
            self.seen[t] = None if loaded is None or factors is None else Fit(self.direction, factors, value, loaded)
        return self.seen[t]

    def largest(self, budget: int, base: Fit) -> tuple[Fit | None, Fit | None]:
        """The largest network within a budget, and the smallest found that is not."""
        low, high = self.reach
        inside, outside = (base, None) if base.value <= budget else (None, base)
        low, high = (0.0, high) if inside else (low, 0.0)
        slope = math.log(Compound().growth) if self.direction == "compound" else 2 * math.log(2)
        for attempt in range(_TRIES):
            if high - low < _FINE or (inside and inside.value == budget):
                break
            t = self._guess(budget, inside, outside, low, high, slope / 1.5**attempt)
            fit = self.at(t)
            if fit is None:  # too small to check: look above; too large: below
                low, high = (t, high) if t < 0 else (low, t)
            elif fit.value <= budget:
                low, inside = t, fit
            else:
                high, outside = t, fit
        return inside, outside

    def _guess(
        self, budget: int, inside: Fit | None, outside: Fit | None, low: float, high: float, slope: float
    ) -> float:
        """Where the budget should be met: what is counted grows about exponentially along a direction."""
        if inside and outside and inside.value < outside.value:
            share = math.log(budget / inside.value) / math.log(outside.value / inside.value)
            return low + (high - low) * min(0.9, max(0.1, share))
        known = inside or outside
        if known is None or known.value < 1 or abs(math.log(budget / known.value)) < _FINE:
            return (low + high) / 2
        step = 1.15 * math.log(budget / known.value) / slope
        # How fast the network grows is a guess, and what does not scale slows it down: ever longer steps.
        step = math.copysign(min(max(abs(step), 0.02), (high - low) / 2), step)
        return max(low + _FINE, min(high - _FINE, (low if inside else high) + step))


def solve(
    spec: SpecLike, what: Budget, budget: int, settings: Mapping[str, Any] | None = None, *, frontier: bool = True
) -> tuple[Fit, list[Fit]]:
    """The largest network along the compound direction that keeps within a budget, and the choices around it.

    Those are the next larger network, and the largest ones that scale width, depth or resolution alone.
    **Errors**: `SpecError` E903 where the budget is out of reach, with the nearest that works.
    """
    base = load_spec(spec, set=settings)
    start = Fit("compound", Factors(), count(base, what), base)
    height = next((i.type.height for i in base.graph.inputs if i.type.rank == 3), None)
    line = _Line(spec, what, settings, "compound", height)
    best, above = line.largest(budget, start)
    singles = []
    for direction in DIRECTIONS[1:] if frontier or best is None else ():
        single = _Line(spec, what, settings, direction, height)
        fit, _ = single.largest(budget, Fit(direction, Factors(), start.value, base))
        if fit is not None and fit.value != start.value:
            singles.append(fit)
    if best is not None:
        return best, [*([above] if above is not None else []), *singles]
    smallest = min((fit for fit in (*line.seen.values(), start) if fit is not None), key=lambda fit: fit.value)
    hint = f"the smallest that was found has {smallest.value:,}, with {smallest.factors.plain}"
    if singles:
        nearest = max(singles, key=lambda fit: fit.value)
        hint = f"one axis alone reaches it: {nearest.factors.plain} has {nearest.value:,}"
    message = f"no scaling of this network by the compound rule has at most {budget:,} {what}"
    raise SpecError([Diagnostic("E903", message, None, hint)])
