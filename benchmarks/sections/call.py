"""What a call costs over the network itself."""

from __future__ import annotations

from statistics import median
from typing import Any

from benchmarks import machine
from benchmarks.options import Options
from benchmarks.processes import NO_CACHE, answer, run
from benchmarks.tables import Rows
from cnnspec.cli.output import Table

NAME = "call"
TITLE = "Call"
METHOD = """Microseconds a call with the weights of ResNet-50, of which a single number each is read: the network is out of the way, and what is left is passing the arrays.
`jax.jit` gets the same function and the same mapping. Medians of bursts in turns."""


def keys(options: Options) -> list[str]:
    return ["resnet50"]


def measure(key: str, options: Options) -> dict[str, Any]:
    options.progress.step("call overhead")
    load = machine.load()
    _, text, _ = run(["-m", "benchmarks.processes.overhead", key, str(options.rounds_of(7, 21))], NO_CACHE)
    return {"key": key, **answer(text), "load_before": load, "load_after": machine.load()}


def line(row: dict[str, Any]) -> str:
    return f"  {row['key']}: " + ", ".join(f"{name} {1e6 * median(row[name]):.0f} µs" for name in ("infer", "jit"))


def result_tables(rows: Rows) -> list[tuple[str, Table]]:
    table = Table(["a call", "µs", "least µs", "ratio"], right=(1, 2, 3))
    for row in rows.values():
        ratio = median(ours / theirs for ours, theirs in zip(row["infer"], row["jit"], strict=True))
        for name, text in (("infer", "`Compiled.infer`"), ("jit", "`jax.jit` on the mapping")):
            last = f"{ratio:.2f}" if name == "infer" else ""
            table.add(text, f"{1e6 * median(row[name]):.0f}", f"{1e6 * min(row[name]):.0f}", last)
    return [("", table)]


def notes(rows: Rows) -> list[str]:
    return []
