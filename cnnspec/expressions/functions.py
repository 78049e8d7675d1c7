"""The functions and constants that an expression knows."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection
from typing import Any

from cnnspec.expressions.bounds import MOST_ELEMENTS, comparable, show

_MOST_DIGITS = 18


def round_to(value: float, divisor: int, not_below: float = 0.9) -> int:
    """`value` rounded to a multiple of `divisor`, at least one of them, and not below that fraction of `value`.

    **Source**: the rule of MobileNet v2 and EfficientNet (`make_divisible`).
    """
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < not_below * value else rounded


def _round(value: float, digits: int | None = None) -> float:
    if digits is not None and abs(digits) > _MOST_DIGITS:
        raise ValueError(f"{digits} digits are more than a number has")
    return round(value, digits)


def _extreme(function: Callable[..., Any]) -> Callable[..., Any]:
    """The least or greatest of several values, or of a list."""

    def apply(*values: Any) -> Any:
        found = values[0] if len(values) == 1 else values
        if not isinstance(found, list | tuple):
            raise TypeError(f"{show(found)} is not a list")
        if not found:
            raise ValueError("there is nothing to choose from")
        comparable(found)
        return function(found)

    return apply


def _root(value: float) -> float:
    if value < 0:
        raise ValueError("the root of a negative number")
    return math.sqrt(value)


def _log2(value: float) -> float:
    if value <= 0:
        raise ValueError("the logarithm of a number that is not positive")
    return math.log2(value)


def _linspace(start: float, stop: float, count: int) -> list[float]:
    if count > MOST_ELEMENTS:
        raise ValueError("too many elements")
    return [start + (stop - start) * i / max(count - 1, 1) for i in range(count)]


def usage(name: str, arguments: int, named: Collection[str]) -> str:
    """How a function is called, where it cannot be called with so many arguments, and those with names; else nothing."""
    try:
        signature = inspect.signature(FUNCTIONS[name])
    except ValueError:  # int, float, str and bool say nothing of themselves
        return ""
    try:
        signature.bind(*[None] * arguments, **dict.fromkeys(named))
    except TypeError:
        words = [str(p).split(":")[0] + ("" if p.default is p.empty else "=...") for p in signature.parameters.values()]
        return f"{name}({', '.join(word for word in words if word != '/')})"
    return ""


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": _extreme(min), "max": _extreme(max), "round": _round, "ceil": math.ceil, "floor": math.floor, "abs": abs, "len": len, "sum": sum,
    "sqrt": _root, "log2": _log2, "int": int, "float": float, "str": str, "bool": bool, "round_to": round_to,
    "linspace": _linspace,
}  # fmt: skip

CONSTANTS = {
    "true": True, "false": False, "null": None, "True": True, "False": False, "None": None, "pi": math.pi,
}  # fmt: skip
