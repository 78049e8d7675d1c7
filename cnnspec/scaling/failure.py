"""What is said where a network is right as written and wrong when scaled: one diagnostic, which names the scale."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cnnspec.diagnostics import Label, Report
from cnnspec.scaling.factors import Factors
from cnnspec.scaling.rule import MOST_FACTOR, MOST_PHI, MOST_RESOLUTION

if TYPE_CHECKING:
    from cnnspec.frontend import LoadedSpec

Check = Callable[[Factors, Report], "LoadedSpec | None"]

#: Seconds to look for the nearest factors that work, and how many are tried at most.
_SECONDS = 2.0
_TRIES = 24


def explained(report: Report, check: Check, factors: Factors) -> Report:
    """The report of a scaled network that failed, as one diagnostic with the nearest scale that works.

    Mistakes of the spec itself, and of the factors, are left as they are.
    """
    errors = [d for d in report if d.severity == "error"]
    if any(d.code.startswith("E9") for d in errors):
        return report
    plain = Report()
    base = check(Factors(), plain)
    if base is None:
        return plain
    nearest = _nearest(base, check, factors)
    first = errors[0]
    found = Report()
    found.extend(d for d in report if d.severity != "error")
    hint = f"{nearest.plain} works" if nearest is not None else first.help
    found.add(
        replace(
            first,
            message=f"scaled by {factors.plain}: {first.message}",
            help=hint,
            labels=(*first.labels, Label("as written, without the scale, the spec is right")),
        )
    )
    return found


def _nearest(base: LoadedSpec, check: Check, factors: Factors) -> Factors | None:
    end = time.monotonic() + _SECONDS
    for number, candidate in enumerate(_candidates(base, factors)):
        if number >= _TRIES or time.monotonic() > end:
            return None
        if check(candidate, Report()) is not None:
            return candidate
    return None


def _candidates(base: LoadedSpec, factors: Factors) -> Iterator[Factors]:
    """Factors near those that failed, the nearest first; one axis moves at a time."""
    if factors.resolution is not None:
        from cnnspec.sizes.analysis import nearest_height

        near = nearest_height(base.graph, factors.resolution)
        if near is not None and near <= MOST_RESOLUTION:
            yield _with(factors, resolution=near)
    if factors.phi is not None:
        steps = [round(factors.phi + sign * 0.1 * n, 4) for n in range(1, 13) for sign in (-1, 1)]
        yield from (_with(factors, phi=phi) for phi in steps if abs(phi) <= MOST_PHI)
    for name in ("width", "depth"):
        value = getattr(factors, name)
        if value != 1:
            levels = [n / 8 for n in range(1, 33)] + [float(n) for n in (5, 6, 8, 10, 16, 32, 64) if n <= MOST_FACTOR]
            levels.sort(key=lambda level: abs(math.log(level / value)))
            yield from (_with(factors, **{name: level}) for level in levels[:12] if level != value)


def _with(factors: Factors, **changes: Any) -> Factors:
    return factors.model_copy(update=changes)
