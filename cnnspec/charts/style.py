"""What the charts share: colours that most eyes tell apart, a quiet frame, counts as people read them, and saving."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: The palette of Okabe and Ito (2008), without its yellow, which is too pale for lines.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
INK, QUIET, FAINT = "#222222", "#8a8a8a", "#dddddd"

#: File endings that are written.
ENDINGS = (".png", ".svg")

_SETTINGS = {
    "font.family": "DejaVu Sans", "font.size": 9, "axes.titlesize": 11, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.labelsize": 9, "axes.labelcolor": INK, "axes.edgecolor": QUIET, "axes.linewidth": 0.8, "axes.spines.top": False,
    "axes.spines.right": False, "xtick.color": QUIET, "ytick.color": QUIET, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5, "ytick.labelsize": 8.5, "axes.grid": True, "grid.color": FAINT, "grid.linewidth": 0.6,
    "axes.axisbelow": True, "text.color": INK, "svg.fonttype": "path", "svg.hashsalt": "cnnspec", "savefig.dpi": 160,
}  # fmt: skip


@contextmanager
def drawn(width: float, height: float) -> Iterator[Any]:
    """A figure of so many inches, drawn in the style of all charts; without pyplot, and so without a window."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(width, height), facecolor="white")
        FigureCanvasAgg(figure)  # it measures texts
        yield figure


def save(figure: Any, path: Path) -> None:
    """Write a figure as its file's ending says; the same figure gives the same file."""
    import matplotlib as mpl

    kind = path.suffix.removeprefix(".").lower()
    with mpl.rc_context(_SETTINGS):
        figure.savefig(path, format=kind, metadata={"Date": None} if kind == "svg" else {"Software": None})


def amount(number: float, _: object = None) -> str:
    """`400M`, `1.5G`: a count as an axis shows it."""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K")):
        if number >= size * 0.9995:
            return f"{number / size:.3g}{unit}"
    return f"{number:.3g}"


def count_axis(axis: Any, low: float, high: float) -> None:
    """A logarithmic axis of counts, with ticks at 1, 2 and 5 where there is room, and at powers of ten where not."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    wide = high / low > 300
    axis.set_major_locator(LogLocator(10, subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(amount))
    axis.set_minor_formatter(NullFormatter())
