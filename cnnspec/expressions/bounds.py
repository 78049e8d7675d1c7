"""Bounds on what an expression makes, and the operators that keep to them: no expression can hang or exhaust a machine."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable
from typing import Any

from cnnspec.diagnostics import Problem
from cnnspec.types import TensorType

MOST_CHARACTERS = 2_000
MOST_PARTS = 200
MOST_NUMBER = 10**18
MOST_ELEMENTS = 10_000
MOST_POWER = 64


class Meter:
    """Counts the work of expressions: their parts, and the elements of lists that they go through.

    One expression is bounded, and how often expressions are evaluated in one spec is bounded by whoever evaluates them.
    """

    spent: int = 0


METER = Meter()


def bounded(value: Any) -> Any:
    """`value` itself; raises E404 where it is too large."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MOST_NUMBER:
        raise Problem("E404", f"a number larger than {MOST_NUMBER:.0e} appears", "check the expression")
    if isinstance(value, float) and not math.isfinite(value):
        raise Problem("E404", "a number too large for arithmetic appears", "check the expression")
    if isinstance(value, str | list | tuple) and len(value) > MOST_ELEMENTS:
        raise Problem("E404", f"a value of more than {MOST_ELEMENTS:,} elements appears", "check the expression")
    return value


def show(value: Any) -> str:
    """A value in a message."""
    return f"`{value.plain}`" if isinstance(value, TensorType) else f"`{str(value)[:40]}`"


def _numbers(*values: Any) -> None:
    for value in values:
        if not isinstance(value, int | float):
            hint = "; a shape has `.height`, `.width`, `.channels`" if isinstance(value, TensorType) else ""
            raise TypeError(f"{show(value)} is not a number{hint}")


def _arithmetic(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(left: Any, right: Any) -> Any:
        _numbers(left, right)
        return bounded(function(left, right))

    return apply


def _add(left: Any, right: Any) -> Any:
    if type(left) is type(right) and isinstance(left, str | list | tuple):
        METER.spent += len(left) + len(right)
        return bounded(left + right)
    _numbers(left, right)
    return bounded(left + right)


def _power(left: Any, right: Any) -> Any:
    _numbers(left, right)
    if abs(right) > MOST_POWER:
        raise Problem("E404", f"the power {right} is too large", f"use one of at most {MOST_POWER}")
    result = left**right
    if isinstance(result, complex):
        raise ValueError("the root of a negative number")
    return bounded(result)


def _contains(left: Any, right: Any) -> bool:
    if not isinstance(right, str | list | tuple):
        raise TypeError(f"{show(right)} is not a list")
    METER.spent += len(right)
    return left in right


def comparable(values: Iterable[Any]) -> None:
    """Raise where values have no order: numbers have one, and texts."""
    found = list(values)
    for other in found[1:]:
        same = isinstance(found[0], str) == isinstance(other, str)
        if not same or not all(isinstance(v, int | float | str) for v in (found[0], other)):
            raise TypeError(f"{show(found[0])} and {show(other)} cannot be compared")


def _ordered(function: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def apply(left: Any, right: Any) -> bool:
        comparable((left, right))
        return function(left, right)

    return apply


def _negated(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def apply(value: Any) -> Any:
        _numbers(value)
        return bounded(function(value))

    return apply


BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: _add, ast.Sub: _arithmetic(operator.sub), ast.Mult: _arithmetic(operator.mul),
    ast.Div: _arithmetic(operator.truediv), ast.FloorDiv: _arithmetic(operator.floordiv),
    ast.Mod: _arithmetic(operator.mod), ast.Pow: _power,
}  # fmt: skip
COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: _ordered(operator.lt), ast.LtE: _ordered(operator.le),
    ast.Gt: _ordered(operator.gt), ast.GtE: _ordered(operator.ge), ast.In: _contains, ast.NotIn: lambda a, b: not _contains(a, b),
}  # fmt: skip
UNARY: dict[type, Callable[[Any], Any]] = {
    ast.USub: _negated(operator.neg), ast.UAdd: _negated(operator.pos), ast.Not: operator.not_,
}  # fmt: skip
