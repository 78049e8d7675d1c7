"""How the counts of a network grow with its width, its depth, its resolution, and along the compound rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cnnspec.frontend import LoadedSpec, SpecLike, count_spec
from cnnspec.scaling import Factors
from cnnspec.scaling.rule import MOST_RESOLUTION
from cnnspec.sizes.analysis import of_graph
from cnnspec.sizes.sides import NotPeriodicError

#: The factors of a width or depth that are drawn, a quarter to four times in steps of a quarter octave.
FACTORS = tuple(2 ** (step / 4) for step in range(-8, 9))
#: Exponents of the compound rule.
EXPONENTS = tuple(step / 2 for step in range(-6, 15))


@dataclass(frozen=True)
class Step:
    """One network on the way: where it stands on the axis, and its counts."""

    at: float
    macs: int
    params: int


@dataclass(frozen=True)
class Way:
    """The networks along one axis of scaling, and those of them that have a name."""

    axis: str
    steps: tuple[Step, ...]
    named: tuple[tuple[str, Step], ...] = ()


def ways(spec: SpecLike, base: LoadedSpec, settings: Mapping[str, Any] | None = None) -> dict[str, Way]:
    """What scaling one axis alone makes of a network, and the compound rule; sizes that it refuses are left out."""
    height = next((i.type.height for i in base.graph.inputs if i.type.rank == 3), None)

    def step(at: float, factors: Factors | None) -> Step | None:
        network = count_spec(spec, factors, settings) if factors is not None else None
        return None if network is None else Step(at, network.totals.macs, network.totals.params)

    def way(axis: str, places: tuple[float, ...], factors: Callable[[float], Factors | None]) -> Way:
        return Way(axis, tuple(s for at in places if (s := step(at, factors(at))) is not None))

    found = {
        "width": way("width", FACTORS, lambda at: Factors(width=at)),
        "depth": way("depth", FACTORS, lambda at: Factors(depth=at)),
    }
    if height is not None:
        pixels = tuple(dict.fromkeys(_nearest_valid(base, round(height * at)) for at in FACTORS))
        within = tuple(float(p) for p in pixels if 1 <= p <= MOST_RESOLUTION)
        found["resolution"] = way("resolution", within, lambda at: Factors(resolution=int(at)))
    compound = way("compound", EXPONENTS, lambda at: Factors(phi=at))
    named = []
    for name in base.scaler.rule.variants:
        network = count_spec(spec, Factors(variant=name), settings)
        if network is not None:
            at = network.scaler.names(height)["phi"]
            named.append((name, Step(at, network.totals.macs, network.totals.params)))
    found["compound"] = Way("compound", compound.steps, tuple(named))
    return found


def _nearest_valid(base: LoadedSpec, pixels: int) -> int:
    """The size nearest to one asked for that the network takes, as far as analysis can say."""
    try:
        return of_graph(base.whole).height.nearest(pixels) or pixels
    except NotPeriodicError:
        return pixels
