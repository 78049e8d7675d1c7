"""Scaling of a network in width, depth and resolution: part of the language, for every spec.

`scaling:` in a spec says how it scales (divisor and rounding, what is exempt, named variants, the compound rule), and
`scale:` says by how much this spec is scaled. A literal number in a width field (`filters: 64`) is multiplied by the
width factor, a literal `repeat` by the depth factor; what an expression gives is not touched, but a param may be
declared to scale: `{type: int, default: 64, scale: width}`.

**Source**: compound rule and rounding: Tan and Le 2019, section 3.3, arXiv:1905.11946; width and resolution
multipliers: Howard et al. 2017, section 3.3 and 3.4, arXiv:1704.04861.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from cnnspec.diagnostics import Problem, did_you_mean, listing
from cnnspec.fields import Fraction, Names, Positive, Size
from cnnspec.schema import Spec
from cnnspec.source import Tree

Rounding = Literal["nearest", "floor", "ceil"]

MOST_FACTOR = 100.0
MOST_RESOLUTION = 10_000


class Compound(Spec):
    """The compound rule: depth = alpha^phi, width = beta^phi, resolution = gamma^phi, alpha beta^2 gamma^2 near 2."""

    alpha: Positive = Field(1.2, ge=1.0, description="depth for each phi")
    beta: Positive = Field(1.1, ge=1.0, description="width for each phi")
    gamma: Positive = Field(1.15, ge=1.0, description="resolution for each phi")

    @property
    def growth(self) -> float:
        """By how much one phi multiplies the MACs: alpha beta^2 gamma^2."""
        return self.alpha * self.beta**2 * self.gamma**2


class Scaling(Spec):
    """How a network scales."""

    divisor: Size = Field(8, description="scaled channels are a multiple of it")
    not_below: Fraction = Field(0.9, description="rounding never takes channels below this share of the exact number")
    width_rounding: Rounding = Field("nearest", description="to which multiple of the divisor")
    depth_rounding: Rounding = Field("ceil", description="how scaled repeats are rounded")
    resolution_multiple: Size = Field(1, description="scaled heights and widths are a multiple of it")
    exempt: Names = Field((), description="ids whose width stays")
    only_wider: Names = Field((), description="ids that grow with the width and never shrink")
    fixed_depth: Names = Field((), description="ids whose repeat stays")
    compound: Compound = Field(Compound(), description="the compound rule")
    variants: dict[str, dict[str, Any]] = Field({}, description="named factors, and values of params with them")


class Factors(Spec):
    """By how much a network is scaled; `resolution` is the height in pixels."""

    width: Positive = Field(1.0, le=MOST_FACTOR, allow_inf_nan=False, description="factor on channels")
    depth: Positive = Field(1.0, le=MOST_FACTOR, allow_inf_nan=False, description="factor on repeats")
    resolution: Size | None = Field(None, le=MOST_RESOLUTION, description="height of the input, in pixels")
    phi: float | None = Field(None, ge=-20, le=20, allow_inf_nan=False, description="exponent of the compound rule")
    variant: str | None = Field(None, description="one of the variants that `scaling` names")

    @property
    def nothing(self) -> bool:
        """Whether this scales nothing."""
        return self == Factors()


@dataclass(frozen=True, slots=True)
class Change:
    """One number that was scaled: where, from what, to what, and by which rule."""

    path: str
    field: str
    base: int
    raw: float
    result: int
    rule: str


@dataclass
class Scaler:
    """Applies factors by a rule while a spec is elaborated, and remembers what it did."""

    rule: Scaling
    width: float = 1.0
    depth: float = 1.0
    resolution: float | int | None = None
    params: dict[str, Any] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    #: The new value of every literal that was scaled, by its place.
    written: dict[tuple[str, int, int], int] = field(default_factory=dict)

    def __call__(
        self, field: str, value: int, path: str, tree: Tree | None, kind: Literal["width", "depth"]
    ) -> tuple[int, str]:
        """The scaled value, and how it came about (an empty text where nothing changed)."""
        factor = self.width if kind == "width" else self.depth
        names = {path, *(path.split(".")), *_prefixes(path)}
        exempt = self.rule.exempt if kind == "width" else self.rule.fixed_depth
        if factor == 1 or names & {*exempt} or (kind == "width" and factor < 1 and names & {*self.rule.only_wider}):
            return value, ""
        result, how = self._wide(value, factor) if kind == "width" else self._deep(value, factor)
        self.changes.append(Change(path, field, value, value * factor, result, how))
        if tree is not None:
            self.written[tree.span.source.name, tree.span.line, tree.span.column] = result
        word = "filters" if field == "filters" else field
        return result, f"{word} {value} x {kind} {factor:g}" + (f", {how}" if result != value * factor else "")

    def _wide(self, value: int, factor: float) -> tuple[int, str]:
        raw, divisor = value * factor, self.rule.divisor
        if self.rule.width_rounding == "floor":
            return max(divisor, math.floor(raw / divisor + 1e-9) * divisor), f"down to a multiple of {divisor}"
        if self.rule.width_rounding == "ceil":
            return max(divisor, math.ceil(raw / divisor - 1e-9) * divisor), f"up to a multiple of {divisor}"
        rounded = max(divisor, int(raw + divisor / 2) // divisor * divisor)
        if rounded < self.rule.not_below * raw:
            return rounded + divisor, f"to a multiple of {divisor}, not below {self.rule.not_below:.0%}"
        return rounded, f"to the nearest multiple of {divisor}"

    def _deep(self, value: int, factor: float) -> tuple[int, str]:
        raw = value * factor
        if self.rule.depth_rounding == "floor":
            return max(min(value, 1), math.floor(raw + 1e-9)), "rounded down"
        if self.rule.depth_rounding == "nearest":
            return max(min(value, 1), math.floor(raw + 0.5)), "rounded"
        return math.ceil(raw - 1e-9), "rounded up"

    def resized(self, height: int, width: int) -> tuple[int, int]:
        """The height and width of an input of that size, scaled."""
        if self.resolution is None:
            return height, width
        wanted = self.resolution if isinstance(self.resolution, int) else height * self.resolution
        multiple = self.rule.resolution_multiple
        sizes = [max(multiple, round(s / multiple) * multiple) for s in (wanted, wanted * width / height)]
        return sizes[0], sizes[1]


def _prefixes(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[: n + 1]) for n in range(len(parts))]


def resolve(rule: Scaling, own: Factors, more: Factors) -> Scaler | None:
    """The scaler for what a spec says of itself (`scale:`) and what is asked for from outside, or `None` for nothing.

    Width and depth factors multiply; the later resolution counts. **Errors**: `Problem` E901 unknown variant, E902
    contradictory.
    """
    if own.nothing and more.nothing:
        return None
    scaler = Scaler(rule)
    for factors in (own, more):
        _check(rule, factors)
        if factors.variant is not None:
            variant = dict(rule.variants[factors.variant])
            known: dict[str, Any] = {
                name: variant.pop(name) for name in ("width", "depth", "resolution") if name in variant
            }
            scaler.params |= variant
            factors = replace_factors(factors, known)
        if factors.phi is not None:
            compound, phi = rule.compound, factors.phi
            scaler.depth *= compound.alpha**phi
            scaler.width *= compound.beta**phi
            scaler.resolution = compound.gamma**phi
        scaler.width *= factors.width
        scaler.depth *= factors.depth
        if factors.resolution is not None:
            scaler.resolution = factors.resolution
    return scaler


def replace_factors(factors: Factors, values: dict[str, Any]) -> Factors:
    """The factors of a variant, with what else was asked for multiplied in."""
    variant = Factors.model_validate(values)
    return variant.model_copy(
        update={
            "width": variant.width * factors.width,
            "depth": variant.depth * factors.depth,
            "resolution": factors.resolution or variant.resolution,
        }
    )


def _check(rule: Scaling, factors: Factors) -> None:
    if factors.variant is not None and factors.variant not in rule.variants:
        hint = did_you_mean(factors.variant, rule.variants) or f"the variants are {listing(rule.variants) or 'none'}"
        raise Problem("E901", f"there is no variant `{factors.variant}`", hint, field="variant")
    if factors.variant is not None and factors.phi is not None:
        raise Problem("E902", "a variant and `phi` both say how much to scale", "give one of them", field="phi")
    if factors.phi is not None and factors.resolution is not None:
        raise Problem(
            "E902", "`phi` and `resolution` both say the input's size", "give one of them", field="resolution"
        )
