"""What the checker says of a broken spec."""

from __future__ import annotations

import contextlib
from pathlib import Path

from cnnspec.diagnostics import Report
from cnnspec.frontend import check_spec
from cnnspec.rendering import render_text

HERE = Path(__file__).parent
EXPECTED = HERE / "expected"

#: `base.yaml` is right: others extend it.
SPECS = sorted(path for path in (HERE / "specs").glob("*.yaml") if path.stem != "base")


def diagnostics(path: Path) -> Report:
    """The diagnostics of a spec, named as in its own folder."""
    report = Report()
    with contextlib.chdir(path.parent):
        assert check_spec(path.name, report) is None
    return report


def said(path: Path) -> str:
    """The diagnostics of a spec as text."""
    return render_text(diagnostics(path)) + "\n"
