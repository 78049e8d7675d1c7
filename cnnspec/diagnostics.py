"""Diagnostics: what is wrong, where, why, and what to do about it.

Everything that can be wrong with a user's input becomes a `Diagnostic`. Code that finds a problem either adds
it to a `Report` and goes on (so that one run shows every independent mistake) or, deep inside a rule that knows
nothing of files, raises a `Problem`, which the caller turns into a `Diagnostic` by adding the place.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Source:
    """A text that diagnostics can point into: a file, or an argument of the command line."""

    name: str
    text: str = field(repr=False)

    def line(self, number: int) -> str:
        """The text of line `number`, counted from 1; empty past the end."""
        lines = self.text.splitlines()
        return lines[number - 1] if 0 < number <= len(lines) else ""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a source; lines and columns count from 1, the end column is exclusive."""

    source: Source
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Label:
    """A secondary line of a diagnostic: where a dimension came from, or through what the error was reached."""

    text: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake: its code, its place, the message with both numbers, the labels that explain it, and the help."""

    code: str
    message: str
    span: Span | None = None
    help: str = ""
    labels: tuple[Label, ...] = ()
    severity: Severity = "error"


class Problem(Exception):
    """A mistake found by a rule that does not know where it stands; the caller adds the place.

    `field` names the offending field of the op or block, so that the caret can stand under its value.
    `axis` and `operands` say which dimension of which inputs disagree, so that their origin can be shown.
    """

    def __init__(
        self,
        code: str,
        message: str,
        help: str = "",
        *,
        field: str | None = None,
        axis: int | None = None,
        operands: Iterable[int] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help
        self.field = field
        self.axis = axis
        self.operands = tuple(operands)


class SpecError(Exception):
    """Raised by the Python interface where the command line would print diagnostics and exit with 1."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        from cnnspec.rendering import render_text

        self.diagnostics = tuple(diagnostics)
        super().__init__("\n" + render_text(self.diagnostics))


class Report:
    """The diagnostics of one run, in the order of the text, each once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, Span | None], Diagnostic] = {}
        self._reached: dict[str, Label] = {}

    def reached(self, source: Source, label: Label) -> None:
        """From now on diagnostics in `source` say through what it was reached: `extends` or `imports` of another."""
        self._reached.setdefault(source.name, label)

    def add(self, diagnostic: Diagnostic) -> None:
        chain: list[Label] = []
        name = diagnostic.span.source.name if diagnostic.span else ""
        while name in self._reached and len(chain) < len(self._reached):
            label = self._reached[name]
            chain.append(label)
            name = label.span.source.name if label.span else ""
        if chain:
            diagnostic = replace(diagnostic, labels=(*diagnostic.labels, *chain))
        # One mistake in a block that is used twice is one mistake.
        self._found.setdefault((diagnostic.code, diagnostic.message, diagnostic.span), diagnostic)

    def error(
        self, code: str, message: str, span: Span | None = None, help: str = "", labels: Iterable[Label] = ()
    ) -> None:
        self.add(Diagnostic(code, message, span, help, tuple(labels)))

    def warning(
        self, code: str, message: str, span: Span | None = None, help: str = "", labels: Iterable[Label] = ()
    ) -> None:
        self.add(Diagnostic(code, message, span, help, tuple(labels), "warning"))

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        for diagnostic in diagnostics:
            self.add(diagnostic)

    @property
    def failed(self) -> bool:
        """Whether there is an error among them (a warning does not fail a run)."""
        return any(d.severity == "error" for d in self._found.values())

    def raise_if_failed(self) -> None:
        """Raise `SpecError` if there is an error."""
        if self.failed:
            raise SpecError(self)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(sorted(self._found.values(), key=_place))

    def __len__(self) -> int:
        return len(self._found)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """'did you mean `x`?' for the known word nearest to `word`, or an empty string."""
    near = difflib.get_close_matches(str(word), [str(k) for k in known], n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else ""


def listing(words: Iterable[str], most: int = 12) -> str:
    """`a`, `b`, `c`, and how many more, for messages."""
    names = [f"`{word}`" for word in words]
    shown = ", ".join(names[:most])
    return f"{shown}, and {len(names) - most} more" if len(names) > most else shown


def _place(diagnostic: Diagnostic) -> tuple[str, int, int, str]:
    span = diagnostic.span
    return (span.source.name, span.line, span.column, diagnostic.code) if span else ("", 0, 0, diagnostic.code)
