"""Scaled networks: by factors, to a budget, or by the search that the EfficientNet paper makes.

**Source**: Tan and Le 2019, section 3.3, arXiv:1905.11946.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cnnspec.diagnostics import Diagnostic, Report, SpecError
from cnnspec.frontend import LoadedSpec, check_spec, load_spec
from cnnspec.scaling import Compound, Factors

Spec = str | Path | Mapping[str, Any]
Budget = Literal["macs", "params", "activation_bytes"]

#: The range of exponents in which a budget is looked for.
_PHI = (-12.0, 12.0)


def scale(spec: Spec, **factors: Any) -> LoadedSpec:
    """A scaled network: `width`, `depth`, `resolution` (pixels), `phi`, or `variant`.

    Its `expanded` text is a plain spec that needs no scaling any more. **Errors**: `SpecError` E901 to E904.

    **Example**: `cnnspec.scale("resnet50", width=0.5, resolution=160).totals.macs`
    """
    return load_spec(spec, scale=Factors.model_validate(factors))


@dataclass(frozen=True)
class Fit:
    """A network near a budget: the exponent of the compound rule, what it then has, and the network."""

    phi: float
    value: int
    loaded: LoadedSpec


def count(loaded: LoadedSpec, what: Budget) -> int:
    """What a budget limits."""
    return int(getattr(loaded.totals, what))


def try_scale(spec: Spec, factors: Factors, settings: Mapping[str, Any] | None = None) -> LoadedSpec | None:
    """The scaled network, or `None` where it does not check (too small an input for its pools, say)."""
    return check_spec(spec, Report(), set=settings, scale=factors)


def solve(spec: Spec, what: Budget, budget: int, settings: Mapping[str, Any] | None = None) -> tuple[Fit, list[Fit]]:
    """The largest network along the compound direction that keeps within a budget, and its neighbours.

    Bisects the exponent. **Errors**: `SpecError` E903 where the budget is out of reach, with the nearest that works.
    """

    def at(phi: float) -> Fit | None:
        loaded = try_scale(spec, Factors(phi=round(phi, 4)), settings)
        return None if loaded is None else Fit(round(phi, 4), count(loaded, what), loaded)

    low, high = _PHI
    base = at(0.0)
    if base is None:
        load_spec(spec, set=settings)  # raises what is wrong
        raise AssertionError
    best = base if base.value <= budget else None
    if best is not None:
        low = 0.0
    else:
        high = 0.0
    for _ in range(18):
        middle = (low + high) / 2
        fit = at(middle)
        if fit is None:  # too small to check: look above; too large: below
            low, high = (middle, high) if middle < 0 else (low, middle)
        elif fit.value <= budget:
            best = fit if best is None or fit.value >= best.value else best
            low = middle
        else:
            high = middle
    if best is None:
        nearest = next((f for phi in (-1, -2, -3, -4, -6, -8, -10) if (f := at(phi)) is not None), base)
        smallest = min((f for f in (nearest, base)), key=lambda f: f.value)
        message = f"no scaling of this network has at most {budget:,} {what}"
        raise SpecError(
            [
                Diagnostic(
                    "E903",
                    message,
                    None,
                    f"the smallest that was found has {smallest.value:,}, at phi {smallest.phi:g}",
                )
            ]
        )
    around = [f for step in (-0.5, -0.25, 0.25, 0.5) if (f := at(best.phi + step)) is not None]
    return best, around


@dataclass(frozen=True)
class Candidate:
    """One point of the grid: the rule, what it costs, and its score by the proxy (larger is better)."""

    compound: Compound
    macs: int
    params: int
    score: float


def search(
    spec: Spec,
    *,
    step: float = 0.05,
    growth: float = 2.0,
    tolerance: float = 0.1,
    proxy: Callable[[LoadedSpec], float] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> list[Candidate]:
    """The grid search for alpha, beta and gamma at phi = 1 under MACs near `growth` times the network's, best first.

    The paper ranks by the accuracy of trained networks. Training each is out of reach here, so the candidates are
    ranked by a proxy that the caller names; by default by parameters.
    """
    base = load_spec(spec, set=settings)
    rank = proxy or (lambda loaded: float(loaded.totals.params))
    levels = [round(1 + step * i, 4) for i in range(int(1 / step) + 1)]
    found = []
    for alpha in levels:
        for beta in levels:
            for gamma in levels:
                compound = Compound(alpha=alpha, beta=beta, gamma=gamma)
                if abs(compound.growth / growth - 1) > tolerance:
                    continue
                first = base.graph.inputs[0].type
                factors = Factors(
                    depth=alpha, width=beta, resolution=round(first.height * gamma) if first.rank == 3 else None
                )
                loaded = try_scale(spec, factors, settings)
                if loaded is not None and abs(loaded.totals.macs / (growth * base.totals.macs) - 1) <= 2 * tolerance:
                    found.append(Candidate(compound, loaded.totals.macs, loaded.totals.params, rank(loaded)))
    return sorted(found, key=lambda c: -c.score)
