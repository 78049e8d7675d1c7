"""Labels beside their points, placed so that they cover neither each other, nor points, nor lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import cos, hypot, radians, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Box = tuple[float, float, float, float]
Points = NDArray[np.float64]

#: Directions around a point in degrees, the better ones first, and distances in points of 1/72 inch.
_ANGLES = (0, 45, -45, 90, -90, 135, -135, 180, 20, -20, 70, -70, 110, -110, 160, -160)
_DISTANCES = (5.0, 8.0, 12.0, 17.0, 23.0, 30.0, 38.0, 48.0, 60.0, 75.0)

#: From this distance on a thin line leads from a label to its point.
_LED = 12.0

#: What it costs to cover a label, a point, or a step of a line; to be a point farther away; and to leave the figure.
_LABEL, _POINT, _STEP, _FAR, _OUTSIDE = 1000.0, 60.0, 6.0, 0.6, 4000.0

#: Pixels between the steps of a line, and those kept free around labels.
_PACE, _MARGIN = 6, 3


@dataclass
class Label:
    """A text for a point in data coordinates."""

    x: float
    y: float
    text: str
    style: dict[str, Any] = field(default_factory=dict)
    #: Labels of greater weight are placed first.
    weight: int = 0


def place(axes: Any, labels: Sequence[Label], points: Sequence[Point], lines: Sequence[Sequence[Point]]) -> None:
    """Draw labels in `axes`, each at the place around its point where it covers least.

    `points` and `lines` are what there is to cover, in data coordinates.
    """
    figure = axes.figure
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    pixels = figure.dpi / 72
    screen = axes.transData.transform
    inside = tuple(axes.get_window_extent(renderer).extents)
    dots = np.array([screen(point) for point in points]).reshape(-1, 2)
    steps = _steps([[tuple(screen(point)) for point in line] for line in lines])
    taken: list[Box] = []
    for label in sorted(labels, key=lambda each: -each.weight):
        drawn = axes.annotate(label.text, (label.x, label.y), xytext=(0, 0), textcoords="offset points", **label.style)
        extent = drawn.get_window_extent(renderer)
        anchor = screen((label.x, label.y))
        others = dots[np.abs(dots - anchor).max(1) > 1]
        found: list[tuple[float, float, Box]] = []
        for distance in _DISTANCES:
            for preference, angle in enumerate(_ANGLES):
                box = _beside(anchor, extent.width, extent.height, angle, distance * pixels)
                cost = _FAR * distance + 0.25 * preference + _cost(box, inside, taken, others, steps)
                found.append((cost, distance, box))
        _, distance, box = min(found)
        drawn.set(position=((box[0] - anchor[0]) / pixels, (box[1] - anchor[1]) / pixels), ha="left", va="bottom")
        taken.append(box)
        if distance > _LED:
            _lead(axes, label, anchor, box, pixels)


def name_ends(axes: Any, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Names of lines behind their right ends, in the margin, moved apart where they would cover each other.

    `ends` are x, y, name and colour.
    """
    figure = axes.figure
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    pixels, right = figure.dpi / 72, axes.get_window_extent(renderer).x1
    height = 0.0
    for x, y, name, colour in sorted(ends, key=lambda end: end[1]):
        sx, sy = axes.transData.transform((x, y))
        at = max(sy, height)
        offset = (right - sx) / pixels + 4, (at - sy) / pixels
        axes.annotate(name, (x, y), xytext=offset, textcoords="offset points", va="center", color=colour, fontsize=9,
                      fontweight="bold", annotation_clip=False)  # fmt: skip
        height = at + 13 * pixels


def _steps(lines: list[list[Point]]) -> Points:
    """Lines as points that stand close together."""
    found: list[Point] = []
    for line in lines:
        for (ax, ay), (bx, by) in pairwise(line):
            count = max(2, int(hypot(bx - ax, by - ay) / _PACE))
            found += [(ax + (bx - ax) * n / count, ay + (by - ay) * n / count) for n in range(count + 1)]
    return np.array(found).reshape(-1, 2)


def _beside(anchor: Any, width: float, height: float, angle: float, distance: float) -> Box:
    """The box of a text in one direction from a point, so far from it."""
    across, up = cos(radians(angle)), sin(radians(angle))
    x, y = anchor[0] + across * (distance + width / 2), anchor[1] + up * (distance + height / 2)
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _cost(box: Box, inside: Box, taken: list[Box], dots: Points, steps: Points) -> float:
    cost = sum(_LABEL for other in taken if _overlap(box, other))
    cost += _POINT * _within(dots, box, _MARGIN) + _STEP * _within(steps, box, 0)
    if box[0] < inside[0] or box[1] < inside[1] or box[2] > inside[2] or box[3] > inside[3]:
        cost += _OUTSIDE
    return cost


def _overlap(one: Box, other: Box) -> bool:
    return (
        one[0] < other[2] + _MARGIN and other[0] < one[2] + _MARGIN
        and one[1] < other[3] + _MARGIN and other[1] < one[3] + _MARGIN
    )  # fmt: skip


def _within(points: Points, box: Box, margin: float) -> int:
    x, y = points[:, 0], points[:, 1]
    across = (x > box[0] - margin) & (x < box[2] + margin)
    return int((across & (y > box[1] - margin) & (y < box[3] + margin)).sum())


def _lead(axes: Any, label: Label, anchor: Any, box: Box, pixels: float) -> None:
    """A thin line from a point to its label."""
    near = (min(max(anchor[0], box[0]), box[2]), min(max(anchor[1], box[1]), box[3]))
    offset = (near[0] - anchor[0]) / pixels, (near[1] - anchor[1]) / pixels
    style = {
        "arrowstyle": "-",
        "color": label.style.get("color", "#8a8a8a"),
        "linewidth": 0.5,
        "shrinkA": 0,
        "shrinkB": 3,
    }
    axes.annotate("", (label.x, label.y), xytext=offset, textcoords="offset points", arrowprops=style)
