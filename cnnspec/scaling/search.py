"""The search for a compound rule that the EfficientNet paper makes: alpha, beta and gamma on a grid.

The paper ranks the rules by the accuracy of trained networks. Training each is out of reach here, so they are ranked by
a proxy that the caller names; none of them says how accurate a network will be.

**Source**: Tan and Le 2019, section 3.3, arXiv:1905.11946.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from cnnspec.costs import Totals
from cnnspec.diagnostics import Diagnostic, SpecError
from cnnspec.frontend import Counted, LoadedSpec, SpecLike, count_spec, counted, load_spec
from cnnspec.scaling.factors import Factors
from cnnspec.scaling.rule import GROWTH_TOLERANCE, Compound

Proxy = str | Callable[[LoadedSpec], float]


#: Makes, from a title and the number of steps, what learns the name of each step before it is taken.
Progress = Callable[[str, int], AbstractContextManager[Callable[[str], None]]]


def silent(title: str, total: int) -> AbstractContextManager[Callable[[str], None]]:
    """Tells nothing."""
    return nullcontext(lambda step: None)


@dataclass(frozen=True)
class Candidate:
    """One rule of the grid, with the network at phi = 1 and its value by the proxy."""

    compound: Compound
    macs: int
    params: int
    score: float


def search(
    spec: SpecLike,
    *,
    proxy: Proxy = "params",
    step: float = 0.05,
    growth: float = 2.0,
    tolerance: float = GROWTH_TOLERANCE,
    most: int | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> list[Candidate]:
    """The rules whose network at phi = 1 has about `growth` times the MACs, best first.

    `proxy` is `params` (most first), `macs` (fewest first), `latency` (least seconds for one image here first), or a
    function whose larger values are better. Of rules that round to the same network the one whose growth is nearest to
    `growth` stands for all. `most` limits how many networks are scored, those nearest to `growth` first. `progress`
    makes what is told of each step, from a title and the number of steps. **Errors**: `SpecError` E903 where no rule leads to such a network.
    """
    base = counted(load_spec(spec, set=settings))
    found: dict[tuple[Any, ...], tuple[Compound, Counted]] = {}
    rules = grid(step, growth, tolerance)
    with progress("rules", len(rules)) as tell:
        for rule in rules:
            tell(_plain(rule))
            if most is not None and len(found) >= most:
                break
            network = count_spec(spec, _at_one(rule, base), settings)
            # Rounding takes small networks far from the growth that was meant; those are no candidates.
            if network is not None and abs(network.totals.macs / (growth * base.totals.macs) - 1) <= 2 * tolerance:
                found.setdefault(_shape(network), (rule, network))
    if not found:
        message = f"no rule of the grid leads to a network of about {growth:g} times the MACs"
        raise SpecError([Diagnostic("E903", message, None, "scale one axis alone: --width, --depth or --resolution")])
    rank, sign = _rank(proxy, lambda rule: load_spec(spec, set=settings, scale=_at_one(rule, base)))
    candidates = []
    with progress("networks", len(found)) as tell:
        for rule, network in found.values():
            tell(_plain(rule))
            counts = network.totals
            candidates.append(Candidate(rule, counts.macs, counts.params, rank(rule, counts)))
    return sorted(candidates, key=lambda c: sign * c.score)


def grid(step: float, growth: float, tolerance: float) -> list[Compound]:
    """The rules on a grid whose growth is near enough, the nearest first."""
    levels = [round(1 + step * i, 4) for i in range(int(1 / step) + 1)]
    rules = [Compound(alpha=a, beta=b, gamma=g) for a in levels for b in levels for g in levels]
    near = [rule for rule in rules if abs(rule.growth / growth - 1) <= tolerance]
    return sorted(near, key=lambda rule: abs(rule.growth / growth - 1))


def _plain(rule: Compound) -> str:
    return f"{rule.alpha:g}, {rule.beta:g}, {rule.gamma:g}"


def _at_one(rule: Compound, base: Counted) -> Factors:
    pixels = round(base.height * rule.gamma) if base.height else None
    return Factors(depth=rule.alpha, width=rule.beta, resolution=pixels)


def _shape(network: Counted) -> tuple[Any, ...]:
    """What two rules have in common that round to the same network."""
    sizes = tuple(entry.type.shape for entry in network.inputs)
    return sizes, tuple(change.result for change in network.scaler.changes), network.nodes


def _rank(
    proxy: Proxy, network: Callable[[Compound], LoadedSpec]
) -> tuple[Callable[[Compound, Totals], float], int]:  # fmt: skip
    """How a network is scored, and whether small (1) or large (-1) scores come first."""
    if callable(proxy):
        return lambda rule, counts: proxy(network(rule)), -1
    if proxy == "params":
        return lambda rule, counts: float(counts.params), -1
    if proxy == "macs":
        return lambda rule, counts: float(counts.macs), 1
    from cnnspec.scaling.latency import seconds

    return lambda rule, counts: seconds(network(rule)), 1
