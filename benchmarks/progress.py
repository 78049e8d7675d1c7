"""Progress on stderr. It is drawn between turns only: a thread that redraws would disturb what is measured."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress


class Progress:
    """Rows done, and what is going on; in a terminal as a bar, elsewhere a line for each row."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        columns = (TextColumn("{task.description}"), BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = RichProgress(*columns, console=self.console, auto_refresh=False, transient=True,
                                 disable=not self.console.is_terminal)  # fmt: skip
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def begin(self, title: str, rows: int) -> None:
        """A section of so many rows begins."""
        self.console.print(f"[bold]{title}[/bold]: {rows} to measure")
        self._bar.reset(self._task, total=rows)

    def step(self, text: str) -> None:
        """What is going on now."""
        self._bar.update(self._task, description=text)
        self._bar.refresh()

    def row(self, text: str) -> None:
        """A row is done."""
        self.console.print(text, markup=False, soft_wrap=True)
        self._bar.advance(self._task)
        self._bar.refresh()

    def warn(self, text: str) -> None:
        self.console.print(f"warning: {text}", style="yellow", markup=False, soft_wrap=True)
