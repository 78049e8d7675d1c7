"""The picture of inference: for each network, how many times as long as cnnspec every engine takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import tables
from benchmarks.engines import engines
from cnnspec.files import written_whole

#: Colours of the palette of Okabe and Ito, which most eyes tell apart; shapes and their sizes; and how far above or
#: below its line a mark stands, so that none hides another.
STYLES = {
    "tuned": ("#000000", "*", 8.0, 0.0),
    "nnx": ("#d55e00", "s", 6.0, -0.08), "keras": ("#e69f00", "D", 5.6, 0.08), "torch": ("#56b4e9", "o", 6.5, 0.0),
    "torch.compile": ("#0072b2", "^", 7.2, -0.08), "onnxruntime": ("#009e73", "v", 7.2, 0.08),
}  # fmt: skip
SMALL = {"fontsize": 8, "color": "0.25"}
AXIS = "time as a multiple of that of cnnspec: faster than cnnspec left of 1, slower right of it"
TICKS = (0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50)


def draw(rows: tables.Rows, folder: Path, name: str = "inference") -> list[Path]:
    """Write `NAME.png` and `NAME.svg`: a panel a batch size, a line a network, a logarithmic axis."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    measured = {key: row for key, row in rows.items() if "cnnspec" in row["engines"]}
    batches = sorted({row["batch"] for row in measured.values()})
    networks = list(dict.fromkeys(row["network"] for row in measured.values()))
    ratios = {engine: tables.ratios(measured, engine) for engine in STYLES}
    if not any(ratios.values()):
        return []
    reached = [ratio for found in ratios.values() for ratio in found.values()]
    limits = (min(0.75, *reached) / 1.12, max(1.5, *reached) * 1.12)
    with mpl.rc_context({"font.size": 9, "svg.hashsalt": name, "svg.fonttype": "none"}):
        figure = Figure(figsize=(1.8 + 4.4 * len(batches), 1.5 + 0.36 * len(networks)), layout="constrained")
        panels = figure.subplots(1, len(batches), sharey=True, squeeze=False)[0]
        for axes, batch in zip(panels, batches, strict=True):
            _panel(axes, {row["network"]: row for row in measured.values() if row["batch"] == batch}, networks, limits)
            axes.set_title(f"batch {batch}", loc="left", fontweight="bold", fontsize=10)
        panels[0].set_yticks(range(len(networks)), networks)
        panels[0].invert_yaxis()
        handles, labels = _legend([engine for engine, found in ratios.items() if found])
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
        figure.supxlabel(AXIS, fontsize=9)
        return [_save(figure, folder / f"{name}.{suffix}") for suffix in ("png", "svg")]


def _panel(axes: Any, rows: dict[str, Any], networks: list[str], limits: tuple[float, float]) -> None:
    """The networks of one batch size, with the milliseconds of cnnspec at the right edge."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    axes.set(xscale="log", xlim=limits, ylim=(-0.6, len(networks) - 0.4))
    axes.axvspan(limits[0], 1, color="0.95", zorder=0)
    axes.axvline(1, color="0.2", linewidth=1.2, zorder=1)
    for place, network in enumerate(networks):
        axes.axhline(place, color="0.88", linewidth=0.8, zorder=0.5)
        if network not in rows:
            continue
        row = rows[network]
        for engine, (colour, marker, size, offset) in STYLES.items():
            for ratio in tables.ratios({network: row}, engine).values():
                axes.plot(ratio, place + offset, marker, color=colour, markersize=size, markeredgecolor="white",
                          markeredgewidth=0.6, zorder=3)  # fmt: skip
        own = tables.milliseconds(row["engines"]["cnnspec"]["median"])
        axes.text(1.015, place, f"{own} ms", transform=axes.get_yaxis_transform(), va="center", **SMALL)
    axes.text(1.015, 1.01, "cnnspec", transform=axes.transAxes, va="bottom", **SMALL)
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in TICKS if limits[0] <= tick <= limits[1]]))
    axes.xaxis.set_minor_locator(FixedLocator([]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _legend(names: list[str]) -> tuple[list[Any], list[str]]:
    from matplotlib.lines import Line2D

    handles: list[Any] = [Line2D([], [], color="0.2", linewidth=1.2)]
    for colour, marker, size, _ in (STYLES[name] for name in names):
        handles.append(Line2D([], [], linestyle="", marker=marker, color=colour, markersize=size))
    return handles, ["cnnspec", *(engines()[name].LABEL for name in names)]


def _save(figure: Any, path: Path) -> Path:
    with written_whole(path) as beside:
        metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
        figure.savefig(beside, format=path.suffix[1:], dpi=160, metadata=metadata)
    return path
