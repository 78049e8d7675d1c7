"""The picture of a profile: where the time goes, and how near every step comes to what the machine can do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cnnspec.files import written_whole
from cnnspec.profiling import Profile, Step

#: Bars that are drawn, and steps whose names stand in the right half.
MOST, NAMED = 24, 5
#: Colours by what a step mostly is; safe for most colour-blind eyes.
COLOURS = {"conv 1x1": "#0072b2", "conv": "#e69f00", "depthwise": "#009e73", "pool": "#cc79a7", "linear": "#56b4e9",
           "other": "#999999"}  # fmt: skip


def kind(step: Step) -> str:
    """What a step mostly is."""
    if step.op == "conv":
        return {"dot": "conv 1x1", "shifted": "depthwise"}.get(step.form, "conv")
    return "pool" if "pool" in step.op else step.op if step.op in COLOURS else "other"


def draw(path: Path, profile: Profile) -> None:
    """Write the picture (PNG)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 7), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.15, 1])
    _bars(left, profile)
    _roofline(right, profile)
    plural = "s" if profile.batch > 1 else ""
    figure.suptitle(f"{profile.name}: {1e3 * profile.network:.1f} ms for {profile.batch} image{plural}, on "
                    f"{profile.machine['processor']}, {profile.machine['cores']} cores, jax {profile.machine['jax']}")  # fmt: skip
    with written_whole(path) as beside:
        figure.savefig(beside, format="png", dpi=120)


def _bars(axes: Any, profile: Profile) -> None:
    """The slowest steps; the dark part of a bar is the bound of the machine."""
    steps = sorted(profile.steps, key=lambda step: -step.seconds)[:MOST][::-1]
    places = range(len(steps))
    axes.barh(places, [1e3 * s.seconds for s in steps], color=[COLOURS[kind(s)] for s in steps], alpha=0.45)
    axes.barh(places, [1e3 * s.least for s in steps], color=[COLOURS[kind(s)] for s in steps])
    axes.set_yticks(places, [step.path for step in steps], fontsize=8)
    rest = len(profile.steps) - len(steps)
    title = f"the {len(steps)} slowest of {len(profile.steps)} steps" if rest else "every step"
    axes.set(title=f"{title}; dark: the bound of the machine", xlabel="ms")
    axes.grid(axis="x", alpha=0.3)
    axes.margins(y=0.01)


def _roofline(axes: Any, profile: Profile) -> None:
    """Rate against arithmetic per byte, under the two bounds; the area of a point is its time."""
    steps = [step for step in profile.steps if step.flops]
    slowest = max((step.seconds for step in steps), default=1.0)
    for name, colour in COLOURS.items():
        chosen = [step for step in steps if kind(step) == name]
        if chosen:
            axes.scatter([s.flops / s.bytes for s in chosen], [s.flops / s.seconds / 1e9 for s in chosen],
                         s=[10 + 300 * s.seconds / slowest for s in chosen], color=colour, alpha=0.6, label=name)  # fmt: skip
    for step in sorted(steps, key=lambda step: -step.seconds)[:NAMED]:
        axes.annotate(step.path, (step.flops / step.bytes, step.flops / step.seconds / 1e9), fontsize=7,
                      xytext=(6, -9), textcoords="offset points")  # fmt: skip
    fast = profile.ceilings
    edges = [
        min((s.flops / s.bytes for s in steps), default=0.1) / 2,
        max((s.flops / s.bytes for s in steps), default=1) * 2,
    ]
    axes.hlines(fast.flops / 1e9, *edges, color="black", linewidth=1.2)
    axes.annotate(f"{fast.flops / 1e9:.0f} GFLOP/s", (edges[1], fast.flops / 1e9), ha="right", va="bottom", fontsize=8)
    for size, style in zip(fast.bandwidth, (":", "-.", "--"), strict=False):
        rate = fast.bandwidth[size]
        end = min(edges[1], fast.flops / rate)
        label = f"{rate / 1e9:.0f} GB/s, about {size / 2**20:g} MiB moved"
        axes.plot(
            [edges[0], end],
            [edges[0] * rate / 1e9, end * rate / 1e9],
            color="black",
            linewidth=0.9,
            linestyle=style,
            label=label,
        )
    axes.set(xscale="log", yscale="log", xlabel="operations a byte that is moved", ylabel="GFLOP/s",
             title="how near the machine's bounds; area: time")  # fmt: skip
    axes.grid(alpha=0.3, which="both")
    legend = axes.legend(fontsize=8, loc="lower right")
    for handle in legend.legend_handles:
        if hasattr(handle, "set_sizes"):
            handle.set_sizes([40])  # not the area of the step that happens to be the first
