"""The functions and constants that an expression knows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from cnnspec.expressions.bounds import MOST_ELEMENTS

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


def _linspace(start: float, stop: float, count: int) -> list[float]:
    if count > MOST_ELEMENTS:
        raise ValueError("too many elements")
    return [start + (stop - start) * i / max(count - 1, 1) for i in range(count)]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min, "max": max, "round": _round, "ceil": math.ceil, "floor": math.floor, "abs": abs, "len": len, "sum": sum,
    "sqrt": math.sqrt, "log2": math.log2, "int": int, "float": float, "str": str, "bool": bool, "round_to": round_to,
    "linspace": _linspace,
}  # fmt: skip

CONSTANTS = {
    "true": True, "false": False, "null": None, "True": True, "False": False, "None": None, "pi": math.pi,
}  # fmt: skip
