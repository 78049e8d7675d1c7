"""Published accuracy against MACs and against parameters, family by family.

In the manner of figure 1 of the EfficientNet paper (arXiv:1905.11946) and figure 3 of the DenseNet paper
(arXiv:1608.06993).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnnspec.charts.labels import Label, place
from cnnspec.charts.published import Published, Trained, of_families, published
from cnnspec.charts.style import COLOURS, INK, QUIET, count_axis, drawn
from cnnspec.frontend import LoadedSpec
from cnnspec.zoo import find_spec, zoo_folder

#: Families in colour where none is asked for.
USUAL = ("EfficientNet", "ResNet", "DenseNet", "MobileNet v1", "MobileNet v2", "VGG")

#: Families whose networks form no single sequence: points without a line.
_SCATTERED = ("MobileNet v1", "Inception", "AlexNet", "SqueezeNet", "SENet", "ResNeXt", "Wide ResNet", "VGG", "NASNet")

_TICKS = (10, 20, 30, 40, 50, 60, 65, 70, 75, 80, 85, 90, 95)

_MARKERS: dict[Trained, dict[str, Any]] = {
    "authors": {"marker": "o", "filled": True}, "library": {"marker": "o", "filled": False},
    "newer recipe": {"marker": "D", "filled": False},
}  # fmt: skip

CAPTION = (
    "Top-1 accuracy on the ImageNet validation set, of one network from one crop, against counts at the size of that crop. The scale "
    "spaces accuracies as their errors.\nRecipes of training differ between years and between those who trained: a point speaks of a "
    "network with its training. Grey are other families, each named at its best.\nWho says so stands in docs/zoo.md; nothing of it was "
    "trained here."
)


def accuracy_chart(specs: Sequence[tuple[str, LoadedSpec]] = ()) -> Any:
    """The figure; the families of `specs` are in colour, and one that nobody published stands as a line at its counts."""
    known = {point.name for point in published()}
    own = [(name, loaded) for name, loaded in specs if _zoo_name(name) not in known]
    chosen = of_families(_zoo_name(name) for name, _ in specs if _zoo_name(name) in known)
    families = [f for f in (USUAL if not specs else sorted(chosen)) if any(p.family == f for p in published())]
    colours = {family: COLOURS[i % len(COLOURS)] for i, family in enumerate(families)}
    with drawn(14, 8.8) as figure:
        panels = figure.subplots(1, 2, sharey=True)
        figure.subplots_adjust(left=0.05, right=0.985, top=0.90, bottom=0.135, wspace=0.04)
        for axes, count, title in zip(panels, ("macs", "params"), ("multiply-accumulates", "parameters"), strict=True):
            _panel(axes, count, colours, own)
            axes.set(xlabel=title)
        panels[0].set(ylabel="ImageNet top-1 accuracy, %")
        figure.text(0.05, 0.955, "What accuracy costs", fontsize=14, fontweight="bold")
        figure.text(0.05, 0.012, CAPTION, fontsize=8, color="#555555", linespacing=1.5)
        _legend(figure)
    return figure


def _from_error(accuracy: Any) -> Any:
    return -np.log(np.maximum(100 - np.asarray(accuracy, float), 1e-3))


def _to_accuracy(place_: Any) -> Any:
    return 100 - np.exp(-np.asarray(place_, float))


def _zoo_name(name: str) -> str:
    """The name in the zoo of what is called so, or the name itself."""
    path = find_spec(name)
    return path.stem if path is not None and path.parent == zoo_folder() else name


def _panel(axes: Any, count: str, colours: dict[str, str], own: Sequence[tuple[str, LoadedSpec]]) -> None:
    points = sorted(published(), key=lambda p: getattr(p, count))
    counts = [getattr(p, count) for p in points] + [getattr(loaded.totals, count) for _, loaded in own]
    axes.set_xscale("log")
    axes.set_xlim(min(counts) / 1.35, max(counts) * 3.4)
    # Distances as between errors: from 80 to 84 per cent is as far as from 60 to 68, a fifth fewer errors.
    axes.set_yscale("function", functions=(_from_error, _to_accuracy))
    axes.set_ylim(min(p.accuracy for p in points) - 3, max(p.accuracy for p in points) + 1.6)
    axes.set_yticks([tick for tick in _TICKS if axes.get_ylim()[0] <= tick <= axes.get_ylim()[1]])
    count_axis(axes.xaxis, min(counts), max(counts))
    labels: list[Label] = []
    lines: list[list[tuple[float, float]]] = []
    # Grey below colour; within both a fixed order, so that every run draws the same picture.
    families = sorted(dict.fromkeys(p.family for p in points), key=lambda family: (family in colours, family))
    for order, family in enumerate(families):
        members = [p for p in points if p.family == family]
        at = [(getattr(p, count), p.accuracy) for p in members]
        colour = colours.get(family, QUIET)
        lined = len(members) > 1 and not family.startswith(_SCATTERED)
        if lined:
            axes.plot(
                *zip(*at, strict=True),
                color=colour,
                linewidth=1.6 if family in colours else 0.8,
                zorder=2 + order / 100,
            )
            lines.append(at)
        for point, (x, y) in zip(members, at, strict=True):
            _mark(axes, x, y, point.trained, colour, family in colours)
        labels += _family_labels(family, members, at, colour, family in colours)
    for name, loaded in own:
        x = getattr(loaded.totals, count)
        axes.axvline(x, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        top = axes.get_ylim()[1]
        labels.append(Label(x, top - 1.2, f"{name}: no accuracy published", {"color": INK, "fontsize": 8.5}, 9))
    place(axes, labels, [(getattr(p, count), p.accuracy) for p in points], lines)


def _mark(axes: Any, x: float, y: float, trained: Trained, colour: str, coloured: bool) -> None:
    style = _MARKERS[trained]
    axes.plot([x], [y], marker=style["marker"], markersize=6 if coloured else 4, linestyle="none", markeredgecolor=colour,
              markerfacecolor=colour if style["filled"] else "white", markeredgewidth=1.3 if coloured else 0.9, zorder=4)  # fmt: skip


def _family_labels(
    family: str, members: list[Published], at: list[tuple[float, float]], colour: str, coloured: bool
) -> list[Label]:
    """The family's name at its best network, and in colour what tells the others from each other."""
    best = max(range(len(members)), key=lambda i: members[i].accuracy)
    ink = colour if coloured else "#707070"
    style = {"color": ink, "fontsize": 10 if coloured else 7.5, "fontweight": "bold" if coloured else "normal"}
    if not coloured:
        return [Label(*at[best], family if len(members) > 1 else _alone(members[0]), style, 1)]
    found = [Label(*at[best], f"{family} {members[best].label}".replace(f"{family} {family}", family), style, 5)]
    small = {"color": ink, "fontsize": 7.5}
    crowd = len(members) > 10
    for i, member in enumerate(members):
        if i != best and (not crowd or " " not in member.label):
            found.append(Label(*at[i], member.label, small, 3))
    return found


def _alone(member: Published) -> str:
    return member.family if member.label.lower() in ("", "torchvision", "keras") else f"{member.family} {member.label}".replace(
        f"{member.family} {member.family}", member.family
    )  # fmt: skip


def _legend(figure: Any) -> None:
    from matplotlib.lines import Line2D

    words = {"authors": "as the authors published it", "library": "trained by a library, by the recipe of then",
             "newer recipe": "trained by a library, by a recipe of today"}  # fmt: skip
    handles = [
        Line2D([], [], linestyle="none", marker=style["marker"], markersize=6, markeredgecolor=INK,
               markerfacecolor=INK if style["filled"] else "white", label=words[trained])
        for trained, style in _MARKERS.items()
    ]  # fmt: skip
    figure.legend(handles=handles, loc="upper right", bbox_to_anchor=(0.985, 0.985), ncols=3, frameon=False, fontsize=8.5,
                  handletextpad=0.3, columnspacing=1.6)  # fmt: skip
