"""Tables of rows that were measured side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import figures
from benchmarks.engines import engines
from cnnspec.cli.output import Table

Rows = Mapping[str, dict[str, Any]]


def milliseconds(seconds: float) -> str:
    """Three digits that count: `4.52`, `45.2`, `1240`."""
    value = 1e3 * seconds
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def side_by_side(rows: Rows) -> Table:
    """A row a network and batch; of each engine the median and the least milliseconds, and its ratio to cnnspec."""
    names = [name for name in engines() if any(name in row["engines"] for row in rows.values())]
    heads = [engines()[name].LABEL for name in names]
    table = Table(["network", "batch", *heads, "others"], right=range(1, 3 + len(names)))
    for row in rows.values():
        cells = [_cell(row["engines"], name) for name in names]
        others = "" if row["others"] is None else f"{row['others']:.1%}"
        table.add(row["network"], row["batch"], *cells, others)
    return table


def _cell(measured: Mapping[str, Any], name: str) -> str:
    if name not in measured:
        return ""
    engine = measured[name]
    text = f"{milliseconds(engine['median'])} ({milliseconds(engine['minimum'])})"
    if name == "cnnspec" or "cnnspec" not in measured:
        return text
    return f"{text} {figures.ratio(engine, measured['cnnspec']):.2f}×"


def ratios(rows: Rows, engine: str, batch: int | None = None, base: str = "cnnspec") -> dict[str, float]:
    """By key of a row: how many times as long as `base` an engine takes, where both were measured."""
    return {
        key: figures.ratio(row["engines"][engine], row["engines"][base])
        for key, row in rows.items()
        if {engine, base} <= set(row["engines"]) and batch in (None, row["batch"])
    }


def line(row: Mapping[str, Any]) -> str:
    """One row for the terminal."""
    cells = [f"{name} {_cell(row['engines'], name)}" for name in row["engines"]]
    return f"  {row['network']}, batch {row['batch']}: " + " | ".join(cells)


def notes(rows: Rows) -> list[str]:
    """Which engines are absent from which rows and why, and what is suspicious."""
    reasons: dict[str, list[str]] = {}
    for row in rows.values():
        for name, reason in row["absent"].items():
            reasons.setdefault(f"{name}: {reason}", []).append(_name(row))
    found = [f"Left out: {reason}{_of(where, rows)}." for reason, where in reasons.items()]
    found += [f"Doubtful: {_name(row)}: {warning}." for row in rows.values() for warning in row["warnings"]]
    return found


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['network']} (batch {row['batch']})"


def _of(where: Sequence[str], rows: Rows) -> str:
    """Where something is so, unless it is so everywhere."""
    networks = dict.fromkeys(name.partition(" ")[0] for name in where)
    return "" if len(where) == len(rows) else f", in {', '.join(networks)}"
