"""By how much a network is scaled: what `scale:` says in a spec, and what is asked for from outside."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from cnnspec.diagnostics import Problem, did_you_mean, listing
from cnnspec.fields import Positive, Size
from cnnspec.scaling.rule import MOST_FACTOR, MOST_PHI, MOST_RESOLUTION, Scaling
from cnnspec.schema import Spec


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


#: The nearest factors that work, for those that do not.
_BOUNDS: dict[str, tuple[float, float]] = {
    "width": (0.01, MOST_FACTOR), "depth": (0.01, MOST_FACTOR), "resolution": (1, MOST_RESOLUTION),
    "phi": (-MOST_PHI, MOST_PHI),
}  # fmt: skip


def read_factors(given: Mapping[str, Any]) -> Factors:
    """Factors from outside the language: the command line, or Python. **Errors**: `Problem` E904 out of range."""
    known = {name: value for name, value in given.items() if value is not None}
    for name in known:
        if name not in Factors.model_fields:
            hint = did_you_mean(name, Factors.model_fields) or f"there are {listing(Factors.model_fields)}"
            raise Problem("E904", f"there is no factor `{name}`", hint, field=name)
    try:
        return Factors.model_validate(known)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
    value, (low, high) = known[name], _BOUNDS.get(name, (0, 0))
    if name == "variant" or isinstance(value, bool) or not isinstance(value, int | float):
        kind = "the name of a variant" if name == "variant" else "a number"
        raise Problem("E904", f"`{name}` should be {kind}, and is `{value}`", "", field=name)
    least = "above 0" if name in ("width", "depth") else f"at least {low:g}"
    whole = name == "resolution" and low <= value <= high
    nearest = round(value) if whole else low if math.isnan(value) or value < low else high
    wanted = "a whole number of pixels" if whole else f"{least} and at most {high:g}"
    raise Problem("E904", f"`{name}` should be {wanted}, and is {value:g}",
                  f"the nearest that works is {nearest:g}", field=name)  # fmt: skip


def check_factors(rule: Scaling, factors: Factors) -> None:
    """**Errors**: `Problem` E901 unknown variant, E902 two of them say the same."""
    if factors.variant is not None and factors.variant not in rule.variants:
        hint = did_you_mean(factors.variant, rule.variants)
        known = listing(rule.variants) if rule.variants else "none: give factors, or name some in `scaling.variants`"
        raise Problem("E901", f"there is no variant `{factors.variant}`", hint or f"the variants are {known}",
                      field="variant")  # fmt: skip
    if factors.variant is not None and factors.phi is not None:
        raise Problem("E902", "a variant and `phi` both say how much to scale",
                      f"give `variant: {factors.variant}` alone, or `phi: {factors.phi:g}` alone", field="phi")  # fmt: skip
    if factors.phi is not None and factors.resolution is not None:
        raise Problem("E902", "`phi` and `resolution` both say the input's size",
                      "give `phi` alone, or `resolution` with `width` and `depth`", field="resolution")  # fmt: skip
