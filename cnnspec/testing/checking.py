"""Checking a spec in a test: its diagnostics as plain data, and its graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnnspec.diagnostics import Diagnostic, Report
from cnnspec.frontend import LoadedSpec, check_spec
from cnnspec.source import dump


@dataclass(frozen=True)
class Checked:
    """What checking a spec gave: the network where it is right, and every diagnostic."""

    text: str
    loaded: LoadedSpec | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def codes(self) -> list[str]:
        """The codes, in the order of the text."""
        return [d.code for d in self.diagnostics]

    @property
    def places(self) -> list[tuple[str, int, int]]:
        """Code, line and column of every diagnostic; 0 where it has no place."""
        return [(d.code, d.span.line, d.span.column) if d.span else (d.code, 0, 0) for d in self.diagnostics]


def check_text(spec: str | Mapping[str, Any], *, set: Mapping[str, Any] | None = None) -> Checked:
    """Check YAML text, or a mapping, as `cnnspec check` does."""
    text = spec if isinstance(spec, str) else dump(dict(spec))
    report = Report()
    # A text is told from the name of a file by its line break.
    loaded = check_spec(text if "\n" in text else text + "\n", report, set=set)
    return Checked(text, loaded, tuple(report))
