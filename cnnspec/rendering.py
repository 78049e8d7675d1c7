"""Diagnostics as text for people, as JSON for programs, and as annotations for pull requests."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from cnnspec.diagnostics import Diagnostic, Label, Span

MOST_COLUMNS = 160
_FEWEST_COLUMNS = 40
_LONGEST_QUOTE = 80
_MOST_LABELS = 8

#: Categories of characters that cannot be seen: controls, formats, surrogates, line and paragraph separators.
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")

_COLORS = {"error": "31;1", "warning": "33;1", "note": "36;1"}


def render_text(diagnostics: Iterable[Diagnostic], color: bool = False, width: int = MOST_COLUMNS) -> str:
    """Diagnostics as people read them: place, message, source line, caret, labels, help.

    Of source lines longer than `width` columns the part around the caret is shown.
    """
    return "\n".join(_text(diagnostic, color, max(width, _FEWEST_COLUMNS)) for diagnostic in diagnostics)


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """A JSON list of diagnostics, each as `as_data` has it."""
    return json.dumps([as_data(d) for d in diagnostics], indent=2, ensure_ascii=False)


def as_data(d: Diagnostic) -> dict[str, Any]:
    """A diagnostic with stable keys: what it says, where that begins and ends, and the places that it points to."""
    return {
        "code": d.code,
        "severity": d.severity,
        "message": d.message,
        **_place(d.span, end=True),
        "help": d.help,
        "labels": [{"text": label.text, **_place(label.span)} for label in d.labels],
    }


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """Workflow commands that GitHub turns into annotations, one a line."""
    lines = []
    for d in diagnostics:
        kind = "notice" if d.severity == "note" else d.severity
        place = ""
        if d.span is not None:
            place = f"file={_property(d.span.source.name)},line={d.span.line},endLine={d.span.end_line},"
            if d.span.line == d.span.end_line:  # GitHub knows no columns of a stretch of several lines
                place += f"col={d.span.column},endColumn={d.span.end_column},"
        text = "\n".join([d.message, *_labels(d.labels, d.span), *([f"help: {d.help}"] if d.help else [])])
        lines.append(f"::{kind} {place}title={_property(d.code)}::{_data(text)}")
    return "\n".join(lines)


def summary_line(diagnostics: Iterable[Diagnostic]) -> str:
    """`4 errors, 1 warning`."""
    found = list(diagnostics)
    counts = [(kind, sum(d.severity == kind for d in found)) for kind in ("error", "warning", "note")]
    return ", ".join(f"{n} {kind}{'' if n == 1 else 's'}" for kind, n in counts if n) or "no diagnostics"


def _place(span: Span | None, end: bool = False) -> dict[str, Any]:
    if span is None:
        return {"file": None, "line": None, "column": None} | ({"end_line": None, "end_column": None} if end else {})
    place: dict[str, Any] = {"file": span.source.name, "line": span.line, "column": span.column}
    return place | ({"end_line": span.end_line, "end_column": span.end_column} if end else {})


def _text(diagnostic: Diagnostic, color: bool, width: int) -> str:
    def paint(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if color and text else text

    kind = paint(f"{diagnostic.severity}[{diagnostic.code}]", _COLORS[diagnostic.severity])
    place = f"{diagnostic.span}: " if diagnostic.span is not None else ""
    lines = [f"{paint(visible(place), '1')}{kind}: {paint(_sentence(diagnostic.message), '1')}"]
    if diagnostic.span is not None:
        text, before, carets = _excerpt(diagnostic.span, width)
        lines.append(f"{diagnostic.span.line:5} | {text}")
        lines.append(f"      | {' ' * before}{paint('^' * carets, _COLORS[diagnostic.severity])}")
    lines += [f"   {line}" for line in _labels(diagnostic.labels, diagnostic.span)]
    if diagnostic.help:
        lines.append(f"   {paint('help:', '32;1')} {_sentence(diagnostic.help)}")
    return "\n".join(lines)


def _sentence(text: str) -> str:
    """A message as it is shown: what is quoted from the spec in it is cut where it is long."""
    return visible(re.sub(r"`([^`\n]+)`", lambda match: f"`{_shorten(match[1])}`", text))


def _shorten(text: str, most: int = _LONGEST_QUOTE) -> str:
    """A text with its middle left out where it is longer than `most` characters."""
    half = (most - 3) // 2
    return text if len(text) <= most else f"{text[:half]}...{text[-half:]}"


def _labels(labels: tuple[Label, ...], main: Span | None) -> list[str]:
    """The labels as a table: columns are told apart by two spaces or more. Of a long chain both ends are shown."""
    shown = [_row(label, main) for label in labels]
    left_out = len(shown) - _MOST_LABELS
    if left_out > 1:
        shown[_MOST_LABELS - 2 : -2] = [([f"... {left_out} more ..."], "")]
    widths: dict[int, int] = {}
    for cells, place in shown:
        # A remark of its own is no row of the table, and makes no column of it wide.
        for column, cell in enumerate(cells if len(cells) > 1 or place else ()):
            widths[column] = max(widths.get(column, 0), _columns(cell))
    whole = sum(widths.values()) + 3 * (len(widths) - 1)
    rows = []
    for cells, place in shown:
        text = "   ".join(_padded(cell, widths.get(column, 0)) for column, cell in enumerate(cells))
        rows.append(f"{_padded(text, whole)}   {place}".rstrip())
    return rows


def _row(label: Label, main: Span | None) -> tuple[list[str], str]:
    """The cells of a label, and where it points."""
    cells = [_shorten(cell) for cell in re.split(r" {2,}", visible(label.text).strip())]
    if label.span is None:
        return cells, ""
    same = main is not None and label.span.source.name == main.source.name
    return cells, f"line {label.span.line}" if same else visible(str(label.span))


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _columns(text))


def _excerpt(span: Span, width: int) -> tuple[str, int, int]:
    """The line of a span as it is shown, the columns before the caret, and the caret's width."""
    line = span.source.line(span.line)
    start = min(span.column - 1, len(line))
    stop = span.end_column - 1 if span.end_line == span.line else len(line.rstrip())
    stop = min(max(stop, start + 1), max(len(line), start + 1))
    lead, tail = "", ""
    # Wide characters take two columns, so that fewer of them fit.
    most = width * len(line) // max(_columns(visible(line)), 1)
    if len(line) > most:
        first = max(0, min(start - most // 3, len(line) - most))
        last = first + most
        lead, tail = ("..." if first else ""), ("..." if last < len(line) else "")
        line, start, stop = line[first:last], start - first, min(stop - first, most)
    shown = lead + visible(line) + tail
    before = len(lead) + _columns(visible(line[:start]))
    return shown.rstrip(), before, max(1, _columns(visible(line[start:stop])))


def visible(text: str) -> str:
    """Text with tabs as spaces and control characters as escapes, so that nothing upsets a terminal."""
    spaced = text.replace("\t", "    ")
    if spaced.isascii() and spaced.isprintable():
        return spaced
    return "".join(c if c == "\n" or unicodedata.category(c) not in _UNSEEN else _escaped(c) for c in spaced)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def _columns(text: str) -> int:
    """The columns that a text takes up in a terminal."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
