"""Scaling, budgets and the search for a compound rule, as a user starts them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import machine
from benchmarks.options import Options
from benchmarks.processes import run
from benchmarks.tables import Rows
from cnnspec.cli.output import Table

NAME = "scaling"
TITLE = "Scaling"
METHOD = """Seconds of whole processes: the median of the runs, in brackets the least, and what each should take at most. Budgets are of MACs, parameters or activation memory,
with the choices around the answer; a search looks at all 215 rules of the grid. The networks are small, large and deep ones, and those of the zoo that take longest."""

#: Commands, and the seconds that each should take at most.
COMMANDS = {
    "scale lenet5_modern --width 2": 0.5,
    "scale resnet50 --width 0.5 --resolution 160 --explain": 0.5,
    "scale efficientnet_b0 --variant b7 --output OUT": 0.5,
    "scale inception_resnet_v2 --phi 1": 0.5,
    "scale resnet1202_cifar --width 2": 0.5,
    "check nasnet_a_large --width 0.5": 0.5,
    "scale resnet50 --macs 1G": 3.0,
    "scale efficientnet_b0 --macs 5G": 3.0,
    "scale nasnet_a_large --macs 10G": 3.0,
    "scale resnet1202_cifar --macs 1G": 3.0,
    "scale densenet264 --params 20M": 3.0,
    "scale densenet121 --activation-memory 20MiB": 3.0,
    "scale resnet50 --search --proxy macs": 10.0,
    "scale efficientnet_b0 --search --proxy macs": 10.0,
    "scale nasnet_a_large --search --proxy macs": 10.0,
    "scale resnet1202_cifar --search --proxy macs": 10.0,
    "scale densenet264 --search --proxy macs": 10.0,
    "sizes inception_v3": 3.0,
    "sizes nasnet_a_mobile": 3.0,
}
SHORT = ("scale resnet50 --width 0.5 --resolution 160 --explain", "scale resnet50 --macs 1G",
         "scale resnet50 --search --proxy macs", "sizes inception_v3")  # fmt: skip


def keys(options: Options) -> list[str]:
    chosen = COMMANDS if options.full or options.networks is not None else SHORT
    return [key for key in chosen if options.networks is None or key.split(" ")[1] in options.networks]


def measure(key: str, options: Options) -> dict[str, Any]:
    rounds = options.rounds_of(3, 7)
    load = machine.load()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        words = key.replace("OUT", str(Path(folder) / "scaled.yaml")).split(" ")
        for number in range(rounds):
            options.progress.step(f"{key}: {number + 1} of {rounds}")
            found.append(run(["-m", "cnnspec", *words])[0])
    return {"key": key, "seconds": found, "load_before": load, "load_after": machine.load()}


def line(row: dict[str, Any]) -> str:
    return f"  {row['key']}: {_cell(row['seconds'])} s"


def result_tables(rows: Rows) -> list[tuple[str, Table]]:
    table = Table(["command", "seconds", "at most", "met"], right=(1, 2))
    for row in rows.values():
        most, times = COMMANDS[row["key"]], row["seconds"]
        table.add(f"`cnnspec {row['key']}`", _cell(times), f"{most:g}", "yes" if median(times) <= most else "no")
    return [("", table)]


def notes(rows: Rows) -> list[str]:
    return []


def _cell(times: list[float]) -> str:
    return f"{median(times):.2f} ({min(times):.2f})"
