"""Pictures of a training: its curves, its confusions, how sure it is, what it predicts, what capsules reconstruct."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnspec.files import written_whole

#: What a picture's file may be.
ENDINGS = (".png", ".jpg", ".svg", ".pdf")
_RIGHT, _WRONG, _OURS, _THEIRS = "#1a7f37", "#cf222e", "#0969da", "#bc4c00"
#: A loss whose largest value is this many times its smallest is drawn on a logarithmic axis.
_WIDE = 20
#: Inches that an image of a sheet is wide, and those of a line of its caption.
_CELL, _LINE = 1.5, 0.14


def curves(path: Path, events: Sequence[dict[str, Any]], title: str = "") -> None:
    """Loss and accuracy against the epoch, in training and in evaluation, and the learning rate."""
    figure = _figure(13, 4)
    figure.suptitle(title)
    train = [e for e in events if e["kind"] == "train"]
    held = [e for e in events if e["kind"] == "evaluation"]
    loss, accuracy, rate = figure.subplots(1, 3)
    _two_lines(loss, train, held, "loss", "loss", 1.0)
    _two_lines(accuracy, train, held, "accuracy", "top1", 100.0)
    losses = [v for v in (*_column(train, "loss"), *_column(held, "loss")) if v > 0]
    if losses and max(losses) > _WIDE * min(losses):
        loss.set_yscale("log")
    loss.set(title="loss", xlabel="epoch")
    accuracy.set(title="accuracy, %", xlabel="epoch", ylim=(None, 101))
    rate.plot(_column(train, "epoch"), _column(train, "learning_rate"), color=_OURS, linewidth=1.2)
    rate.set(title="learning rate", xlabel="epoch", ylim=(0, None))
    for axes in (loss, accuracy, rate):
        axes.grid(alpha=0.3)
    _save(figure, path)


def confusion(path: Path, counts: NDArray[np.int64], names: Sequence[str], title: str = "") -> None:
    """True class down, predicted class across, as shares of the true class: blue where right, red where wrong."""
    from matplotlib import colormaps

    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    colours = colormaps["Reds"](0.85 * np.sqrt(shares))  # a root, since single mistakes should be seen
    right = np.eye(len(names), dtype=bool)
    colours[right] = colormaps["Blues"](0.9 * shares[right])
    colours[counts == 0] = 1.0
    size = float(np.clip(0.42 * len(names) + 2, 5, 20 if len(names) <= 50 else 10))
    figure = _figure(size, size)
    axes = figure.add_subplot()
    axes.imshow(colours)
    axes.set(xlabel="predicted", ylabel="true", title=title)
    if len(names) <= 50:
        longest = max(map(len, names))
        axes.set_xticks(range(len(names)), names, rotation=90 if longest > 2 else 0)
        axes.set_yticks(range(len(names)), names)
    if len(names) <= 20:
        for row, column in np.argwhere(counts > 0):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour, fontsize=8)
    _save(figure, path)


def reliability(path: Path, bins: NDArray[np.float64], error: float, title: str = "") -> None:
    """Accuracy against confidence, a bar a bin, and how many images are in each; `bins` as those of an evaluation.

    **Source**: Guo, Pleiss, Sun and Weinberger 2017, figure 1, arXiv:1706.04599.
    """
    images, right, confidence = bins.T
    full = images > 0
    width = 1 / len(bins)
    edges = np.arange(len(bins)) * width
    accuracy, mean = (np.where(full, part / np.maximum(images, 1), 0.0) for part in (right, confidence))
    figure = _figure(5.5, 7)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.bar(edges[full], accuracy[full], width, align="edge", color=_OURS, edgecolor="white", label="accuracy")
    upper.bar(edges[full], (mean - accuracy)[full], width, bottom=accuracy[full], align="edge", color="none",
              edgecolor=_WRONG, hatch="///", label="gap to the mean confidence")  # fmt: skip
    upper.plot([0, 1], [0, 1], color="black", linestyle="--", linewidth=1, label="calibrated")
    upper.set(ylabel="accuracy", xlim=(0, 1), ylim=(0, 1), title=f"{title}\ncalibration error {error:.2%}".strip())
    upper.legend(loc="upper left")
    lower.bar(edges, images / max(images.sum(), 1), width, align="edge", color="#8c959f", edgecolor="white")
    lower.set(xlabel="confidence", ylabel="share of the images")
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
    _save(figure, path)


def predictions(
    path: Path,
    images: Sequence[NDArray[np.uint8]],
    captions: Sequence[str],
    right: Sequence[bool | None] | None = None,
    columns: int = 8,
    title: str = "",
) -> None:
    """A contact sheet: each image with its caption, green where right, red where wrong."""
    rows = max(1, -(-len(images) // columns))
    height, width, channels = images[0].shape
    lines = max(caption.count("\n") + 1 for caption in captions)
    above, beside = max(1, round((_LINE * lines + 0.12) / _CELL * width)), max(1, round(0.08 * width))
    # One picture for all: an axes for each of many images would take matplotlib seconds.
    sheet = np.full((rows * (height + above), columns * (width + beside) - beside, channels), 255, np.uint8)
    figure = _figure(_CELL * columns, _CELL * sheet.shape[0] / (width + beside) + 0.4 * bool(title))
    figure.suptitle(title)
    axes = figure.add_subplot()
    for place, (image, caption) in enumerate(zip(images, captions, strict=True)):
        top, left = (place // columns) * (height + above) + above, (place % columns) * (width + beside)
        sheet[top : top + height, left : left + width] = image
        verdict = right[place] if right is not None else None
        colour = "black" if verdict is None else _RIGHT if verdict else _WRONG
        axes.text(left + width / 2 - 0.5, top - 0.7, caption, ha="center", va="bottom", fontsize=8, color=colour)
    _show(axes, sheet)
    _save(figure, path)


def rows_of_images(
    path: Path, rows: Sequence[tuple[str, NDArray[np.floating[Any]]]], title: str = "", below: str = ""
) -> None:
    """Rows `[n, height, width, channels]` of images from 0 to 1, each with a name to its left."""
    height, width, channels = rows[0][1].shape[1:]
    count = max(len(images) for _, images in rows)
    sheet = np.full((len(rows) * (height + 1), count * (width + 1), channels), 255, np.uint8)
    longest = max(len(name) for name, _ in rows)
    figure = _figure(0.8 * count + 0.08 * longest, 0.8 * len(rows) + 0.4 * bool(title) + 0.3 * bool(below))
    figure.suptitle(title)
    axes = figure.add_subplot()
    for down, (name, images) in enumerate(rows):
        top = down * (height + 1)
        for across, image in enumerate(np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)):
            sheet[top : top + height, across * (width + 1) : across * (width + 1) + width] = image
        axes.text(-0.06 * width, top + height / 2, name, ha="right", va="center", fontsize=9)
    axes.text(sheet.shape[1] / 2, sheet.shape[0] + 0.1 * height, below, ha="center", va="top", fontsize=9)
    _show(axes, sheet)
    _save(figure, path)


def _two_lines(axes: Any, train: Sequence[Any], held: Sequence[Any], ours: str, theirs: str, factor: float) -> None:
    axes.plot(
        _column(train, "epoch"), np.multiply(_column(train, ours), factor), color=_OURS, label="training", linewidth=1.2
    )
    axes.plot(_column(held, "epoch"), np.multiply(_column(held, theirs), factor), color=_THEIRS, label="evaluation",
              marker=".", linewidth=1.2)  # fmt: skip
    axes.legend()


def _show(axes: Any, sheet: NDArray[np.uint8]) -> None:
    axes.imshow(sheet[..., 0] if sheet.shape[-1] == 1 else sheet, cmap="gray", vmin=0, vmax=255)
    axes.set_axis_off()


def _column(events: Sequence[dict[str, Any]], name: str) -> list[float]:
    return [float(e[name]) for e in events]


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure  # without pyplot: no window system, no global state

    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Any, path: Path) -> None:
    with written_whole(path) as beside:
        figure.savefig(beside, format=path.suffix[1:].lower(), dpi=110)
