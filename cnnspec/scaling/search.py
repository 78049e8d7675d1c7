"""The search for a compound rule that the EfficientNet paper makes: alpha, beta and gamma on a grid.

**Source**: Tan and Le 2019, section 3.3, arXiv:1905.11946.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cnnspec.diagnostics import Report
from cnnspec.frontend import LoadedSpec, SpecLike, check_spec, load_spec
from cnnspec.scaling.factors import Factors
from cnnspec.scaling.rule import GROWTH_TOLERANCE, Compound


@dataclass(frozen=True)
class Candidate:
    """One point of the grid: the rule, the network at phi = 1, and its score by the proxy (larger is better)."""

    compound: Compound
    macs: int
    params: int
    score: float


def search(
    spec: SpecLike,
    *,
    step: float = 0.05,
    growth: float = 2.0,
    tolerance: float = GROWTH_TOLERANCE,
    most: int | None = None,
    proxy: Callable[[LoadedSpec], float] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> list[Candidate]:
    """The grid search for alpha, beta and gamma at phi = 1 under MACs near `growth` times the network's, best first.

    The paper ranks by the accuracy of trained networks. Training each is out of reach here, so the candidates are
    ranked by a proxy that the caller names; by default by parameters. `most` limits how many are scored: those whose
    growth is nearest to `growth`.
    """
    base = load_spec(spec, set=settings)
    height = next((i.type.height for i in base.graph.inputs if i.type.rank == 3), None)
    rank = proxy or (lambda loaded: float(loaded.totals.params))
    levels = [round(1 + step * i, 4) for i in range(int(1 / step) + 1)]
    grid = [Compound(alpha=a, beta=b, gamma=g) for a in levels for b in levels for g in levels]
    grid = [rule for rule in grid if abs(rule.growth / growth - 1) <= tolerance]
    grid.sort(key=lambda rule: abs(rule.growth / growth - 1))
    found: list[Candidate] = []
    for rule in grid:
        if most is not None and len(found) >= most:
            break
        resolution = round(height * rule.gamma) if height is not None else None
        factors = Factors(depth=rule.alpha, width=rule.beta, resolution=resolution)
        loaded = check_spec(spec, Report(), set=settings, scale=factors, explain=False)
        # Rounding takes small networks far from the growth that was meant; those are no candidates.
        if loaded is not None and abs(loaded.totals.macs / (growth * base.totals.macs) - 1) <= 2 * tolerance:
            found.append(Candidate(rule, loaded.totals.macs, loaded.totals.params, rank(loaded)))
    return sorted(found, key=lambda c: -c.score)
