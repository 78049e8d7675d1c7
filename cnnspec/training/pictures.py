"""Pictures of a training: its curves, its confusions, what it predicts, what capsules reconstruct."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_RIGHT, _WRONG = "#1a7f37", "#cf222e"


def curves(path: Path, events: Sequence[dict[str, Any]]) -> None:
    """Loss and accuracy against the epoch, in training and in evaluation, and the learning rate."""
    figure = _figure(12, 3.6)
    train = [e for e in events if e["kind"] == "train"]
    held = [e for e in events if e["kind"] == "evaluation"]
    for place, (title, ours, theirs) in enumerate((("loss", "loss", "loss"), ("accuracy", "accuracy", "top1"))):
        axes = figure.add_subplot(1, 3, place + 1)
        axes.plot(_column(train, "epoch"), _column(train, ours), label="training", linewidth=1)
        axes.plot(_column(held, "epoch"), _column(held, theirs), label="evaluation", marker=".", linewidth=1)
        axes.set(title=title, xlabel="epoch")
        axes.legend()
        axes.grid(alpha=0.3)
    axes = figure.add_subplot(1, 3, 3)
    axes.plot(_column(train, "epoch"), _column(train, "learning_rate"), linewidth=1)
    axes.set(title="learning rate", xlabel="epoch")
    axes.grid(alpha=0.3)
    _save(figure, path)


def confusion(path: Path, counts: NDArray[np.int64], names: Sequence[str]) -> None:
    """True class down, predicted class across, as shares of the true class."""
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    size = float(np.clip(0.3 * len(names) + 2, 5, 20))
    figure = _figure(size, size)
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set(xlabel="predicted", ylabel="true")
    if len(names) <= 50:
        axes.set_xticks(range(len(names)), names, rotation=90)
        axes.set_yticks(range(len(names)), names)
    if len(names) <= 20:
        for row, column in np.argwhere(counts > 0):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour, fontsize=8)
    _save(figure, path)


def predictions(
    path: Path,
    images: Sequence[NDArray[np.uint8]],
    captions: Sequence[str],
    right: Sequence[bool | None] | None = None,
    columns: int = 8,
) -> None:
    """A contact sheet: each image with its caption, green where right, red where wrong."""
    rows = max(1, -(-len(images) // columns))
    height, width, channels = images[0].shape
    above, beside = max(2, round(0.35 * height)), max(1, round(0.08 * width))
    # One picture for all: an axes for each of many images would take matplotlib seconds.
    sheet = np.full((rows * (height + above), columns * (width + beside), channels), 255, np.uint8)
    figure = _figure(1.5 * columns, 1.5 * rows * (height + above) / (width + beside))
    axes = figure.add_subplot()
    for place, (image, caption) in enumerate(zip(images, captions, strict=True)):
        top, left = (place // columns) * (height + above) + above, (place % columns) * (width + beside)
        sheet[top : top + height, left : left + width] = image
        verdict = right[place] if right is not None else None
        colour = "black" if verdict is None else _RIGHT if verdict else _WRONG
        axes.text(left + width / 2 - 0.5, top - 0.7, caption, ha="center", va="bottom", fontsize=7, color=colour)
    _show(axes, sheet)
    _save(figure, path)


def rows_of_images(path: Path, rows: Sequence[tuple[str, NDArray[np.floating[Any]]]]) -> None:
    """Rows `[n, height, width, channels]` of images from 0 to 1, each with a name to its left."""
    height, width, channels = rows[0][1].shape[1:]
    count = max(len(images) for _, images in rows)
    sheet = np.full((len(rows) * (height + 1), count * (width + 1), channels), 255, np.uint8)
    figure = _figure(0.9 * count + 1, 0.9 * len(rows) + 0.3)
    axes = figure.add_subplot()
    for down, (name, images) in enumerate(rows):
        top = down * (height + 1)
        for across, image in enumerate(np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)):
            sheet[top : top + height, across * (width + 1) : across * (width + 1) + width] = image
        axes.text(-1.5, top + height / 2, name, ha="right", va="center", fontsize=7)
    _show(axes, sheet)
    _save(figure, path)


def _show(axes: Any, sheet: NDArray[np.uint8]) -> None:
    axes.imshow(sheet[..., 0] if sheet.shape[-1] == 1 else sheet, cmap="gray", vmin=0, vmax=255)
    axes.set_axis_off()


def _column(events: Sequence[dict[str, Any]], name: str) -> list[float]:
    return [float(e[name]) for e in events]


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure  # without pyplot: no window system, no global state

    return Figure(figsize=(width, height), layout="tight")


def _save(figure: Any, path: Path) -> None:
    beside = path.with_name(f".{path.name}.part")
    figure.savefig(beside, format="png", dpi=110)
    os.replace(beside, path)
