"""By how much a network is scaled: what `scale:` says in a spec, and what is asked for from outside."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from cnnspec.diagnostics import Problem, did_you_mean, listing
from cnnspec.fields import Positive, Size
from cnnspec.scaling.rule import MOST_FACTOR, MOST_PHI, MOST_RESOLUTION, Scaling
from cnnspec.schema import Spec

#: What a network may be scaled to instead, a budget, by its name, and what it is called.
BUDGETS = {"macs": "MACs", "params": "parameters", "activation_memory": "bytes of activations"}


class Factors(Spec):
    """By how much a network is scaled; `resolution` is the height in pixels."""

    width: Positive = Field(1.0, le=MOST_FACTOR, allow_inf_nan=False, description="factor on channels")
    depth: Positive = Field(1.0, le=MOST_FACTOR, allow_inf_nan=False, description="factor on repeats")
    resolution: Size | None = Field(None, le=MOST_RESOLUTION, description="height of the input, in pixels")
    phi: float | None = Field(
        None, ge=-MOST_PHI, le=MOST_PHI, allow_inf_nan=False, description="exponent of the compound rule"
    )
    variant: str | None = Field(None, description="one of the variants that `scaling` names")

    @property
    def nothing(self) -> bool:
        """Whether this scales nothing."""
        return self == Factors()

    @property
    def plain(self) -> str:
        """In words: `width 0.5, resolution 160`."""
        said = {n: getattr(self, n) for n in type(self).model_fields if getattr(self, n) != getattr(Factors(), n)}
        return ", ".join(f"{n} {v:g}" if isinstance(v, float) else f"{n} {v}" for n, v in said.items()) or "nothing"


#: Least and greatest value of each factor; a width or depth may be anything above 0.
_BOUNDS: dict[str, tuple[float, float]] = {
    "width": (0, MOST_FACTOR), "depth": (0, MOST_FACTOR), "resolution": (1, MOST_RESOLUTION),
    "phi": (-MOST_PHI, MOST_PHI),
}  # fmt: skip


def problem_of(name: str, value: Any) -> Problem | None:
    """What is wrong with the value of a factor (E904, with the nearest that works), or `None`."""
    if name not in Factors.model_fields:
        hint = did_you_mean(name, Factors.model_fields) or f"there are {listing(Factors.model_fields)}"
        return Problem("E904", f"there is no factor `{name}`", hint, field=name)
    if name == "variant":
        right = isinstance(value, str)
        return None if right else Problem("E904", f"`{name}` should be a name, and is `{value}`", field=name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Problem("E904", f"`{name}` should be a number, and is `{value}`", field=name)
    low, high = _BOUNDS[name]
    inside = 0 < value <= high if name in ("width", "depth") else low <= value <= high
    whole = name != "resolution" or isinstance(value, int)
    if inside and whole:
        return None
    if inside:
        wanted, nearest = "a whole number of pixels", float(round(value))
    else:
        wanted = f"{'above 0' if name in ('width', 'depth') else f'at least {low:g}'} and at most {high:g}"
        nearest = 1.0 if math.isnan(value) else low if value < low else high
    hint = f"the nearest that is allowed is {nearest:g}"
    if name in ("width", "depth") and value <= 0:
        hint = "any number above 0 is allowed, such as 0.5"
    return Problem(
        "E904",
        f"`{name}` should be {wanted}, and is {value if isinstance(value, int) else f'{value:g}'}",
        hint,
        field=name,
    )


def read_factors(given: Mapping[str, Any]) -> Factors:
    """Factors from outside the language: the command line, or Python. **Errors**: `Problem` E904 out of range."""
    known = {name: value for name, value in given.items() if value is not None}
    for name, value in known.items():
        problem = problem_of(name, value)
        if problem is not None:
            raise problem
    return Factors.model_validate(known)


def check_factors(rule: Scaling, factors: Factors) -> None:
    """**Errors**: `Problem` E901 unknown variant, E902 two of them say the same."""
    if factors.variant is not None and factors.variant not in rule.variants:
        hint = did_you_mean(factors.variant, rule.variants) or (
            f"the variants are {listing(rule.variants)}" if rule.variants else
            "the spec names none: give `width`, `depth` or `resolution`, or name some under `scaling: {variants: ...}`"
        )  # fmt: skip
        raise Problem("E901", f"there is no variant `{factors.variant}`", hint, field="variant")
    if factors.variant is not None and factors.phi is not None:
        raise Problem("E902", "a variant and `phi` both say how much to scale",
                      f"give `variant: {factors.variant}` alone, or `phi: {factors.phi:g}` alone", field="phi")  # fmt: skip
    if factors.phi is not None and factors.resolution is not None:
        raise Problem("E902", "`phi` and `resolution` both say the input's size",
                      "give `phi` alone, or `resolution` with `width` and `depth`", field="resolution")  # fmt: skip
