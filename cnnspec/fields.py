"""Field types that several ops and blocks share, each normalised to one form when a spec is read."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

Size = Annotated[int, Field(ge=1)]
"""A count of at least 1: channels, features, groups."""

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
"""A number from 0 to 1."""

Rate = Annotated[float, Field(ge=0.0, lt=1.0)]
"""A probability of dropping, below 1."""

Positive = Annotated[float, Field(gt=0.0)]


def _integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _pair(value: Any) -> tuple[int, int]:
    """One number, or [height, width], as a pair."""
    if _integer(value):
        value = (value, value)
    if not (isinstance(value, list | tuple) and len(value) == 2 and all(_integer(v) for v in value)):
        raise PydanticCustomError("pair_type", "should be a whole number or a pair [height, width] of them")
    if min(value) < 1:
        raise PydanticCustomError("pair_range", "should be at least 1")
    return (value[0], value[1])


def _plain_pair(value: tuple[int, int]) -> int | list[int]:
    return value[0] if value[0] == value[1] else list(value)


Pair = Annotated[
    tuple[int, int],
    BeforeValidator(_pair),
    PlainSerializer(_plain_pair),
    WithJsonSchema(
        {
            "description": "a whole number, or [height, width]",
            "type": ["integer", "array"],
            "minimum": 1,
            "items": {"type": "integer", "minimum": 1},
            "minItems": 2,
            "maxItems": 2,
        }
    ),
]
"""Pixels along height and width: one number for both, or [height, width]."""


def _sizes(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or not all(_integer(v) and v >= 1 for v in value):
        raise PydanticCustomError("sizes_type", "should be a list of whole numbers of at least 1")
    return tuple(value)


Sizes = Annotated[
    tuple[int, ...],
    BeforeValidator(_sizes),
    PlainSerializer(list),
    WithJsonSchema({"type": "array", "items": {"type": "integer", "minimum": 1}}),
]
"""A list of counts or of dimensions."""


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
        raise PydanticCustomError("names_type", "should be a list of names")
    return tuple(value)


Names = Annotated[
    tuple[str, ...],
    BeforeValidator(_names),
    PlainSerializer(list),
    WithJsonSchema({"type": "array", "items": {"type": "string"}}),
]
"""A list of ids."""


@dataclass(frozen=True, slots=True)
class Padding:
    """How a window meets the border: a named rule, or pixels on every side.

    `same` is XLA's and TensorFlow's: the output is ceil(size / stride), and an odd pixel goes to the bottom and
    right. `half` is torch's usual `kernel // 2` (of the dilated kernel) on every side. At stride 1 with an odd
    kernel they agree; at stride 2 they give the same shape and other values. `valid` pads nothing.
    """

    rule: Literal["same", "half", "valid", "explicit"]
    sides: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))

    def resolve(
        self, size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
    ) -> tuple[tuple[int, int], tuple[int, int]]:
        """The pixels ((top, bottom), (left, right)) for maps of `size` (height, width)."""
        if self.rule == "explicit":
            return self.sides
        pads = []
        for length, window, step, spread in zip(size, kernel, stride, dilation, strict=True):
            extent = (window - 1) * spread + 1
            if self.rule == "valid":
                pads.append((0, 0))
            elif self.rule == "half":
                pads.append((extent // 2, extent // 2))
            else:
                total = max((-(-length // step) - 1) * step + extent - length, 0)
                pads.append((total // 2, total - total // 2))
        return (pads[0], pads[1])

    @property
    def plain(self) -> str | int | list[int] | list[list[int]]:
        """As a spec would say it."""
        if self.rule != "explicit":
            return self.rule
        (top, bottom), (left, right) = self.sides
        if top == bottom and left == right:
            return top if top == left else [top, left]
        return [[top, bottom], [left, right]]


def _padding(value: Any) -> Padding:
    if isinstance(value, Padding):
        return value
    if isinstance(value, str) and value in ("same", "half", "valid"):
        return Padding(value)  # type: ignore[arg-type]  # narrowed by the test beside it
    if _integer(value) and value >= 0:
        return Padding("explicit", ((value, value), (value, value)))
    if isinstance(value, list | tuple) and len(value) == 2:
        if all(_integer(v) and v >= 0 for v in value):
            return Padding("explicit", ((value[0], value[0]), (value[1], value[1])))
        if all(
            isinstance(side, list | tuple) and len(side) == 2 and all(_integer(v) and v >= 0 for v in side)
            for side in value
        ):
            return Padding("explicit", ((value[0][0], value[0][1]), (value[1][0], value[1][1])))
    raise PydanticCustomError(
        "padding_type",
        "should be `same`, `half`, `valid`, a number of pixels, [height, width], or [[top, bottom], [left, right]]",
    )


PaddingField = Annotated[
    Padding,
    BeforeValidator(_padding),
    PlainSerializer(lambda padding: padding.plain),
    WithJsonSchema(
        {
            "description": "same | half | valid | pixels | [height, width] | [[top, bottom], [left, right]]",
            "anyOf": [
                {"enum": ["same", "half", "valid"]},
                {"type": "integer", "minimum": 0},
                {"type": "array", "minItems": 2, "maxItems": 2},
            ],
        }
    ),
]

SAME = Padding("same")
HALF = Padding("half")
VALID = Padding("valid")

#: Name of an initialiser, and the arguments that it takes with their defaults.
INITIALIZERS: dict[str, dict[str, Any]] = {
    "zeros": {},
    "ones": {},
    "signs": {},
    "constant": {"value": 0.0},
    "normal": {"stddev": 0.01, "mean": 0.0},
    "truncated_normal": {"stddev": 0.01, "mean": 0.0},
    "uniform": {"low": -0.05, "high": 0.05},
    "he_normal": {"mode": "fan_in"},
    "he_uniform": {"mode": "fan_in"},
    "lecun_normal": {"mode": "fan_in"},
    "lecun_uniform": {"mode": "fan_in"},
    "glorot_normal": {"mode": "fan_avg"},
    "glorot_uniform": {"mode": "fan_avg"},
    "variance_scaling": {"scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal"},
}
_MODES = {"mode": ("fan_in", "fan_out", "fan_avg"), "distribution": ("normal", "truncated_normal", "uniform")}


@dataclass(frozen=True, slots=True)
class Initializer:
    """How a parameter starts: a name of `INITIALIZERS` and its arguments, sorted by name.

    **Source**: He et al. 2015 (arXiv:1502.01852), Glorot and Bengio 2010, LeCun et al. 1998 "Efficient BackProp".
    """

    name: str
    arguments: tuple[tuple[str, Any], ...] = ()

    @property
    def plain(self) -> str | dict[str, Any]:
        """As a spec would say it: the bare name where every argument is its default."""
        changed = {k: v for k, v in self.arguments if v != INITIALIZERS[self.name][k]}
        return {self.name: changed} if changed else self.name


def initializer(value: Any) -> Initializer:
    """The initialiser that a name, or {name: {argument: value}}, says."""
    if isinstance(value, Initializer):
        return value
    name: Any = value
    given: Any = {}
    if isinstance(value, dict) and len(value) == 1:
        name, given = next(iter(value.items()))
    if not isinstance(name, str) or name not in INITIALIZERS:
        raise PydanticCustomError(
            "choice",
            "should be one of {names}",
            {"choices": list(INITIALIZERS), "names": ", ".join(f"`{n}`" for n in INITIALIZERS)},
        )
    known = INITIALIZERS[name]
    if not isinstance(given, dict):
        if len(known) == 0:
            raise PydanticCustomError(
                "no_arguments", "takes no arguments", {"at": [name], "help": f"write `{name}` alone"}
            )
        given = {next(iter(known)): given}
        at = [name]
    else:
        at = [name, ""]
    for key, item in given.items():
        _check_argument(name, str(key), item, [*at[:1], str(key)] if len(at) > 1 else at)
    values = {**known, **given}
    if name == "uniform" and values["low"] > values["high"]:
        raise PydanticCustomError("range_argument", "should have `low` of at most `high`", {"at": at[:1]})
    return Initializer(name, tuple(sorted(values.items())))


def _check_argument(name: str, key: str, value: Any, at: list[str]) -> None:
    """Raise where `value` cannot be the argument `key` of the initialiser `name`, which stands at `at`."""
    known = INITIALIZERS[name]
    if key not in known:
        raise PydanticCustomError("unknown_argument", "{name}", {"at": at, "name": name, "known": list(known)})
    if key in _MODES:
        if value not in _MODES[key]:
            names = ", ".join(f"`{mode}`" for mode in _MODES[key])
            raise PydanticCustomError(
                "choice", "should be one of {names}", {"at": at, "choices": list(_MODES[key]), "names": names}
            )
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("float_type", "should be a number", {"at": at})
    elif not isfinite(value):
        raise PydanticCustomError("finite_number", "should be finite", {"at": at})
    elif key in ("stddev", "scale") and not value > 0:
        raise PydanticCustomError("range_argument", "should be greater than 0", {"at": at})


InitializerField = Annotated[
    Initializer,
    BeforeValidator(initializer),
    PlainSerializer(lambda initializer: initializer.plain),
    WithJsonSchema(
        {
            "description": "an initialiser by name, or {name: {argument: value}}",
            "anyOf": [
                {"enum": list(INITIALIZERS)},
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "propertyNames": {"enum": list(INITIALIZERS)},
                },
            ],
        }
    ),
]

ZEROS = Initializer("zeros")
ONES = Initializer("ones")
HE_NORMAL = initializer("he_normal")
LECUN_NORMAL = initializer("lecun_normal")
