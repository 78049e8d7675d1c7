"""The values of plain scalars: YAML 1.2's core schema, in which `1e-3` is a number, `on` is text, and `010` is ten."""

from __future__ import annotations

import math
import re

from cnnspec.source.tree import Value

#: Longer runs of digits stay text: no number in a spec needs them, and reading them takes quadratic time.
_MOST_DIGITS = 400

_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Value] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    ".nan": math.nan, ".NaN": math.nan, ".NAN": math.nan,
}  # fmt: skip
_WORDS |= {
    f"{sign}{word}": -math.inf if sign == "-" else math.inf
    for sign in ("", "+", "-")
    for word in (".inf", ".Inf", ".INF")
}


def resolve_scalar(text: str) -> Value:
    """The value of a plain scalar in YAML 1.2's core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-.":
        return text
    if len(text) > _MOST_DIGITS:
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEX.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def meant(text: str) -> Value:
    """The value that somebody surely meant who wrote `text`, or `None`: what other rules or habits would make of it."""
    word = text.strip().lower()
    if word in ("yes", "on", "y", "true"):
        return True
    if word in ("no", "off", "n", "false"):
        return False
    number = word.replace("_", "").replace(",", "")
    value = resolve_scalar(number) if number else None
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        return int(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
