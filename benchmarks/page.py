"""docs/benchmarks.md: what people wrote, and a part for each section between markers, written from the results."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from benchmarks.results import Results
from benchmarks.sections import sections
from cnnspec.cli.output import Table
from cnnspec.files import written_whole

BEGIN, END = "<!-- {}: written by `python -m benchmarks` -->", "<!-- end of {} -->"


def write(page: Path, results: Results, picture: Path | None) -> None:
    """Put every section that has results into the page, inference with its picture; what else stands there stays."""
    text = page.read_text(encoding="utf-8") if page.exists() else "# Benchmarks\n"
    for name in sections():
        if results.rows(name):
            inside = section_text(name, results)
            if name == "inference" and picture is not None:
                inside += f"\n\n![Times as multiples of that of cnnspec]({picture.relative_to(page.parent)})"
            text = with_section(text, name, inside)
    with written_whole(page) as beside:
        beside.write_text(text, encoding="utf-8")


def with_section(text: str, name: str, inside: str) -> str:
    """The page with a section's part replaced, or put behind all others where it is not there yet."""
    begin, end = BEGIN.format(name), END.format(name)
    part = f"{begin}\n{inside}\n{end}"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if pattern.search(text):
        return pattern.sub(lambda _: part, text)
    return f"{text.rstrip()}\n\n{part}\n"


def section_text(name: str, results: Results) -> str:
    """Heading, method, tables, notes and the machine."""
    section, rows = sections()[name], results.rows(name)
    lines = [f"## {section.TITLE}", "", section.METHOD]
    for title, table in section.result_tables(rows):
        lines += ["", *([f"{title}:", ""] if title else []), *markdown(table)]
    notes = section.notes(rows)
    if notes:
        lines += ["", *(f"- {note}" for note in notes)]
    for run in results.runs(name):
        lines += ["", run_text(run)]
    return "\n".join(lines)


def markdown(table: Table) -> list[str]:
    """A table in Markdown."""
    rule = ["---:" if index in table.right else "---" for index in range(len(table.columns))]
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in (table.columns, rule, *table.rows)]
    return [f"| {' | '.join(row)} |" for row in escaped]


def run_text(run: dict[str, Any]) -> str:
    """When and where a section was measured."""
    machine = run["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    form = "" if run["full"] else " in the short form"
    return (
        f"Measured on {run['time']}{form}: {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB, {machine['system']}; "
        f"load {run['load_before']} before and {run.get('load_after', '?')} after; {versions}."
    )
