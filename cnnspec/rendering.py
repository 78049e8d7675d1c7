"""Diagnostics as text for people, as JSON for programs, and as annotations for pull requests."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from cnnspec.diagnostics import Diagnostic, Label, Span

MOST_COLUMNS = 160

_COLORS = {"error": "31;1", "warning": "33;1", "note": "36;1"}


def render_text(diagnostics: Iterable[Diagnostic], color: bool = False) -> str:
    """Diagnostics as people read them: place, message, source line, caret, labels, help."""
    return "\n".join(_text(diagnostic, color) for diagnostic in diagnostics)


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """A JSON list with, for each: code, severity, message, file, line, column, end_line, end_column, help, labels."""
    return json.dumps(
        [
            {
                "code": d.code,
                "severity": d.severity,
                "message": d.message,
                **_place(d.span, end=True),
                "help": d.help,
                "labels": [{"text": label.text, **_place(label.span)} for label in d.labels],
            }
            for d in diagnostics
        ],
        indent=2,
        ensure_ascii=False,
    )


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """Workflow commands that GitHub turns into annotations, one a line."""
    lines = []
    for d in diagnostics:
        kind = "notice" if d.severity == "note" else d.severity
        place = ""
        if d.span is not None:
            numbers = f"line={d.span.line},endLine={d.span.end_line},col={d.span.column},endColumn={d.span.end_column}"
            place = f"file={_property(d.span.source.name)},{numbers},"
        text = "\n".join(x for x in (d.message, f"help: {d.help}" if d.help else "") if x)
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


def _text(diagnostic: Diagnostic, color: bool) -> str:
    def paint(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if color and text else text

    kind = paint(f"{diagnostic.severity}[{diagnostic.code}]", _COLORS[diagnostic.severity])
    place = f"{diagnostic.span}: " if diagnostic.span is not None else ""
    lines = [f"{paint(place, '1')}{kind}: {paint(visible(diagnostic.message), '1')}"]
    if diagnostic.span is not None:
        number = f"{diagnostic.span.line:5}"
        text, before, width = _excerpt(diagnostic.span)
        lines.append(f"{number} | {text}")
        lines.append(f"      | {' ' * before}{paint('^' * width, _COLORS[diagnostic.severity])}")
    lines += [f"   {line}" for line in _labels(diagnostic.labels, diagnostic.span)]
    if diagnostic.help:
        lines.append(f"   {paint('help:', '32;1')} {visible(diagnostic.help)}")
    return "\n".join(lines)


def _labels(labels: tuple[Label, ...], main: Span | None) -> list[str]:
    """The labels as a table: columns are told apart by two spaces or more."""
    table = []
    for label in labels:
        cells = re.split(r" {2,}", visible(label.text).strip())
        place = ""
        if label.span is not None:
            same = main is not None and label.span.source.name == main.source.name
            place = f"line {label.span.line}" if same else str(label.span)
        table.append(([*cells], place))
    widths: dict[int, int] = {}
    for cells, _ in table:
        for column, cell in enumerate(cells):
            widths[column] = max(widths.get(column, 0), len(cell))
    rows = []
    for cells, place in table:
        text = "   ".join(cell.ljust(widths[column]) for column, cell in enumerate(cells))
        whole = sum(widths.values()) + 3 * (len(widths) - 1)
        rows.append(f"{text.ljust(whole)}   {place}".rstrip())
    return rows


def _excerpt(span: Span) -> tuple[str, int, int]:
    """The line of a span as it is shown, the columns before the caret, and the caret's width."""
    line = span.source.line(span.line)
    start = min(span.column - 1, len(line))
    stop = span.end_column - 1 if span.end_line == span.line else len(line.rstrip())
    stop = min(max(stop, start + 1), max(len(line), start + 1))
    lead, tail = "", ""
    if len(line) > MOST_COLUMNS:
        first = max(0, min(start - MOST_COLUMNS // 3, len(line) - MOST_COLUMNS))
        last = first + MOST_COLUMNS
        lead, tail = ("..." if first else ""), ("..." if last < len(line) else "")
        line, start, stop = line[first:last], start - first, min(stop - first, MOST_COLUMNS)
    shown = lead + visible(line) + tail
    before = len(lead) + _columns(visible(line[:start]))
    return shown.rstrip(), before, max(1, _columns(visible(line[start:stop])))


def visible(text: str) -> str:
    """Text with tabs as spaces and control characters as escapes, so that nothing upsets a terminal."""
    spaced = text.replace("\t", "    ")
    return "".join(
        c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs") else f"\\x{ord(c):02x}" for c in spaced
    )


def _columns(text: str) -> int:
    """The columns that a text takes up in a terminal."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) != 0 for c in text)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
