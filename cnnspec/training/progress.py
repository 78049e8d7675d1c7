"""What a training shows while it runs: a bar in a terminal, a line now and then where the output is piped."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

#: Seconds between lines where there is no terminal.
LINE_EVERY = 10.0


class Progress:
    """Shows steps, loss, accuracy, images a second, and the time that is left."""

    def __init__(self, total: int, steps_per_epoch: float, batch: int, quiet: bool) -> None:
        self.total, self.batch, self.quiet = total, batch, quiet
        self.steps_per_epoch = steps_per_epoch
        self._bar: Any = None

    def begin(self, done: int) -> None:
        """Start the clock, with `done` steps made already."""
        self._begun, self._first = time.perf_counter(), done
        self._last_line = self._begun
        if not self.quiet and sys.stderr.isatty() and self._bar is None:
            self._bar, self._task = _bar(self.total, done)

    def update(self, step: int, loss: float, accuracy: float, rate: float) -> None:
        """`rate` is in images a second."""
        text = (
            f"epoch {step / self.steps_per_epoch:.1f}  loss {loss:.4f}  accuracy {accuracy:.1%}  {rate:,.0f} images/s"
        )
        if self._bar is not None:
            self._bar.update(self._task, completed=step, info=text)
        elif not self.quiet and time.perf_counter() - self._last_line >= LINE_EVERY:
            self._last_line = time.perf_counter()
            left = (self.total - step) * (self._last_line - self._begun) / max(step - self._first, 1)
            self.say(f"step {step}/{self.total}  {text}  {left:.0f} s left")

    def say(self, text: str) -> None:
        """A line that stays."""
        if self.quiet:
            return
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)
        else:
            click.echo(text, err=True)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def _bar(total: int, done: int) -> tuple[Any, Any]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar
    from rich.table import Column

    columns = (
        TextColumn("{task.completed}/{task.total}"),
        BarColumn(bar_width=None, table_column=Column(ratio=1)),  # what the numbers leave over
        TextColumn("{task.fields[info]}", table_column=Column(no_wrap=True)),
        TimeRemainingColumn(compact=True),
    )
    bar = Bar(*columns, console=Console(stderr=True), transient=True, expand=True)
    bar.start()
    return bar, bar.add_task("training", total=total, completed=done, info="compiling")
