"""One row: a network at one batch size in every engine, in turns."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import figures, machine
from benchmarks.engines import engines, missing_packages
from benchmarks.job import Job
from benchmarks.networks import find
from benchmarks.options import Options
from benchmarks.turns import Failed, Measured, Worker, build_all, take_turns

#: A turn lasts so long at least, by what is measured, and holds so many calls at least. One who trains takes no breaks:
#: the first steps after one are slow where the system took free memory back meanwhile, and many others should follow.
TURN_SECONDS, TURN_CALLS = {"inference": 0.3, "training": 3.0}, 3
#: Above these a row is suspicious: share of a core that an engine uses in its sleep, share of the machine that others
#: use, share by which its slowest turn was slower than its fastest.
MOST_IDLE, MOST_OTHERS, MOST_SPREAD = 0.02, 0.05, 0.25
#: How far the logits of two engines with the same weights may lie apart, as a share of the largest.
AGREEMENT = 1e-3

Row = dict[str, Any]


def measure(kind: str, spec: str, batch: int, rounds: int, options: Options, pixels: int = 0) -> Row:
    """The row; engines that cannot take part stand in `absent` with the reason, what is suspicious in `warnings`."""
    present, absent = contenders(kind, spec, options)
    row: Row = {"network": spec, "batch": batch, "pixels": pixels or find(spec).pixels, "absent": absent,
                "load_before": machine.load()}  # fmt: skip
    jobs = [Job(kind, name, spec, batch, pixels) for name in present]
    environments = {name: engines()[name].ENVIRONMENT for name in present}
    title = f"{kind} of {spec}, batch {batch}"
    with tempfile.TemporaryDirectory() as folder:
        options.progress.step(f"{title}: building in {len(jobs)} engines")
        alone = [job for job in jobs if getattr(engines()[job.engine], "MEASURES", False)]
        workers = build_all([job for job in jobs if job not in alone], Path(folder), environments)
        try:
            built = _each(workers, Worker.ready, absent)
            for job in alone:
                options.progress.step(f"{title}: measuring and building in {job.engine}")
                workers |= build_all([job], Path(folder), environments)
                built |= _each({job.engine: workers[job.engine]}, Worker.ready, absent)
            workers = {name: worker for name, worker in workers.items() if name in built}
            warmed = _each(workers, lambda worker: worker.warm(TURN_SECONDS[kind]), absent)
            watch = machine.Watch([worker.process.pid for worker in workers.values()])
            measured = take_turns(workers, rounds, TURN_SECONDS[kind], TURN_CALLS, lambda number, name: options.progress.step(
                f"{title}: round {number + 1} of {rounds}, {name}"))  # fmt: skip
            row["others"] = watch.others()
        finally:
            for worker in workers.values():
                worker.close()
    row["load_after"], row["time"] = machine.load(), time.strftime("%Y-%m-%d %H:%M")
    row["engines"] = {}
    for name, found in measured.items():
        if isinstance(found, Failed):
            absent[name] = str(found)
        else:
            row["engines"][name] = _engine(found, built[name], warmed[name], workers[name])
    row["warnings"] = suspicious(row)
    return row


def contenders(kind: str, spec: str, options: Options) -> tuple[list[str], dict[str, str]]:
    """The engines that take part, and why others do not."""
    present, absent = [], {}
    for name, engine in engines().items():
        if not options.wants(name) or kind not in engine.KINDS:
            continue
        packages = missing_packages(engine)
        if packages:
            absent[name] = f"not installed: {', '.join(packages)}"
        elif not engine.has(find(spec)):
            absent[name] = "does not have this network"
        else:
            present.append(name)
    return present, absent


def suspicious(row: Row) -> list[str]:
    """What speaks against a row."""
    found = []
    measured = row["engines"]
    for name, engine in measured.items():
        if not engine["finite"]:
            found.append(f"{name}: its output is not finite")
        if engine["idle_share"] > MOST_IDLE:
            found.append(f"{name}: it used {engine['idle_share']:.0%} of a core while others had their turns")
        if figures.spread(engine) > MOST_SPREAD:
            found.append(f"{name}: its slowest turn took {figures.spread(engine):.0%} longer than its fastest")
    if len({tuple(engine["shape"]) for engine in measured.values()}) > 1:
        found.append("the outputs differ in shape: " + ", ".join(f"{n} {e['shape']}" for n, e in measured.items()))
    if row.get("others") is not None and row["others"] > MOST_OTHERS:
        found.append(f"other processes used {row['others']:.0%} of the machine")
    if {"cnnspec", "onnxruntime"} <= set(measured):  # they have the same weights
        ours, theirs = measured["cnnspec"], measured["onnxruntime"]
        apart = max(abs(a - b) for a, b in zip(ours["first"], theirs["first"], strict=True))
        if not apart <= AGREEMENT * ours["largest"]:
            found.append(f"onnxruntime: its logits are {apart:.1e} away from those of cnnspec")
    return found


def _each(workers: dict[str, Worker], ask: Any, absent: dict[str, str]) -> dict[str, Any]:
    """The answer of every worker; one that fails is left out from here on."""
    found = {}
    for name, worker in list(workers.items()):
        try:
            found[name] = ask(worker)
        except Failed as failed:
            absent[name] = str(failed)
            del workers[name]
    return found


def _engine(measured: Measured, built: dict[str, Any], warmed: dict[str, Any], worker: Worker) -> dict[str, Any]:
    return {**figures.summary(measured.turns), **built, "chosen": warmed["chosen"], "idle_share": measured.idle_share,
            "asleep_after": measured.asleep_after, "peak": worker.peak}  # fmt: skip
