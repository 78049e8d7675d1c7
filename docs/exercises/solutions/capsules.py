"""A capsule network and a convolutional one of the same size: trained on upright digits, shown rotated ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from measuring import HERE, options, show, trained
from PIL import Image

from cnnspec.cli.output import Table
from cnnspec.data.config import DatasetConfig
from cnnspec.data.opening import open_split
from cnnspec.training.commands import evaluate
from cnnspec.training.trained import open_trained

NETWORKS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("capsules", "capsules", {"loss": "margin"}),
    ("convolutions", "convolutions", {}),
)
ANGLES = (0, 10, 20, 30, 40, 50, 60)
SIDE = 20
PICTURE = "rotated_digits.png"


def rotated(folder: Path, angle: int) -> Path:
    """A folder of the held-out digits, rotated either way, a folder a class."""
    digits = open_split(DatasetConfig(), "test", (8, 8, 1), 10)
    place = folder / f"rotated_{angle}"
    for index, label in enumerate(digits.labels):
        pixels, _ = digits.read(np.array([index]))
        upright = Image.fromarray(pixels[0, ..., 0]).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        turned = upright.rotate(angle if index % 2 else -angle, Image.Resampling.BILINEAR)
        path = place / "val" / str(label) / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        turned.save(path)
    return place


def main() -> None:
    chosen = options(__doc__)
    seeds, angles = (range(1), ANGLES[:2]) if chosen.quick else (range(3), ANGLES)
    folders = {angle: rotated(chosen.out, angle) for angle in angles}
    means: dict[str, list[float]] = {}
    for name, spec, overrides in NETWORKS:
        recipe = HERE / "capsules.recipe.yaml"
        runs = [trained(f"{spec}-{n}", spec, chosen, {**overrides, "seed": n}, recipe=recipe).folder for n in seeds]
        means[name] = [100 * mean(accuracy(run, folder) for run in runs) for folder in folders.values()]
    table = Table(["degrees", *(f"{name} %" for name in means)], right=range(3))
    for row in zip(angles, *means.values(), strict=True):
        table.add(row[0], *(f"{value:.1f}" for value in row[1:]))
    folder = HERE.parents[1] / "pictures" if chosen.write else chosen.out
    draw(folder / PICTURE, angles, means)
    show(table, "capsules.md", chosen, below=f"\n![accuracy against the angle](../pictures/{PICTURE})\n")


def accuracy(run: Path, folder: Path) -> float:
    """Of one network on one folder of pictures, as `cnnspec eval RUN --data FOLDER` has it."""
    data = {"dataset.name": "folder", "dataset.path": str(folder)}
    return evaluate(open_trained(run, overrides=data)).evaluation.top1


def draw(path: Path, angles: Sequence[int], means: Mapping[str, Sequence[float]]) -> None:
    """Accuracy against the angle."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    for name, values in means.items():
        axes.plot(angles, values, marker="o", label=name)
    axes.set(
        xlabel="degrees", ylabel="accuracy, %", ylim=(0, 101), title="trained on upright digits, shown rotated ones"
    )
    axes.grid(alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
