"""What the time of inference is made of: every step against the ceiling of the machine."""

from __future__ import annotations

from typing import Any

from benchmarks import machine
from benchmarks.networks import NETWORKS
from benchmarks.options import Options
from benchmarks.processes import NO_CACHE, answer, run
from benchmarks.processes.ceiling import KINDS
from benchmarks.tables import Rows, milliseconds
from cnnspec.cli.output import Table

NAME = "ceiling"
TITLE = "What the time is made of"
METHOD = """Milliseconds, as `cnnspec profile` measures them: every layer by itself in its form, with the activation or sum behind it, and beside it the *bound*, the time
that its arithmetic or its memory traffic takes at the best rate this machine was seen to reach. *images* are computed at a time. *as one* is the whole network as one program; the columns of
kinds say how much over their bounds the convolutions, pools and other layers take, each kind together."""

SHORT = ("resnet50", "mobilenet_v2")


def keys(options: Options) -> list[str]:
    names = options.networks_of(SHORT, list(NETWORKS))
    return [f"{name} {batch}" for batch in options.batches_of((1,), (1, 8)) for name in names]


def measure(key: str, options: Options) -> dict[str, Any]:
    name, batch = key.split()
    options.progress.step(f"{name} at batch {batch}, step by step")
    load = machine.load()
    _, text, _ = run(["-m", "benchmarks.processes.ceiling", name, batch], NO_CACHE)
    return {"network": name, "batch": int(batch), **answer(text), "load_before": load, "load_after": machine.load()}


def line(row: dict[str, Any]) -> str:
    return f"  {row['network']}, {row['images']} images: " + " ".join(_cells(row))


def _cells(row: dict[str, Any]) -> list[str]:
    steps, least = sum(row["steps"].values()), sum(row["least"].values())
    over = [row["steps"][kind] - row["least"][kind] for kind in KINDS]
    return [
        *(milliseconds(seconds) for seconds in (row["whole"], steps, least)), f"{least / steps:.0%}",
        *(milliseconds(seconds) if row["steps"][kind] else "" for kind, seconds in zip(KINDS, over, strict=True)),
    ]  # fmt: skip


def result_tables(rows: Rows) -> list[tuple[str, Table]]:
    heads = ["network", "images", "as one", "sum of layers", "bound", "reached", *(f"over: {kind}" for kind in KINDS)]
    table = Table(heads, right=range(1, len(heads)))
    for row in rows.values():
        table.add(row["network"], row["images"], *_cells(row))
    return [("", table)]


def notes(rows: Rows) -> list[str]:
    return []
