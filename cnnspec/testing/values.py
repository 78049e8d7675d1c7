"""Values for the fields of ops and blocks, given what comes in: by the name of the field, or by its type.

An op or block that is added is reached without an entry here as long as its fields have names or types that are known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from cnnspec.fields import INITIALIZERS
from cnnspec.ops.activation import Function
from cnnspec.types import TensorType

Strategy = st.SearchStrategy[Any]
ACTIVATIONS = get_args(Function)

_NUMBER = st.integers(1, 6)
_STEP = st.sampled_from([1, 1, 2, [1, 2], [2, 1]])
_ACT = st.sampled_from([*ACTIVATIONS, "none", {"leaky_relu": {"slope": 0.2}}, {"gelu": {"approximate": True}}])
_NORM = st.sampled_from(["batch", "layer", "none", {"batch": {"epsilon": 0.001}}, {"group": {"groups": 1}}])
_INIT = st.sampled_from([*INITIALIZERS, {"he_normal": "fan_out"}, {"constant": 0.5}])


def pixels(most: int) -> Strategy:
    """One number for both axes, or a pair, up to `most`."""
    number = st.integers(1, max(1, most))
    return number | st.lists(number, min_size=2, max_size=2)


def divisors(number: int) -> list[int]:
    """The divisors of `number`."""
    return [n for n in range(1, number + 1) if number % n == 0]


def _side(x: TensorType) -> int:
    return min(x.shape[0], x.shape[1]) if x.rank == 3 else 1


#: By the name of a field: values that fit whatever else is given.
_BY_NAME: dict[str, Callable[[TensorType], Strategy]] = {
    "filters": lambda x: _NUMBER,
    "features": lambda x: _NUMBER,
    "classes": lambda x: _NUMBER,
    "squeeze": lambda x: _NUMBER,
    "expand1x1": lambda x: _NUMBER,
    "expand3x3": lambda x: _NUMBER,
    "growth_rate": lambda x: _NUMBER,
    "capsules": lambda x: st.integers(1, 4),
    "dimensions": lambda x: st.integers(1, 4),
    "iterations": lambda x: st.integers(1, 3),
    "layers": lambda x: st.integers(1, 3),
    "multiplier": lambda x: st.integers(1, 2),
    "reduction": lambda x: st.integers(1, 4),
    "expansion": lambda x: st.integers(1, 3),
    "divisor": lambda x: st.sampled_from([1, 2]),
    "expand_divisor": lambda x: st.sampled_from([1, 2, 4]),
    "expand": lambda x: st.sampled_from([1, 2, 1.5, 4]),
    "kernel": lambda x: pixels(3),
    "shortcut_kernel": lambda x: pixels(2),
    "stride": lambda x: _STEP,
    "window": lambda x: pixels(min(3, _side(x))),
    "dilation": lambda x: _STEP,
    "padding": lambda x: st.sampled_from(["same", "half", "valid", 1, [1, 0], [[0, 1], [2, 0]]]),
    "groups": lambda x: st.sampled_from(divisors(x.channels) if x.rank else [1]),
    "size": lambda x: pixels(_side(x)),
    "survival": lambda x: st.sampled_from([0.5, 0.8, 1.0]),
    "compression": lambda x: st.sampled_from([0.5, 0.3, 1.0]),
    "ratio": lambda x: st.sampled_from([0.25, 0.5, 1.0]),
    "rate": lambda x: st.sampled_from([0.0, 0.1, 0.5]),
    "dropout": lambda x: st.sampled_from([0.0, 0.2]),
    "norm": lambda x: _NORM,
    "shortcut_norm": lambda x: st.sampled_from(["batch", "none"]),
    "act": lambda x: _ACT,
    "adaptive": lambda x: pixels(2),
    "output_padding": lambda x: st.sampled_from([0, 1]),
    "channels": lambda x: st.integers(0, 3),
    "parts": lambda x: st.sampled_from(divisors(x.channels)),
    "factor": lambda x: pixels(2),
}

#: Fields that only make sense together with others; `repair` gives them where they do.
TOGETHER = frozenset(
    {"sizes", "sides", "size_", "widths", "base_width", "table", "shape", "body", "shortcut_layers", "image"}
)


def value_of(name: str, info: FieldInfo, x: TensorType) -> Strategy | None:
    """Values of one field, or `None` where it stands in `TOGETHER`; raises `LookupError` where nothing is known."""
    if name in TOGETHER:
        return None
    if name.endswith("_init"):
        return _INIT
    if name in _BY_NAME:
        return _BY_NAME[name](x)
    annotation = info.annotation
    if annotation is bool or bool in get_args(annotation):
        return st.booleans()
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if annotation in (int, float):
        return st.sampled_from([v for v in _plain_numbers(annotation) if _within(v, info)])
    if not info.is_required():
        return None
    raise LookupError(f"no values are known for the field `{name}`: add it to cnnspec.testing.values")


def _plain_numbers(kind: Any) -> list[Any]:
    return [0, 1, 2, 3] if kind is int else [0.001, 0.1, 0.5, 0.9, 1.0, 2.0]


def _within(value: float, info: FieldInfo) -> bool:
    for bound in info.metadata:
        if isinstance(bound, Ge) and not value >= bound.ge:  # type: ignore[operator]  # numbers
            return False
        if isinstance(bound, Gt) and not value > bound.gt:  # type: ignore[operator]
            return False
        if isinstance(bound, Le) and not value <= bound.le:  # type: ignore[operator]
            return False
        if isinstance(bound, Lt) and not value < bound.lt:  # type: ignore[operator]
            return False
    return True
