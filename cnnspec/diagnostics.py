"""Diagnostics: what is wrong, where, why, and what to do about it.

Everything that can be wrong with a user's input becomes a `Diagnostic`. Code that finds a problem either adds
it to a `Report` and goes on (so that one run shows every independent mistake) or, deep inside a rule that knows
nothing of files, raises a `Problem`, which the caller turns into a `Diagnostic` by adding the place.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Literal, NamedTuple

Severity = Literal["error", "warning", "note"]


_LINE_END = re.compile(r"\r\n|\r|\n")

#: Longer words are compared as a whole: looking for near ones takes quadratic time.
_LONGEST_WORD = 100


@dataclass(frozen=True)
class Source:
    """A text that diagnostics can point into: a file, or an argument of the command line.

    Lines are what editors call lines: other characters that Unicode or YAML take for line breaks do not end one.
    """

    name: str
    text: str = field(repr=False)

    @cached_property
    def _starts(self) -> list[int]:
        """Where each line begins, as positions in the text."""
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    def line(self, number: int) -> str:
        """The text of line `number`, counted from 1; empty past the end."""
        if not 0 < number <= len(self._starts):
            return ""
        begin = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[begin:end].rstrip("\r\n")

    def span(self, begin: int, end: int) -> Span:
        """The stretch from one position in the text to another, of at least one character."""
        starts, end = self._starts, max(end, begin + 1)
        line = last = bisect_right(starts, begin)
        if line < len(starts) and end > starts[line]:
            last = bisect_right(starts, end)
        return Span(self, line, begin - starts[line - 1] + 1, last, end - starts[last - 1] + 1)

    def position(self, line: int, column: int) -> int:
        """The position in the text of a line and column, counted from 1."""
        return self._starts[line - 1] + column - 1


class Span(NamedTuple):
    """A stretch of a source; lines and columns count from 1, the end column is exclusive."""

    source: Source
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"

    @property
    def raw(self) -> str:
        """What stands there, where it is on one line; else nothing."""
        return self.source.line(self.line)[self.column - 1 : self.end_column - 1] if self.line == self.end_line else ""

    @property
    def first(self) -> Span:
        """Its first character: for what is missing from the whole."""
        return Span(self.source, self.line, self.column, self.line, self.column + 1)


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
    `axis` and `operands` say which dimension of which inputs disagree, so that their origin can be shown. `stretch`
    is the part of a text that is wrong, from one of its characters to another.
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
        stretch: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help
        self.field = field
        self.axis = axis
        self.operands = tuple(operands)
        self.stretch = stretch

    def __reduce__(self) -> tuple[Any, ...]:
        """As pickle keeps it, on the way from a process that makes batches."""
        make = partial(type(self), field=self.field, axis=self.axis, operands=self.operands)
        return make, (self.code, self.message, self.help)


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
        #: Nodes that an edit took out of a spec that is extended, and where: what still names one can say so.
        self.removed: dict[str, Span] = {}

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
    near = nearest(word, known)
    return f"did you mean `{near}`?" if near else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word nearest to `word`, or an empty string; case, `_` and `-` count least."""
    import difflib

    names, simple = [str(name) for name in known], _simple(word)
    same = next((name for name in names if _simple(name) == simple), "")
    if same or len(word) > _LONGEST_WORD:
        return same
    return next(iter(difflib.get_close_matches(word, names, n=1, cutoff=0.65)), "")


def _simple(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")


def listing(words: Iterable[str], most: int = 12) -> str:
    """`a`, `b`, `c`, and how many more, for messages."""
    names = [f"`{word}`" for word in words]
    shown = ", ".join(names[:most])
    return f"{shown}, and {len(names) - most} more" if len(names) > most else shown


def _place(diagnostic: Diagnostic) -> tuple[str, int, int, str]:
    span = diagnostic.span
    return (span.source.name, span.line, span.column, diagnostic.code) if span else ("", 0, 0, diagnostic.code)
