"""What `scaling:` says in a spec: by which rule the network scales, what is exempt, and named variants."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

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
    exempt: Names = Field((), description="what keeps its width: an id, a field, `id.field`, or a param")
    only_wider: Names = Field((), description="ids that grow with the width and never shrink")
    fixed_depth: Names = Field((), description="ids whose repeat stays, or params that give repeats")
    compound: Compound = Field(Compound(), description="the compound rule")
    variants: dict[str, Variant] = Field({}, description="named factors, and values of params with them")

    @property
    def named(self) -> tuple[str, ...]:
        """Every id or field that it speaks of."""
        return (*self.exempt, *self.only_wider, *self.fixed_depth)
