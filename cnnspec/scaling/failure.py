"""What is said where a network is right as written and wrong when scaled: one diagnostic, which names the scale."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cnnspec.diagnostics import Diagnostic, Label, Problem, Report
from cnnspec.scaling.factors import Factors
from cnnspec.scaling.rule import MOST_PHI, MOST_RESOLUTION
from cnnspec.scaling.scaler import resolve

if TYPE_CHECKING:
    from cnnspec.frontend import LoadedSpec

#: Checks the spec under factors; the flag leaves the spec's own scale aside.
Check = Callable[[Factors, Report, bool], "LoadedSpec | None"]

#: Seconds to look for the nearest factors that work.
_SECONDS = 2.0
#: Two factors so near to each other are told apart no further.
_STEP = 0.011
#: Levels of one factor that are tried, and shares of the way back to 1.
_LEVELS = 20
_SHARES = (0.75, 0.5, 0.35, 0.25, 0.15, 0.1)

#: What is said where no scale near works, by the mistake: its own help would break the network that is not scaled.
_NO_HELP = {
    "E203": "no scale near it works: let both sides scale (a param that gives a width needs `scale: width`), or exempt both",
    "E205": "no scale near it works: exempt the channels that are split, or make `scaling: {divisor: ...}` a multiple of the groups",
}


def explained(report: Report, check: Check, asked: Factors, in_force: Factors) -> Report:
    """The report of a scaled network that failed, as one diagnostic with the nearest scale that works.

    Mistakes of the spec itself, of the factors, and of what a spec expects of itself are left as they are. `asked` are
    the factors from outside; where there are none, the spec's own are `in_force`.
    """
    errors = [d for d in report if d.severity == "error"]
    if any(d.code.startswith(("E6", "E9")) for d in errors):
        return report
    own = asked.nothing
    plain = Report()
    base = check(Factors(), plain, own)
    if base is None:
        return plain if own else explained_own(plain, check)
    nearest = _nearest(base, check, in_force, own)
    found = Report()
    found.extend(d for d in report if d.severity != "error")
    found.add(_diagnostic(errors[0], in_force, nearest, _about_sizes(base, in_force)))
    return found


def explained_own(report: Report, check: Check) -> Report:
    """The report of a spec that fails before anything is asked of it from outside."""
    found = Report()
    if check(Factors(), found, True) is None:
        return found
    return report


def _diagnostic(first: Diagnostic, factors: Factors, nearest: Factors | None, more: str) -> Diagnostic:
    said = f"{nearest.plain} works" if nearest is not None else _NO_HELP.get(first.code, first.help)
    return replace(
        first,
        message=f"scaled by {factors.plain}: {first.message}",
        help="; ".join(filter(None, (said, more))),
        labels=(*first.labels, Label("as written, without the scale, the spec is right")),
    )


def _about_sizes(base: LoadedSpec, factors: Factors) -> str:
    """What makes the size that was asked for a valid one: a multiple, or leaving out what is only for training."""
    from cnnspec.sizes.analysis import of_graph
    from cnnspec.sizes.sides import NotPeriodicError
    from cnnspec.sizes.training_part import switch

    height = next((i.type.height for i in base.graph.inputs if i.type.rank == 3), None)
    if height is None:
        return ""
    try:
        axis = of_graph(base.whole).height
    except (NotPeriodicError, Problem):
        return ""
    wanted, period = resolve(base.scaler.rule, Factors(), factors).resized(height, height)[0], axis.valid.period
    if wanted in axis.valid:
        return ""
    if wanted in axis.without_training and (name := switch(base)) is not None:
        return f"`--set {name}=false` leaves out what is only for training, and {wanted} is enough for the rest"
    if factors.phi is not None and period > 1 and max(1, round(wanted / period)) * period in axis.valid:
        return f"`scaling: {{resolution_multiple: {period}}}` rounds the sizes of every phi to {axis.rule}"
    return ""


def _nearest(base: LoadedSpec, check: Check, factors: Factors, own: bool) -> Factors | None:
    end = time.monotonic() + _SECONDS
    for candidate in _candidates(base, factors):
        if time.monotonic() > end:
            return None
        found = check(candidate, Report(), own)
        if _answers(found, candidate, base):
            return _nearer(base, check, factors, candidate, own, end)
    return None


def _nearer(
    base: LoadedSpec, check: Check, asked: Factors, works: Factors, own: bool, end: float
) -> Factors:  # fmt: skip
    """Between the factors that were asked for and those that work, the nearest in hundredths, by halving the way."""
    differ = [name for name in Factors.model_fields if getattr(asked, name) != getattr(works, name)]
    if differ not in (["width"], ["depth"]):
        return works
    (name,) = differ
    fails = getattr(asked, name)
    while abs(getattr(works, name) - fails) > _STEP and time.monotonic() < end:
        middle = round((getattr(works, name) + fails) / 2, 2)
        if middle in (fails, getattr(works, name)):
            break
        tried = _with(works, **{name: middle})
        if _answers(check(tried, Report(), own), tried, base):
            works = tried
        else:
            fails = middle
    return works


def _answers(found: LoadedSpec | None, candidate: Factors, base: LoadedSpec) -> bool:
    """Whether a scaled network is right; one that rounding takes back to the one as written is no answer."""
    if found is None:
        return False
    return bool(candidate.resolution) or found.graph.inputs != base.graph.inputs or _moved(found)


def _moved(loaded: LoadedSpec) -> bool:
    return any(change.result != change.base for change in loaded.scaler.changes)


def _candidates(base: LoadedSpec, factors: Factors) -> Iterator[Factors]:
    """Factors near those that failed: first one axis moves alone, the nearest first, then all go back to 1 together."""
    if factors.resolution is not None:
        from cnnspec.sizes.analysis import nearest_height

        near = nearest_height(base.whole, factors.resolution)
        if near is not None and near <= MOST_RESOLUTION:
            yield _with(factors, resolution=near)
    if factors.phi is not None:
        steps = [round(factors.phi + sign * 0.1 * n, 4) for n in range(1, 13) for sign in (-1, 1)]
        yield from (_with(factors, phi=phi) for phi in steps if abs(phi) <= MOST_PHI)
        yield from (_with(factors, phi=round(factors.phi * share, 3)) for share in _SHARES)
    moved = [name for name in ("width", "depth") if getattr(factors, name) != 1]
    for name in moved:
        yield from (_with(factors, **{name: level}) for level in _levels(getattr(factors, name)))
    if len(moved) == 2:
        for share in _SHARES:
            yield _with(factors, **{name: round(getattr(factors, name) ** share, 3) for name in moved})


def _levels(value: float) -> list[float]:
    """Round factors near one and on its side of 1, the nearest first."""
    levels = [n / 8 for n in range(1, 33)] + [float(n) for n in (5, 6, 8, 10, 16, 32, 64)]
    near = [level for level in levels if level != value and (level - 1) * (value - 1) > 0]
    return sorted(near, key=lambda level: abs(math.log(level / value)))[:_LEVELS]


def _with(factors: Factors, **changes: Any) -> Factors:
    return factors.model_copy(update=changes)
