"""`python docs/diagnostic_picture.py` writes docs/pictures/diagnostic.svg: what `cnnspec check` says of four mistakes, in a terminal."""

from __future__ import annotations

import re
from contextlib import chdir
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cnnspec.diagnostics import Report
from cnnspec.frontend import check_spec
from cnnspec.rendering import render_text

DOCS = Path(__file__).parent
SPEC = DOCS / "examples" / "four_mistakes.yaml"
PICTURE = DOCS / "pictures" / "diagnostic.svg"
WIDTH = 92


def picture() -> str:
    """The terminal as SVG; its letters are those of the reader's own fixed-width font."""
    report = Report()
    with chdir(SPEC.parent):
        check_spec(Path(SPEC.name), report)
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(render_text(list(report), color=True, width=WIDTH)))
    drawn = console.export_svg(title=f"$ cnnspec check {SPEC.name}", unique_id="diagnostic")
    return re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
