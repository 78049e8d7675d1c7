"""Scaling of a network in width, depth and resolution: part of the language, for every spec.

`scaling:` in a spec says how it scales (divisor and rounding, what is exempt, named variants, the compound rule), and
`scale:` says by how much this spec is scaled. A literal number in a width field (`filters: 64`) is multiplied by the
width factor, a literal `repeat` by the depth factor; what an expression gives is not touched, but a param may be
declared to scale: `{type: int, default: 64, scale: width}`. The value of a param may be a function of the scale:
`dropout: "${0.2 + 0.05 * scale.phi}"`.

**Source**: compound rule and rounding: Tan and Le 2019, section 3.3, arXiv:1905.11946; width and resolution
multipliers: Howard et al. 2017, section 3.3 and 3.4, arXiv:1704.04861.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from cnnspec.diagnostics import Problem, did_you_mean, listing
from cnnspec.fields import Fraction, Names, Positive, Size, Sizes
from cnnspec.schema import Spec

Rounding = Literal["nearest", "floor", "ceil"]

MOST_FACTOR = 100.0
MOST_RESOLUTION = 10_000
MOST_PHI = 20.0

#: How far alpha beta^2 gamma^2 may be from 2 before a spec that says so is warned.
GROWTH_TOLERANCE = 0.1


class Compound(Spec):
    """The compound rule: depth = alpha^phi, width = beta^phi, resolution = gamma^phi, alpha beta^2 gamma^2 near 2."""

    alpha: Positive = Field(1.2, ge=1.0, le=MOST_FACTOR, allow_inf_nan=False, description="depth for each phi")
    beta: Positive = Field(1.1, ge=1.0, le=MOST_FACTOR, allow_inf_nan=False, description="width for each phi")
    gamma: Positive = Field(1.15, ge=1.0, le=MOST_FACTOR, allow_inf_nan=False, description="resolution for each phi")

    @property
    def growth(self) -> float:
        """By how much one phi multiplies the MACs: alpha beta^2 gamma^2."""
        return self.alpha * self.beta**2 * self.gamma**2

    @property
    def far_from_two(self) -> bool:
        """Whether one phi is far from doubling the MACs, which `phi` is meant to do."""
        return abs(self.growth / 2 - 1) > GROWTH_TOLERANCE


class Variant(Spec):
    """Factors under a name (`b3`), and values of params with them (`dropout: 0.3`)."""

    model_config = ConfigDict(frozen=True, extra="allow")

    width: Positive = Field(1.0, le=MOST_FACTOR, allow_inf_nan=False, description="factor on channels")
    depth: Positive = Field(1.0, le=MOST_FACTOR, allow_inf_nan=False, description="factor on repeats")
    resolution: Size | None = Field(None, le=MOST_RESOLUTION, description="height of the input, in pixels")

    @property
    def params(self) -> dict[str, Any]:
        """Values of params that go with it."""
        return dict(self.model_extra or {})


class Scaling(Spec):
    """How a network scales."""

    divisor: Size = Field(8, description="scaled channels are a multiple of it")
    not_below: Fraction = Field(0.9, description="rounding never takes channels below this share of the exact number")
    width_rounding: Rounding = Field("nearest", description="to which multiple of the divisor")
    depth_rounding: Rounding = Field("ceil", description="how scaled repeats are rounded")
    resolution_multiple: Size = Field(1, description="heights and widths by the compound rule are a multiple of it")
    resolutions: Sizes = Field((), description="the heights that the compound rule chooses from, the nearest one")
    exempt: Names = Field((), description="what keeps its width: an id, a field, or `id.field`")
    only_wider: Names = Field((), description="ids that grow with the width and never shrink")
    fixed_depth: Names = Field((), description="ids whose repeat stays")
    compound: Compound = Field(Compound(), description="the compound rule")
    variants: dict[str, Variant] = Field({}, description="named factors, and values of params with them")

    @property
    def named(self) -> tuple[str, ...]:
        """Every id or field that it speaks of."""
        return (*self.exempt, *self.only_wider, *self.fixed_depth)


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
