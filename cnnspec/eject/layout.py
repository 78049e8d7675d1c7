"""Calls, lists and definitions as lines of at most 120 columns, in the form of the project's formatter."""

from __future__ import annotations

import re
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


def parsed(text: str) -> Expression:
    """A call or a list in text, taken apart at its outermost commas so that it can be broken there; else the text."""
    opening = next((i for i, letter in enumerate(text) if letter in "([{"), None)
    if opening is None or text[-1] not in ")]}" or not re.fullmatch(r"[\w.=]*", text[:opening]):
        return text
    parts, depth, start = [], 0, opening + 1
    for i, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0 and opening <= i < len(text) - 1:
            return text  # more follows the call: an operator, an index
        if (depth == 1 and letter == ",") or i == len(text) - 1:
            parts.append(text[start:i].strip())
            start = i + 1
    if not parts[-1]:
        return text  # a comma at the end, which makes a tuple of one
    return Group(text[:opening], tuple(map(parsed, parts)), text[opening] + text[-1])
