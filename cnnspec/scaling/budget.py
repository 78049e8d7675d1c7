"""Networks scaled to a budget of MACs, parameters or activation memory, and the choices around the answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from cnnspec.diagnostics import Diagnostic, Problem, SpecError
from cnnspec.frontend import Counted, LoadedSpec, SpecLike, count_spec, counted, load_spec
from cnnspec.scaling.direction import Direction, Fit
from cnnspec.scaling.factors import BUDGETS, Factors
from cnnspec.scaling.rule import MOST_PHI, MOST_RESOLUTION, Compound
from cnnspec.scaling.scaler import Scaler
from cnnspec.sizes.analysis import of_graph
from cnnspec.sizes.sides import NotPeriodicError
from cnnspec.sizes.walk import AxisSizes

#: How far the compound rule and a single factor (in powers of two) are followed, down and up; up to about 1000 times.
_COMPOUND = (-MOST_PHI, 10.0)
_ALONE = (-7.0, 5.0)
#: A neighbour that uses so much of the budget is near enough.
_FULL = 0.985


@dataclass(frozen=True)
class Solution:
    """The largest network along the compound direction that keeps within a budget, and the choices around it."""

    what: str
    budget: int
    best: Fit
    #: The best, checked as a whole.
    loaded: LoadedSpec
    neighbours: tuple[Fit, ...]

    def share(self, fit: Fit) -> float:
        """How much of the budget a network uses."""
        return fit.value / self.budget


def count(network: Counted | LoadedSpec, what: str) -> int:
    """What a budget limits."""
    return int(getattr(network.totals, "activation_bytes" if what == "activation_memory" else what))


def solve(
    spec: SpecLike, what: str, budget: int, settings: Mapping[str, Any] | None = None, *, alone: bool = False
) -> Solution:
    """The largest network along the compound direction that keeps within a budget.

    Its neighbours are the next larger network; those that grow from it along one axis until the budget is full; and
    those that scale width, depth or resolution alone. `alone` looks for none of them. **Errors**: `SpecError` E903 where the budget is out of reach,
    with the nearest that works.
    """
    base = load_spec(spec, set=settings)
    search = _Search(spec, what, budget, settings, base)
    best, above = search.along("compound", search.compound, _COMPOUND, search.start("compound"))
    if best is None or (above is None and best.value < budget):
        raise SpecError([search.out_of_reach(best)])
    around = [above] if above is not None else []
    if not alone:
        around += search.filled(best) if best.value < budget else []
        around += search.alone()
    loaded = base if best.factors.nothing else load_spec(spec, set=settings, scale=best.factors)
    return Solution(what, budget, best, loaded, tuple(around))


@dataclass
class _Search:
    spec: SpecLike
    what: str
    budget: int
    settings: Mapping[str, Any] | None
    base: LoadedSpec
    seen: dict[Factors, Fit | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.height = counted(self.base).height
        self.rule: Compound = self.base.scaler.rule.compound

    def start(self, direction: str = "") -> Fit:
        """The network as it stands."""
        return Fit(direction, Factors(), count(self.base, self.what), counted(self.base))

    def fit(self, direction: str, factors: Factors) -> Fit | None:
        """The network scaled by factors, or `None` where it is no network."""
        if factors not in self.seen:
            network = count_spec(self.spec, factors, self.settings)
            self.seen[factors] = Fit(direction, factors, count(network, self.what), network) if network else None
        return self.seen[factors]

    # --- directions: the factors at a distance t, 0 for the network one starts from -------------------------

    def compound(self, t: float) -> Factors | None:
        """The compound rule, with the valid size nearest to the one that it asks for."""
        phi = round(t, 4)
        size = self.pixels(phi)
        if size is None or self.valid is None or size in self.valid.valid:
            return Factors(phi=phi)
        return Factors(width=round(self.rule.beta**phi, 4), depth=round(self.rule.alpha**phi, 4),
                       resolution=self.valid.nearest(size))  # fmt: skip

    def pixels(self, phi: float) -> int | None:
        """The height that the compound rule asks for."""
        scaler = Scaler(self.base.scaler.rule, stretch=self.rule.gamma**phi)
        return scaler.resized(self.height, self.height)[0] if self.height is not None else None

    @cached_property
    def valid(self) -> AxisSizes | None:
        """The heights for which the network is valid, as far as analysis can say."""
        try:
            return of_graph(self.base.whole).height
        except (NotPeriodicError, Problem):
            return None

    def one(self, name: str, start: Factors | None = None) -> Callable[[float], Factors | None]:
        """One factor by powers of two, the others as they are."""
        begin = start or Factors(resolution=self.height) if name == "resolution" else start or Factors()

        def factors(t: float) -> Factors | None:
            value = getattr(begin, name) * 2**t
            if name != "resolution":
                return begin.model_copy(update={name: round(value, 4)})
            pixels = round(value)
            if self.valid is not None:
                pixels = self.valid.nearest(pixels) or pixels
            return begin.model_copy(update={name: pixels}) if 1 <= pixels <= MOST_RESOLUTION else None

        return factors

    def axes(self) -> Iterator[str]:
        """What can be scaled alone: not the depth where no number follows it, and not the size where there is no map."""
        yield "width"
        deep = [fit.network.scaler for fit in self.seen.values() if fit is not None and fit.network.scaler.depth != 1]
        if not deep or any(change.kind == "depth" for scaler in deep for change in scaler.changes):
            yield "depth"
        if self.height is not None:
            yield "resolution"

    def alone(self) -> Iterator[Fit]:
        """The largest networks that scale one axis alone."""
        start = self.start()
        for name in self.axes():
            best, _ = self.along(f"{name} alone", self.one(name), _ALONE, start, _FULL)
            if best is not None and best.value != start.value:
                yield best

    def filled(self, best: Fit) -> Iterator[Fit]:
        """From the answer along one axis, until the budget is full: what rounding and whole repeats left over."""
        scaler = best.network.scaler
        start = Factors(width=round(scaler.width, 4), depth=round(scaler.depth, 4),
                        resolution=best.network.height if scaler.resizes else None)  # fmt: skip
        for name in self.axes():
            if name == "resolution" and start.resolution is None:
                continue
            more, _ = self.along(f"compound, more {name}", self.one(name, start), (0.0, 1.0), best, _FULL)
            if more is not None and more.value > best.value:
                yield more

    def along(
        self, direction: str, factors: Callable[[float], Factors | None], reach: tuple[float, float], start: Fit,
        full: float = 1.0,
    ) -> tuple[Fit | None, Fit | None]:  # fmt: skip
        """The largest network within the budget along a direction, and the smallest found that is not.

        One that uses the share `full` of the budget is not improved.
        """

        def at(t: float) -> Fit | None:
            made = factors(t)
            fit = self.fit(direction, made) if made is not None else None
            return replace(fit, direction=direction) if fit is not None else None

        slope = math.log(self.rule.growth) if direction == "compound" and self.rule.growth > 1 else 1.2
        return Direction(self.budget, at, reach, start, slope, full).search()

    def out_of_reach(self, largest: Fit | None) -> Diagnostic:
        """What is said of a budget that no network along the compound direction meets: the nearest that works."""
        said = BUDGETS[self.what]
        if largest is not None:
            message = f"the compound rule leads to no network of about {self.budget:,} {said}"
            hint = f"the largest that was found has {largest.value:,}, {_scale(largest)}"
            return Diagnostic("E903", message, None, hint)
        message = f"no network along the compound rule has at most {self.budget:,} {said}"
        smallest = min(
            (self.start(), *(fit for fit in self.seen.values() if fit is not None)), key=lambda fit: fit.value
        )
        hint = f"the smallest that was found has {smallest.value:,}, {_scale(smallest)}"
        singles = list(self.alone())
        if singles:
            nearest = max(singles, key=lambda fit: fit.value)
            hint = f"one axis alone reaches it: {nearest.factors.plain} has {nearest.value:,}"
        return Diagnostic("E903", message, None, hint)


def _scale(fit: Fit) -> str:
    """By what a network was scaled, in words."""
    return "as it stands" if fit.factors.nothing else f"with {fit.factors.plain}"
