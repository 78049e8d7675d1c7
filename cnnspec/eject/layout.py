"""Calls, lists and definitions as lines of at most 120 columns, in the form of the project's formatter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 120
INDENT = "    "


@dataclass(frozen=True)
class Group:
    """`head` + opening bracket + parts, between commas, + closing bracket + `tail`."""

    head: str
    parts: tuple[Expression, ...]
    brackets: str = "()"
    tail: str = ""
    #: What separates the parts where they are not between commas: a comprehension.
    comprehension: str = ""


Expression = str | Group


def flat(expression: Expression) -> str:
    """The expression on one line."""
    if isinstance(expression, str):
        return expression
    inner = ", ".join(map(flat, expression.parts)) + (
        f" {expression.comprehension}" if expression.comprehension else ""
    )
    return f"{expression.head}{expression.brackets[0]}{inner}{expression.brackets[1]}{expression.tail}"


def lines(expression: Expression, indent: int, before: str = "", after: str = "") -> list[str]:
    """The expression between `before` and `after`, broken within its brackets where one line does not hold it."""
    margin, inner = INDENT * indent, INDENT * (indent + 1)
    whole = f"{margin}{before}{flat(expression)}{after}"
    if len(whole) <= WIDTH or isinstance(expression, str):
        return [whole]
    opening = f"{margin}{before}{expression.head}{expression.brackets[0]}"
    closing = f"{margin}{expression.brackets[1]}{expression.tail}{after}"
    together = ", ".join(map(flat, expression.parts))
    if expression.comprehension:
        return [opening, *lines(expression.parts[0], indent + 1), f"{inner}{expression.comprehension}", closing]
    single = len(expression.parts) == 1 and isinstance(expression.parts[0], Group)
    if len(inner + together) <= WIDTH:
        return [opening, inner + together, closing]
    comma = "" if single and expression.brackets == "()" and expression.head.startswith("*") else ","
    broken = [line for part in expression.parts for line in lines(part, indent + 1, "", comma)]
    if single and expression.brackets == "()":
        broken = lines(expression.parts[0], indent + 1)
    return [opening, *broken, closing]


def call(head: str, parts: Sequence[Expression]) -> Group:
    """A call."""
    return Group(head, tuple(parts))
