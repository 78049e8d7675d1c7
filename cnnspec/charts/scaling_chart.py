"""MACs and parameters against width, depth, resolution, and the exponent of the compound rule.

In the manner of figure 3 of the EfficientNet paper (arXiv:1905.11946), with counts in the place of accuracy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cnnspec.charts.directions import Step, Way
from cnnspec.charts.labels import Label, name_ends, place
from cnnspec.charts.style import COLOURS, INK, QUIET, amount, count_axis, drawn
from cnnspec.frontend import LoadedSpec

_COUNTS = (("macs", "multiply-accumulates"), ("params", "parameters"))
_TITLES = {"width": "width, factor on channels", "depth": "depth, factor on repeats", "resolution": "resolution, pixels",
           "compound": "compound rule, exponent \N{GREEK SMALL LETTER PHI}"}  # fmt: skip

#: What the counts of a plain stack of convolutions grow with: the power of the factor.
_POWERS = {
    ("macs", "width"): 2,
    ("macs", "depth"): 1,
    ("macs", "resolution"): 2,
    ("params", "width"): 2,
    ("params", "depth"): 1,
}


def scaling_chart(specs: Sequence[tuple[str, LoadedSpec]], followed: Mapping[str, Mapping[str, Way]]) -> Any:
    """The figure: a row for each count, a column for each axis of scaling, a line for each spec.

    `followed` are the ways of each spec by its name, as `ways` gives them.
    """
    axes_names = [axis for axis in _TITLES if any(axis in found for found in followed.values())]
    several = len(specs) > 1
    margin = 0.25 + (0.085 * max(len(name) for name, _ in specs) if several else 0)
    wide = 3.4 * len(axes_names) + 0.7 + margin
    with drawn(wide, 7.6) as figure:
        panels = figure.subplots(len(_COUNTS), len(axes_names), sharex="col", sharey="row", squeeze=False)
        figure.subplots_adjust(
            left=0.8 / wide, right=1 - margin / wide, top=0.885, bottom=0.085, wspace=0.06, hspace=0.10
        )
        for row, (count, title) in zip(panels, _COUNTS, strict=True):
            values = [getattr(s, count) for found in followed.values() for way in found.values() for s in way.steps]
            row[0].set(ylabel=title, yscale="log", ylim=(min(values) / 1.4, max(values) * 1.6))
            count_axis(row[0].yaxis, min(values), max(values))
            for axes, axis in zip(row, axes_names, strict=True):
                _panel(axes, axis, count, followed, specs)
            if several:
                name_ends(row[-1], _ends(axes_names[-1], count, followed))
        for axes, axis in zip(panels[-1], axes_names, strict=True):
            axes.set(xlabel=_TITLES[axis])
        names = ", ".join(name for name, _ in specs)
        figure.text(
            0.058,
            0.945,
            f"How {names} grows" if len(specs) == 1 else f"How {names} grow",
            fontsize=14,
            fontweight="bold",
        )
        figure.text(1 - margin / wide, 0.945, "circle: as written; dotted: in proportion to the factor or its square", fontsize=8.5,
                    color="#555555", ha="right")  # fmt: skip
    return figure


def _panel(
    axes: Any, axis: str, count: str, followed: Mapping[str, Mapping[str, Way]], specs: Sequence[tuple[str, LoadedSpec]]
) -> None:
    labels: list[Label] = []
    points: list[tuple[float, float]] = []
    lines: list[list[tuple[float, float]]] = []
    _horizontal(
        axes, axis, [s.at for found in followed.values() if axis in found for s in found[axis].steps], specs[0][1]
    )
    for number, (name, loaded) in enumerate(specs):
        way, colour = followed[name].get(axis), COLOURS[number % len(COLOURS)]
        if way is None or not way.steps:
            continue
        line = [(s.at, float(getattr(s, count))) for s in way.steps]
        axes.plot(*zip(*line, strict=True), color=colour, linewidth=1.8, solid_capstyle="round")
        lines.append(line)
        start = _start(axis, loaded), float(getattr(loaded.totals, count))
        axes.plot(
            *start,
            marker="o",
            markersize=6.5,
            markerfacecolor="white",
            markeredgecolor=colour,
            markeredgewidth=1.6,
            zorder=4,
        )
        points.append(start)
        _guide(axes, axis, count, start, way.steps)
        if len(specs) == 1:
            labels.append(Label(*start, amount(start[1]), {"color": INK, "fontsize": 8}, 3))
        for word, step in way.named:
            spot = step.at, float(getattr(step, count))
            axes.plot(*spot, marker=".", markersize=7, color=colour, zorder=5)
            labels.append(Label(*spot, word, {"color": colour, "fontsize": 7.5}, 2))
            points.append(spot)
    place(axes, labels, points, lines)


def _ends(axis: str, count: str, followed: Mapping[str, Mapping[str, Way]]) -> list[tuple[float, float, str, str]]:
    """Where the lines of an axis end, with the names and colours of the specs."""
    found = []
    for number, (name, ways_) in enumerate(followed.items()):
        if axis in ways_ and ways_[axis].steps:
            last = ways_[axis].steps[-1]
            found.append((last.at, float(getattr(last, count)), name, COLOURS[number % len(COLOURS)]))
    return found


def _start(axis: str, loaded: LoadedSpec) -> float:
    """Where the network as written stands on an axis."""
    if axis == "resolution":
        return float(next(i.type.height for i in loaded.graph.inputs if i.type.rank == 3))
    return 0.0 if axis == "compound" else 1.0


def _horizontal(axes: Any, axis: str, places: list[float], first: LoadedSpec) -> None:
    """The ticks of an axis of scaling: by factors of two from the first network, but for the exponent."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    if axis == "compound":
        axes.set_xlim(min(places) - 0.6, max(places) + 0.6)
        return
    low, high = min(places), max(places)
    axes.set_xscale("log", base=2)
    axes.set_xlim(low / 1.2, high * 1.2)
    begin = _start(axis, first)
    ticks = [round(tick, 2) for power in range(-12, 13) if low / 1.1 <= (tick := begin * 2.0**power) <= high * 1.1]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    suffix = "" if axis == "resolution" else "\N{MULTIPLICATION SIGN}"
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}{suffix}"))


def _guide(axes: Any, axis: str, count: str, start: tuple[float, float], steps: Sequence[Step]) -> None:
    """Proportion to the factor, or to its square: what a plain stack of convolutions keeps to."""
    power = _POWERS.get((count, axis))
    flat = getattr(steps[0], count) == getattr(steps[-1], count)
    if power is not None and not flat:
        ends = steps[0].at, steps[-1].at
        axes.plot(
            ends,
            [start[1] * (end / start[0]) ** power for end in ends],
            color=QUIET,
            linewidth=0.9,
            linestyle=(0, (1, 2.2)),
            zorder=1,
        )
