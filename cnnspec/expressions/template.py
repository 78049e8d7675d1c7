"""Text with expressions in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cnnspec.diagnostics import Problem
from cnnspec.expressions.compiling import Closure, Scope, compile_expression
from cnnspec.expressions.failures import in_words
from cnnspec.expressions.functions import FUNCTIONS
from cnnspec.expressions.watching import WATCHER

_NAME = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)")

#: What Python raises where an expression has no value.
_FAILURES = (ArithmeticError, TypeError, ValueError, IndexError, KeyError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Template:
    """A text with expressions in it; wholly one expression, it keeps the type of its value."""

    parts: tuple[str | tuple[str, Closure], ...]
    names: frozenset[str]

    def evaluate(self, scope: Scope) -> Any:
        """Its value; raises `Problem` (E402, E403, E404)."""
        watcher = WATCHER.get()
        if watcher is not None:
            watcher(self, scope)
        if len(self.parts) == 1 and not isinstance(self.parts[0], str):
            return _run(*self.parts[0], scope)
        pieces = [part if isinstance(part, str) else str(_run(*part, scope)) for part in self.parts]
        return "".join(pieces)

    def explain(self, scope: Scope) -> str:
        """The expression with the value of each name beside it: `filters 64 * expansion 4`."""

        def show(match: re.Match[str]) -> str:
            word = match[0]
            value = scope.get(word)
            plain_value = isinstance(value, int | float | str) and not isinstance(value, bool)
            return f"{word} {value}" if plain_value and word not in FUNCTIONS else word

        shown = [
            part if isinstance(part, str) else re.sub(r"(?<![\w.\"'])[A-Za-z_]\w*(?![\w.\[(\"'])", show, part[0])
            for part in self.parts
        ]
        return "".join(shown)


@lru_cache(maxsize=4096)
def parse_template(text: str) -> Template | None:
    """The template of a text, or `None` where it holds no expression; raises `Problem` (E401, E402, E404)."""
    if "$" not in text:
        return None
    parts: list[str | tuple[str, Closure]] = []
    names: set[str] = set()
    position = 0
    literal = ""
    while position < len(text):
        if text.startswith("$$", position):
            literal, position = literal + "$", position + 2
            continue
        if text.startswith("${", position):
            end = _closing(text, position + 2)
            begin, source, position = position + 2, text[position + 2 : end], end + 1
        elif match := _NAME.match(text, position):
            begin, source, position = position + 1, match[1], match.end()
        else:
            literal, position = literal + text[position], position + 1
            continue
        if literal:
            parts.append(literal)
            literal = ""
        parts.append((source.strip(), compile_expression(source, begin, names)))
    if literal or not parts:
        parts.append(literal)
    return Template(tuple(parts), frozenset(names))


def _closing(text: str, start: int) -> int:
    """Where the `}` of an expression stands."""
    depth, quote = 0, ""
    for index in range(start, len(text)):
        character = text[index]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "{":
            depth += 1
        elif character == "}":
            if depth == 0:
                return index
            depth -= 1
    raise Problem("E401", f"`{text[start - 2 :][:60]}` is not closed", "end the expression with `}`")


def _run(text: str, closure: Closure, scope: Scope) -> Any:
    try:
        return closure(scope)
    except Problem:
        raise
    except _FAILURES as error:
        reason = "division by zero" if isinstance(error, ZeroDivisionError) else in_words(str(error))
        reason = f"there is no {reason}" if isinstance(error, KeyError) else reason
        raise Problem(
            "E403", f"`{text}` cannot be evaluated: {reason}", "correct it, or the values of its names"
        ) from None
