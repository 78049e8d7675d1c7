"""What a value should be, what it is, and what was surely meant: the words of a mistake in a field."""

from __future__ import annotations

import re
from typing import Any

from cnnspec.source import Mapping, Scalar, Sequence, meant, plain
from cnnspec.synonyms import meant_choice
from cnnspec.types import TensorType

_SIMPLE = {
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "bool_type": "should be true or false",
    "string_type": "should be text",
    "dict_type": "should be a mapping of fields",
    "model_type": "should be a mapping of fields",
    "tuple_type": "should be a list",
    "list_type": "should be a list",
    "finite_number": "should be finite",
}

#: What is asked of a shape for a number, by its rank.
_MEASURES = {3: "`.height`, `.width` or `.channels`", 0: "`.classes`"}

#: Kinds of errors of what should be whole numbers.
_WHOLE = ("int_type", "int_from_float", "pair_type", "padding_type")

_LENGTHS = {
    "too_short": "should have at least {min_length} elements",
    "too_long": "should have at most {max_length} elements",
}

_RANGES = {
    "greater_than_equal": "should be at least {ge}",
    "greater_than": "should be greater than {gt}",
    "less_than_equal": "should be at most {le}",
    "less_than": "should be less than {lt}",
}


def should_be(item: Any) -> str:
    """What a value should be, from an error of pydantic."""
    kind, context = item["type"], item.get("ctx") or {}
    if kind in _LENGTHS:
        return _LENGTHS[kind].format(**context)
    if kind in _RANGES:
        return _RANGES[kind].format(**{name: _number(value) for name, value in context.items()})
    message: str = _SIMPLE.get(kind) or item["msg"]
    for prefix in ("Value error, ", "Input "):
        message = message.removeprefix(prefix)
    return message


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def shown(value: Any) -> str:
    """What a value is, as it would stand in a spec."""
    if isinstance(value, Mapping | Sequence | Scalar):
        value = plain(value)
    if isinstance(value, TensorType):
        return f"the shape {value.plain}"
    if isinstance(value, dict):
        return "a mapping" if value else "empty"
    if value is None:
        return "empty"
    if isinstance(value, list | tuple):
        return f"the list {_flow(value)}"
    return f"`{word(value)}`" if value != "" else "an empty text"


def word(value: Any) -> str:
    """A single value as it would stand in a spec."""
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)


def _flow(values: Any) -> str:
    text = "[" + ", ".join(_flow(v) if isinstance(v, list | tuple) else word(v) for v in values) + "]"
    return text if len(text) <= 60 else f"{text[:57]}..."


def choices_in(message: str) -> list[str]:
    """The words that a message `should be one of a, b or c` names."""
    _, found, rest = message.partition("should be one of ")
    words = re.split(r",\s*|\s+or\s+", rest.split(", or {")[0]) if found else re.findall(r"`([a-z_]+)`", message)
    return [w.strip("`' ") for w in words if w.strip("`' ")]


def repair(kind: str, value: Any, message: str, raw: str) -> str:
    """What to write instead, where that is plain: another type, quotes, or the nearest choice.

    `raw` is the value as it stands in the text.
    """
    if isinstance(value, TensorType):
        return f"ask it for {_MEASURES.get(value.rank, '`.channels`')}"
    if "$" in raw:  # an expression, and not what stands there
        guess = meant(value) if kind == "bool_type" and isinstance(value, str) else None
        if isinstance(guess, bool):
            return f"`{value}` is text: write `{word(guess)}` where it comes from"
        return "`//` gives a whole number" if kind in _WHOLE and isinstance(value, float) and "/" in raw else ""
    wants_truth = kind == "bool_type"
    if (wants_truth or kind in ("float_type", *_WHOLE)) and isinstance(value, str | int | float):
        guess = meant(str(value)) if not (wants_truth and value in (0, 1)) else bool(value)
        fits = (
            isinstance(guess, bool)
            if wants_truth
            else type(guess) is int or (kind == "float_type" and guess is not None)
        )
        if fits and word(guess) != raw:
            return f"write `{word(guess)}`" + (
                ", without quotes" if isinstance(value, str) and raw[:1] in "\"'" else ""
            )
    if kind == "string_type" and isinstance(value, int | float) and raw:
        return f'put it in quotes: "{raw}"'
    known = choices_in(message)
    near = meant_choice(str(value), known) if known and isinstance(value, str | int | float) else ""
    return f"did you mean `{near}`?" if near else ""
