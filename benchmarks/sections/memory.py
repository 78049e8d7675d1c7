"""The largest resident memory of whole processes."""

from __future__ import annotations

import resource
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.engines import engines
from benchmarks.job import Job
from benchmarks.networks import NETWORKS
from benchmarks.options import Options
from benchmarks.processes import NO_CACHE, run
from benchmarks.sections.training import PIXELS
from benchmarks.side_by_side import contenders
from benchmarks.tables import Rows
from benchmarks.turns import Failed, Worker
from cnnspec.cli.output import Table

NAME = "memory"
TITLE = "Memory"
METHOD = """MiB that a process was resident in at most, libraries, weights and compiling included. *Compile* is `cnnspec compile`, and the same by hand: a portable program for
cpu, cuda and tpu and the weights written, and compiled for this machine. *Inference* and *training step* (128 pixels) build a network and run it some times at batch 8."""

BATCH = 8


def keys(options: Options) -> list[str]:
    trained = ("resnet50", "mobilenet_v2")
    compiled = options.networks_of(("resnet50",), list(NETWORKS) if options.networks else ("vgg16", *trained))
    return [f"{what} {name}" for what in ("compile", "inference", "training") for name in compiled
            if what != "training" or name in trained]  # fmt: skip


def measure(key: str, options: Options) -> dict[str, Any]:
    what, spec = key.split()
    absent: dict[str, str] = {}
    peaks: dict[str, int] = {}
    names = [name for name in ("cnnspec", "nnx") if options.wants(name)]
    if what != "compile":
        names, absent = contenders(what, spec, options)
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            options.progress.step(f"memory of {what}, {spec}: {name}")
            try:
                peaks[name] = _peak(what, name, spec, Path(folder))
            except Failed as failed:
                absent[name] = str(failed)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"what": what, "network": spec, "peaks": peaks, "absent": absent, "own": own, "load_before": machine.load()}


def _peak(what: str, engine: str, spec: str, folder: Path) -> int:
    """The largest memory of a process that compiles, or builds and runs some times; in bytes."""
    if what == "compile":
        by_hand = ["-m", "benchmarks.processes.save_nnx", spec, str(folder / engine)]
        ours = ["-m", "cnnspec", "compile", spec, "--output", str(folder / engine)]
        return run(ours if engine == "cnnspec" else by_hand, NO_CACHE)[2]
    job = Job(what, engine, spec, BATCH, PIXELS if what == "training" else 0)
    worker = Worker(job, folder / f"{engine}.log", engines()[engine].ENVIRONMENT)
    try:
        worker.ready()
        worker.turn(0.0, 3)
    finally:
        worker.close()
    return worker.peak


def line(row: dict[str, Any]) -> str:
    cells = [f"{name} {_mib(peak)} MiB" for name, peak in row["peaks"].items()]
    return f"  {row['what']} {row['network']}: {', '.join(cells)}"


def result_tables(rows: Rows) -> list[tuple[str, Table]]:
    names = [name for name in engines() if any(name in row["peaks"] for row in rows.values())]
    heads = [f"{engines()[name].LABEL} MiB" for name in names]
    table = Table(["what", "network", *heads], right=range(2, 2 + len(heads)))
    for row in rows.values():
        what = "training step" if row["what"] == "training" else row["what"]
        table.add(what, row["network"], *(_mib(row["peaks"][name]) if name in row["peaks"] else "" for name in names))
    return [("", table)]


def notes(rows: Rows) -> list[str]:
    found: dict[str, None] = {}
    for row in rows.values():
        found |= dict.fromkeys(f"Left out: {name}: {reason}." for name, reason in row["absent"].items())
        if any(peak <= row["own"] for peak in row["peaks"].values()):
            found[f"Doubtful: {row['what']} of {row['network']}: no larger than the process that measures."] = None
    return list(found)


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f}"
