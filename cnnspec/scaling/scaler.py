"""The scaler: applies factors by a spec's rule while the spec is elaborated, and remembers what it did.

Every elaboration has one. Where nothing is scaled it is idle: it gives every number back as it is, and remembers no
more than which widths come from expressions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from cnnspec.diagnostics import Span
from cnnspec.scaling.factors import Factors, check_factors
from cnnspec.scaling.rule import Scaling
from cnnspec.source import Tree

Kind = Literal["width", "depth"]

#: Rounding forgives the error of a product of floating-point factors: 1.1 * 10 is 11.
_SLACK = 1e-9

_DEPTH_WORDS = {"floor": "rounded down", "ceil": "rounded up", "nearest": "rounded"}
_WIDTH_WORDS = {"floor": "down to a", "ceil": "up to a", "nearest": "to the nearest"}


@dataclass(frozen=True, slots=True)
class Change:
    """One number under scaling: where, from what, its exact product, what rounding made of it, and what it became.

    `rounded` and `result` differ where a second rule had a say (not below 90 %, groups, an id that only widens).
    """

    path: str
    field: str
    kind: Kind
    base: int
    raw: float
    rounded: int
    result: int
    rule: str
    groups: int = 1


@dataclass(frozen=True, slots=True)
class Follower:
    """A width that an expression gives, or a block to one of its parts: it is not multiplied, and follows from others."""

    path: str
    field: str
    value: Any
    expression: str


@dataclass
class Scaler:
    """Factors, and the rule by which numbers are rounded."""

    rule: Scaling
    width: float = 1.0
    depth: float = 1.0
    #: Height of the input in pixels, as asked for.
    resolution: int | None = None
    #: Factor on the height, of the compound rule.
    stretch: float = 1.0
    phi: float | None = None
    #: Values of params that a variant gives.
    params: dict[str, Any] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    followers: list[Follower] = field(default_factory=list)
    #: Widths of parts of blocks that the block finds from its fields and from what comes in: `24 channels x expand 6`.
    derived: list[Follower] = field(default_factory=list)
    #: The new value of every literal that was looked at, by its place.
    written: dict[tuple[str, int, int], int] = field(default_factory=dict)
    #: Whether one literal became two different numbers (a block used at an exempt place and at others).
    ambiguous: bool = False
    #: Values of the params in force.
    values: dict[str, Any] = field(default_factory=dict)
    #: What was asked for, and the scaler of the network as it stands without that: by the spec's own scale.
    asked: Factors = field(default_factory=Factors)
    standing: Scaler | None = None

    @property
    def idle(self) -> bool:
        """Whether no number of the spec is multiplied."""
        return self.width == 1 and self.depth == 1

    def __call__(
        self, field: str, value: int, path: str, tree: Tree | None, kind: Kind, groups: int = 1
    ) -> tuple[int, str]:
        """The scaled value, and how it came about (an empty text where nothing changed).

        `groups` must divide the result where it divides the value. What stands at `tree` is remembered as scaled.
        """
        factor = self.factor(kind)
        if factor == 1 or value < 1:
            return value, ""
        raw = value * factor
        rounded, result, rule = self._round(field, value, path, kind, groups)
        self.changes.append(Change(path, field, kind, value, raw, rounded, result, rule, groups))
        if tree is not None:
            self.ambiguous |= self.written.setdefault(place(tree.span), result) != result
        exact = math.isclose(result, raw, rel_tol=_SLACK)
        return result, f"{field} {value} x {kind} {factor:.4g}" + ("" if exact else f", {rule}")

    def factor(self, kind: Kind) -> float:
        """The factor on widths or on depths."""
        return self.width if kind == "width" else self.depth

    def applied_to(self, change: Change) -> int:
        """What this scaler makes of the number that another one changed."""
        if self.factor(change.kind) == 1:
            return change.base
        return self._round(change.field, change.base, change.path, change.kind, change.groups)[1]

    def follow(self, field: str, value: int, result: int, path: str, tree: Tree) -> int:
        """The new value of a number that is to equal another one, which was scaled: the groups of a depthwise layer."""
        if not self.idle and value != result:
            self.changes.append(Change(path, field, "width", value, result, result, result, "follows `filters`"))
            self.ambiguous |= self.written.setdefault(place(tree.span), result) != result
        return result

    def _round(self, field: str, value: int, path: str, kind: Kind, groups: int) -> tuple[int, int, str]:
        """What rounding makes of a number, what it becomes, and by which rule."""
        whole = field.partition("[")[0]  # an element of a list goes by the list's name, too
        names = {field, whole, *path.split("."), *_prefixes(path, field), *_prefixes(path, whole)}
        rounded = self._deep(value) if kind == "depth" else self._wide(value, self.rule.divisor)
        stays = names & set(self.rule.exempt if kind == "width" else self.rule.fixed_depth)
        if stays:
            word = "exempt" if kind == "width" else "fixed_depth"
            return rounded, value, f"stays: {word} names {min(stays)}"
        if kind == "depth":
            return rounded, rounded, _DEPTH_WORDS[self.rule.depth_rounding]
        if self.width < 1 and names & set(self.rule.only_wider):
            return rounded, value, f"stays: only_wider names {min(names & set(self.rule.only_wider))}"
        result, rule = self._not_below(rounded, value, self.rule.divisor)
        if groups > 1 and value % groups == 0 and result % groups:
            divisor = math.lcm(self.rule.divisor, groups)
            result, _ = self._not_below(self._wide(value, divisor), value, divisor)
            rule = f"to a multiple of {divisor}, for {groups} groups"
        # Rounding up must not make a narrowed network wider than it was, nor the other way round.
        if (result > value) if self.width < 1 else (result < value):
            return rounded, value, "stays: rounding would " + ("widen" if self.width < 1 else "narrow")
        return rounded, result, rule

    def _wide(self, value: int, divisor: int) -> int:
        raw, how = value * self.width, self.rule.width_rounding
        if how == "nearest":
            steps = math.floor(raw / divisor + 0.5 + _SLACK)
        else:
            steps = math.floor(raw / divisor + _SLACK) if how == "floor" else math.ceil(raw / divisor - _SLACK)
        return max(divisor, steps * divisor)

    def _not_below(self, rounded: int, value: int, divisor: int) -> tuple[int, str]:
        how, least = self.rule.width_rounding, self.rule.not_below * value * self.width
        if how == "nearest" and rounded < least * (1 - _SLACK):
            return rounded + divisor, f"to a multiple of {divisor}, not below {self.rule.not_below:.0%}"
        return rounded, f"{_WIDTH_WORDS[how]} " + (f"multiple of {divisor}" if divisor > 1 else "whole number")

    def _deep(self, value: int) -> int:
        raw, how = value * self.depth, self.rule.depth_rounding
        if how == "ceil":
            return math.ceil(raw - _SLACK)
        return max(1, math.floor(raw + _SLACK if how == "floor" else raw + 0.5 + _SLACK))

    # --- the size of the input -----------------------------------------------------------------------------

    def resized(self, height: int, width: int) -> tuple[int, int]:
        """The height and width of an input of that size, scaled.

        Pixels that were asked for are taken as they are; what the compound rule gives is rounded.
        """
        if self.stretch == 1:
            wanted = self.resolution or height
            return wanted, width if wanted == height else max(1, round(wanted * width / height))
        raw = (self.resolution or height) * self.stretch
        if self.rule.resolutions:
            rounded = min(self.rule.resolutions, key=lambda size: abs(size - raw))
            return rounded, max(1, round(rounded * width / height))
        multiple = self.rule.resolution_multiple
        first, second = (max(1, round(size / multiple)) * multiple for size in (raw, raw * width / height))
        return first, second

    @property
    def resizes(self) -> bool:
        """Whether it has a say in the input's size."""
        return self.resolution is not None or self.stretch != 1

    @property
    def resolution_rule(self) -> str:
        """By which rule the input's size is found, in words."""
        if self.stretch == 1:
            return "as asked for"
        if self.rule.resolutions:
            return "the nearest of `resolutions`"
        multiple = self.rule.resolution_multiple
        return f"to the nearest multiple of {multiple}" if multiple > 1 else "to the nearest whole number"

    def names(self, height: int | None) -> dict[str, float]:
        """What `scale` is in the expressions of params: its factors, and the exponent that they amount to.

        Where factors were given and no `phi`, it is the one of the same growth: log(depth width^2 resolution^2) to
        the base alpha beta^2 gamma^2.
        """
        stretch = self.stretch * (self.resolution / height if self.resolution and height else 1)
        phi, growth = self.phi, self.rule.compound.growth
        if phi is None:
            phi = math.log(self.depth * self.width**2 * stretch**2) / math.log(growth) if growth > 1 else 0.0
        return {"width": self.width, "depth": self.depth, "resolution": stretch, "phi": phi}


def resolve(rule: Scaling, own: Factors, more: Factors, size_is_set: bool = False) -> Scaler:
    """The scaler for what a spec says of itself (`scale:`) and what is asked for from outside.

    Width and depth factors multiply, and the later resolution counts. A variant names factors on the network as it is
    written: one that is asked for from outside takes the place of the spec's own scale. Where the input's size was set
    from outside, the spec's own scale has no say in it. **Errors**: `Problem` E901 unknown variant, E902 contradictory.
    """
    scaler = Scaler(rule, asked=own if more.nothing else more)
    if not (own.nothing or more.nothing) and more.variant is None:
        scaler.standing = resolve(rule, own, Factors(), size_is_set)
    for factors in (more,) if more.variant is not None else (own, more):
        check_factors(rule, factors)
        if factors.variant is not None:
            variant = rule.variants[factors.variant]
            scaler.params |= variant.params
            scaler.width *= variant.width
            scaler.depth *= variant.depth
            scaler.resolution, scaler.stretch = variant.resolution or scaler.resolution, 1.0
        if factors.phi is not None:
            compound, phi = rule.compound, factors.phi
            scaler.depth *= compound.alpha**phi
            scaler.width *= compound.beta**phi
            scaler.stretch *= compound.gamma**phi
            scaler.phi = phi + (scaler.phi or 0.0)
        scaler.width *= factors.width
        scaler.depth *= factors.depth
        if factors.width != 1 or factors.depth != 1:
            scaler.phi = None
        if factors.resolution is not None:
            scaler.resolution, scaler.stretch = factors.resolution, 1.0
        if factors is own and size_is_set:
            scaler.resolution, scaler.stretch = None, 1.0
    return scaler


def place(span: Span) -> tuple[str, int, int]:
    """What tells one literal of the specs from all others."""
    return span.source.name, span.line, span.column


def _prefixes(path: str, field: str) -> Iterator[str]:
    """Every node that encloses a path, and the field of each."""
    parts = path.split(".")
    for count in range(1, len(parts) + 1):
        prefix = ".".join(parts[:count])
        yield prefix
        yield f"{prefix}.{field}"
