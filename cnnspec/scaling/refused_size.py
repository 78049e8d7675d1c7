"""A size that a network refuses, which a scale asked for: what near it works, and what in the spec would choose better."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import lcm

from cnnspec.diagnostics import Problem
from cnnspec.frontend import LoadedSpec
from cnnspec.scaling.factors import Factors
from cnnspec.scaling.rule import MOST_PHI, MOST_RESOLUTION
from cnnspec.scaling.scaler import Scaler, resolve
from cnnspec.sizes.analysis import of_graph
from cnnspec.sizes.sides import NotPeriodicError
from cnnspec.sizes.training_part import switch
from cnnspec.sizes.walk import AxisSizes

#: How far another exponent is looked for, in hundredths, and how many are worth a try.
_FAR, _MOST = 300, 4


@dataclass(frozen=True)
class RefusedSize:
    """A height that scaling gives, and the heights for which the network is valid."""

    base: LoadedSpec
    factors: Factors
    scaler: Scaler
    height: int
    axis: AxisSizes

    def candidates(self) -> Iterator[Factors]:
        """Factors of valid sizes: the exponents next to the one that was asked for, then the nearest size itself."""
        yield from self._exponents()
        if (nearest := self.at_nearest) is not None:
            yield nearest

    @property
    def at_nearest(self) -> Factors | None:
        """The same width and depth, with the nearest valid size."""
        near = self.axis.nearest(self.height)
        if near is None or near > MOST_RESOLUTION:
            return None
        if self.factors.phi is None:
            return self.factors.model_copy(update={"resolution": near})
        return Factors(width=round(self.scaler.width, 4), depth=round(self.scaler.depth, 4), resolution=near)

    def hint(self) -> str:
        """What makes the size a valid one: leaving out what is only for training, or another rule for sizes."""
        rule, period = self.base.scaler.rule, self.axis.valid.period
        if self.height in self.axis.without_training and (name := switch(self.base)) is not None:
            return (
                f"`--set {name}=false` leaves out what is only for training, and {self.height} is enough for the rest"
            )
        if self.factors.phi is None:
            return ""
        if rule.resolutions:
            better = sorted({size for wanted in rule.resolutions if (size := self.axis.nearest(wanted)) is not None})
            return f"`scaling: {{resolutions: {better}}}` has valid sizes only: {self.axis.rule}" if better else ""
        multiple = lcm(period, rule.resolution_multiple)
        if period > 1 and max(1, round(self.height / multiple)) * multiple in self.axis.valid:
            return f"`scaling: {{resolution_multiple: {multiple}}}` rounds the sizes of every phi to multiples of {multiple}"
        return ""

    def _exponents(self) -> Iterator[Factors]:
        """Exponents on the same side of 0 whose size is valid, the nearest first, and one for each size."""
        asked = self.factors.phi
        if asked is None:
            return
        seen: set[int] = set()
        for step in range(1, _FAR):
            for phi in (round(asked - step / 100, 2), round(asked + step / 100, 2)):
                if phi * asked <= 0 or abs(phi) > MOST_PHI or len(seen) == _MOST:
                    continue
                factors = self.factors.model_copy(update={"phi": phi})
                height = _height(self.base, factors)[1]
                if height in self.axis.valid and height not in seen:
                    seen.add(height)
                    yield factors


def refused_size(base: LoadedSpec, factors: Factors) -> RefusedSize | None:
    """What is known of the size that factors give, where the network refuses it; `base` is the spec as written."""
    if all(entry.type.rank != 3 for entry in base.graph.inputs):
        return None
    try:
        axis = of_graph(base.whole).height
    except (NotPeriodicError, Problem):
        return None
    scaler, height = _height(base, factors)
    return None if height in axis.valid else RefusedSize(base, factors, scaler, height, axis)


def _height(base: LoadedSpec, factors: Factors) -> tuple[Scaler, int]:
    """The scaler of some factors, and the height that it gives."""
    written = next(entry.type for entry in base.graph.inputs if entry.type.rank == 3)
    scaler = resolve(base.scaler.rule, Factors(), factors)
    return scaler, scaler.resized(written.height, written.width)[0]
