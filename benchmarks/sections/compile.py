"""What compiling takes: beside hand-written NNX, and how it grows with depth."""

from __future__ import annotations

from typing import Any

from benchmarks import machine, targets
from benchmarks.engines import engines, missing_packages
from benchmarks.networks import DEPTHS, NETWORKS, find
from benchmarks.options import Options
from benchmarks.processes import NO_CACHE, answer, run
from benchmarks.tables import Rows, milliseconds
from benchmarks.turns import Failed
from cnnspec.cli.output import Table

NAME = "compile"
TITLE = "Compiling"
METHOD = """Seconds to trace, lower and compile, without any cache and with the weights there already; every figure is the least of several processes that compile once, cnnspec and
NNX in turns. The depths are the ResNets for CIFAR at batch 8; *a layer* is a step divided by the layers, in microseconds. cnnspec compiles deep networks as a
loop over stacked parameters."""

SHORT, FULL = ("resnet50", "resnet20_cifar", "resnet110_cifar"), ("vgg16", "resnet50")
BATCH_OF_DEPTHS = 8
STAGES = ("trace", "lower", "compile")
#: A network by hand that takes longer to compile is given up.
LIMIT = 420.0


def keys(options: Options) -> list[str]:
    full = [*(NETWORKS if options.networks else FULL), *DEPTHS]
    names = options.networks_of(SHORT, full)
    deep = [name for name in names if name in DEPTHS]
    return [*(f"inference {name}" for name in names), *(f"training {name}" for name in deep)]


def measure(key: str, options: Options) -> dict[str, Any]:
    kind, spec = key.split()
    network = find(spec)
    batch = BATCH_OF_DEPTHS if network.layers else 1
    rounds = 1 if network.layers > 1000 else options.rounds_of(1, 3)
    found: dict[str, list[dict[str, Any]]] = {}
    absent: dict[str, str] = {}
    load = machine.load()
    for number in range(rounds):
        for engine in ("cnnspec", "nnx"):
            if not options.wants(engine) or engine in absent:
                continue
            lacking = missing_packages(engines()[engine])
            if lacking:
                absent[engine] = f"not installed: {', '.join(lacking)}"
                continue
            options.progress.step(f"{kind} of {spec}: {engine}, {number + 1} of {rounds}")
            arguments = f"-m benchmarks.processes.stages {engine} {kind} {spec} {batch} {network.pixels} {3 if network.layers else 0}"
            try:
                _, text, peak = run(arguments.split(), NO_CACHE, limit=LIMIT)
            except Failed as failed:
                absent[engine] = str(failed)
                continue
            found.setdefault(engine, []).append({**answer(text), "peak": peak})
    return {"network": spec, "kind": kind, "layers": network.layers, "batch": batch, "engines": found, "absent": absent,
            "load_before": load, "load_after": machine.load()}  # fmt: skip


def seconds(runs: list[dict[str, Any]]) -> float:
    """The least seconds of all stages together."""
    return float(min(sum(run[stage] for stage in STAGES) for run in runs))


def line(row: dict[str, Any]) -> str:
    cells = [f"{name} {seconds(runs):.2f} s" for name, runs in row["engines"].items()]
    return f"  {row['kind']} of {row['network']}: {', '.join(cells)}"


def result_tables(rows: Rows) -> list[tuple[str, Table]]:
    plain = {key: row for key, row in rows.items() if not row["layers"]}
    deep = {key: row for key, row in rows.items() if row["layers"]}
    found = [("", _stages(plain))] if plain else []
    found += [("Growth with depth", _depths(deep))] if deep else []
    reached = targets.table(targets.depth(figures(deep)))
    return [*found, ("To reach", reached)] if reached.rows else found


def notes(rows: Rows) -> list[str]:
    return [f"Left out: {row['kind']} of {row['network']} in {name}: {reason}." for row in rows.values()
            for name, reason in row["absent"].items()]  # fmt: skip


def figures(deep: Rows) -> dict[str, float]:
    """What the targets of depth are about, of those that were measured."""
    ours = {key: row["engines"]["cnnspec"] for key, row in deep.items() if "cnnspec" in row["engines"]}
    found = {}
    for kind in ("inference", "training"):
        runs = ours.get(f"{kind} resnet1202_cifar")
        if runs:
            found["forward" if kind == "inference" else kind] = seconds(runs)
    rolled, unrolled = (ours.get(f"training resnet{layers}_cifar") for layers in (1202, 110))
    if rolled and unrolled:
        found["layer"] = (_step(rolled) / 1202) / (_step(unrolled) / 110)
    return found


def _step(runs: list[dict[str, Any]]) -> float:
    return float(min(run["step"] for run in runs))


def _stages(rows: Rows) -> Table:
    heads = ("build s", *(f"{stage} s" for stage in STAGES), "together s", "× cnnspec")
    table = Table(["network", "engine", *heads], right=range(2, 8))
    for row in rows.values():
        for name, runs in row["engines"].items():
            best = min(runs, key=lambda run: sum(run[stage] for stage in STAGES))
            base = row["engines"].get("cnnspec")
            table.add(row["network"], engines()[name].LABEL, f"{min(run['build'] for run in runs):.2f}",
                      *(f"{best[stage]:.2f}" for stage in STAGES), f"{seconds(runs):.2f}",
                      f"{seconds(runs) / seconds(base):.2f}" if base else "")  # fmt: skip
    return table


def _depths(rows: Rows) -> Table:
    what = ("compile s", "step ms", "a layer µs")
    heads = [f"{engines()[name].LABEL}: {figure}" for name in ("cnnspec", "nnx") for figure in what]
    table = Table(["layers", "what", *heads], right=[0, *range(2, 8)])
    for row in rows.values():
        cells: list[str] = []
        for name in ("cnnspec", "nnx"):
            runs = row["engines"].get(name)
            if runs:
                cells += [f"{seconds(runs):.2f}", milliseconds(_step(runs)), f"{1e6 * _step(runs) / row['layers']:.0f}"]
            else:
                cells += [row["absent"].get(name, ""), "", ""]
        table.add(row["layers"], "forward" if row["kind"] == "inference" else "training step", *cells)
    return table
