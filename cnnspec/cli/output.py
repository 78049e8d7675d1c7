"""Tables and numbers as the commands print them: rich in a terminal, plain text when piped."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click

from cnnspec.cli.options import use_color
from cnnspec.files import written_whole

#: Seconds between lines about what goes on, where there is no terminal.
LINE_EVERY = 5.0


class Table:
    """A table that is filled row by row and printed once."""

    def __init__(self, columns: Sequence[str], right: Sequence[int] = ()) -> None:
        self.columns = list(columns)
        self.right = set(right)
        self.rows: list[list[str]] = []

    def add(self, *cells: object) -> None:
        self.rows.append([str(cell) for cell in cells])

    def print(self, title: str = "") -> None:
        """Print it: with colours and rules in a terminal, with two spaces between columns elsewhere."""
        if not sys.stdout.isatty():
            click.echo(self.plain())
            return
        from rich.console import Console
        from rich.table import Table as RichTable

        table = RichTable(title=title or None, header_style="bold", show_edge=False, pad_edge=False)
        for index, name in enumerate(self.columns):
            table.add_column(name, justify="right" if index in self.right else "left", overflow="fold")
        for row in self.rows:
            table.add_row(*[cell.replace("[", "\\[") for cell in row])
        Console(no_color=not use_color(sys.stdout)).print(table)

    def plain(self) -> str:
        """The table as aligned text."""
        rows = [self.columns, *self.rows]
        widths = [max(len(row[i]) for row in rows) for i in range(len(self.columns))]
        lines = []
        for row in rows:
            cells = [
                c.rjust(w) if i in self.right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
            ]
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)


@contextlib.contextmanager
def steps(title: str, total: int) -> Iterator[Callable[[str], None]]:
    """A bar on standard error over `total` steps; call what it gives with the name of each step, before it.

    Elsewhere than in a terminal there is a line now and then.
    """
    if not sys.stderr.isatty():
        count, last = 0, -LINE_EVERY

        def say(step: str) -> None:
            nonlocal count, last
            count += 1
            if time.monotonic() - last >= LINE_EVERY:
                last = time.monotonic()
                click.echo(f"{title} {count}/{total}: {step}", err=True)

        yield say
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
               TextColumn("{task.description}", markup=False))  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        started = False

        def show(step: str) -> None:
            nonlocal started
            bar.update(task, description=step, advance=int(started))
            started = True

        yield show


@contextlib.contextmanager
def output_file(path: Path) -> Iterator[Path]:
    """Where to write what shall be at `path`, which appears whole; a place that cannot be written to is told."""
    try:
        with written_whole(path) as beside:
            yield beside
    except OSError as error:
        raise click.UsageError(f"cannot write {path}: {error.strerror or error}") from None


def bytes_text(number: int) -> str:
    """`97.7 MiB`, for people."""
    value = float(number)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError
