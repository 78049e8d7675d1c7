"""What is said where a network is right as written and wrong when scaled: one diagnostic, which names the scale."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from cnnspec.diagnostics import Diagnostic, Label, Report
from cnnspec.scaling.factors import Factors
from cnnspec.scaling.rule import MOST_PHI

if TYPE_CHECKING:
    from cnnspec.frontend import LoadedSpec
    from cnnspec.scaling.refused_size import RefusedSize

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
    refused = _refused(base, in_force)
    nearest = _nearest(base, check, in_force, own, refused)
    found = Report()
    found.extend(d for d in report if d.severity != "error")
    found.add(_diagnostic(errors[0], in_force, nearest, _more(check, own, nearest, refused)))
    return found


def explained_own(report: Report, check: Check) -> Report:
    """The report of a spec that fails before anything is asked of it from outside."""
    found = Report()
    if check(Factors(), found, True) is None:
        return found
    return report


def _diagnostic(first: Diagnostic, factors: Factors, nearest: Factors | None, more: str) -> Diagnostic:
    said = f"{nearest.plain} works" if nearest is not None else "" if more else _NO_HELP.get(first.code, first.help)
    return replace(
        first,
        message=f"scaled by {factors.plain}: {first.message}",
        help="; ".join(filter(None, (said, more))),
        labels=(*first.labels, Label("as written, without the scale, the spec is right")),
    )


def _refused(base: LoadedSpec, factors: Factors) -> RefusedSize | None:
    from cnnspec.scaling.refused_size import refused_size

    return refused_size(base, factors)


def _more(check: Check, own: bool, nearest: Factors | None, refused: RefusedSize | None) -> str:
    """What else is to be said of a size: the nearest one beside the nearest exponent, and what would choose a valid one."""
    if refused is None:
        return ""
    at_nearest = refused.at_nearest
    other = at_nearest is not None and at_nearest != nearest and check(at_nearest, Report(), own) is not None
    also = (
        f"so does {at_nearest.plain}, the nearest size"
        if at_nearest is not None and nearest is not None and other
        else ""
    )
    return "; ".join(filter(None, (also, refused.hint())))


def _nearest(
    base: LoadedSpec, check: Check, factors: Factors, own: bool, refused: RefusedSize | None
) -> Factors | None:
    end = time.monotonic() + _SECONDS
    sizes = refused.candidates() if refused is not None else iter(())
    for candidate in chain(sizes, _candidates(factors)):
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
    if differ not in (["width"], ["depth"], ["phi"]):
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


def _candidates(factors: Factors) -> Iterator[Factors]:
    """Factors near those that failed: first one axis moves alone, the nearest first, then all go back to 1 together."""
    if factors.phi is not None:
        steps = [round(factors.phi + sign * 0.1 * n, 4) for n in range(1, 31) for sign in (-1, 1)]
        same_way = [phi for phi in steps if phi * factors.phi > 0 and abs(phi) <= MOST_PHI]
        yield from (_with(factors, phi=phi) for phi in same_way)
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
