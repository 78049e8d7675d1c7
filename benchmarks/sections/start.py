"""From the start of a process to what a user waits for."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import machine
from benchmarks.engines import engines
from benchmarks.options import Options
from benchmarks.processes import CACHE_BY_HAND, NO_CACHE, answer, run
from benchmarks.tables import Rows
from cnnspec.cli.output import Table
from cnnspec.zoo import zoo_specs

NAME = "start"
TITLE = "Start"
METHOD = """Seconds of whole processes from their start: the median of several, in brackets the least. The first result is that of one image from saved weights, cnnspec by
loading its artefact, NNX by making the module without values and reading them from a file of the same format; *cold* is with an empty compilation cache, *warm* with
what the cold one left there. Files that are read lie in the memory of the system. Shapes and initial values are measured inside a process, without its imports."""

CHECKS = ("check one spec", "check every spec", "shapes resnet1202_cifar", "values vgg16", "values resnet152")
FIRST = ("resnet50", "mobilenet_v2")


def keys(options: Options) -> list[str]:
    first = options.networks_of(FIRST[:1], FIRST)
    return [*CHECKS, *(f"first {name}" for name in first)]


def measure(key: str, options: Options) -> dict[str, Any]:
    rounds = options.rounds_of(3, 7)
    load = machine.load()
    what, _, spec = key.partition(" ")
    if what == "first":
        found = _first_results(spec, rounds, options)
    else:
        found = {"cnnspec": [_seconds(key, options, number, rounds) for number in range(rounds)]}
    return {"key": key, "seconds": found, "load_before": load, "load_after": machine.load()}


def _seconds(key: str, options: Options, number: int, rounds: int) -> float:
    options.progress.step(f"{key}: {number + 1} of {rounds}")
    what, _, spec = key.partition(" ")
    if what == "check":
        files = ["resnet50"] if spec == "one spec" else [str(path) for path in zoo_specs()]
        return run(["-m", "cnnspec", "check", "--quiet", *files])[0]
    _, text, _ = run(["-m", "benchmarks.processes.in_process", what, spec], NO_CACHE)
    return float(answer(text)["seconds"])


def _first_results(spec: str, rounds: int, options: Options) -> dict[str, list[float]]:
    """Seconds to the first result by engine and state of the cache, in turns."""
    found: dict[str, list[float]] = {}
    wanted = [name for name in ("cnnspec", "nnx") if options.wants(name)]
    with tempfile.TemporaryDirectory() as folder:
        options.progress.step(f"first result of {spec}: saving")
        saved = {name: Path(folder) / name for name in wanted}
        if "cnnspec" in saved:
            run(["-m", "cnnspec", "compile", spec, "--output", str(saved["cnnspec"])], NO_CACHE)
        if "nnx" in saved:
            run(["-m", "benchmarks.processes.save_nnx", spec, str(saved["nnx"])])
        for number in range(rounds):
            for name in wanted:
                cache = Path(folder) / f"cache_{name}_{number}"
                by_hand = {"JAX_COMPILATION_CACHE_DIR": str(cache), **CACHE_BY_HAND}
                environment = {"CNNSPEC_CACHE": str(cache)} if name == "cnnspec" else by_hand
                for state in ("cold", "warm"):
                    options.progress.step(f"first result of {spec}: {name}, {state}, {number + 1} of {rounds}")
                    arguments = ["-m", "benchmarks.processes.first_result", name, spec, str(saved[name]), "1"]
                    seconds, _, _ = run(arguments, environment, until_line=True)
                    found.setdefault(f"{name} {state}", []).append(seconds)
    return found


def line(row: dict[str, Any]) -> str:
    return f"  {row['key']}: " + ", ".join(f"{name} {_cell(times)} s" for name, times in row["seconds"].items())


def result_tables(rows: Rows) -> list[tuple[str, Table]]:
    checks = Table(["what", "seconds"], right=(1,))
    heads = [f"{engines()[name].LABEL} s" for name in ("cnnspec", "nnx")]
    first = Table(["first result of", "cache", *heads, "ratio"], right=(2, 3, 4))
    for row in rows.values():
        times = row["seconds"]
        if not row["key"].startswith("first "):
            checks.add(_words(row["key"]), _cell(times["cnnspec"]))
            continue
        for state in ("cold", "warm"):
            ours, theirs = (times.get(f"{name} {state}") for name in ("cnnspec", "nnx"))
            ratio = f"{median(theirs) / median(ours):.2f}" if ours and theirs else ""
            cells = [_cell(found) if found else "" for found in (ours, theirs)]
            first.add(row["key"].partition(" ")[2], state, *cells, ratio)
    return [("", table) for table in (checks, first) if table.rows]


def notes(rows: Rows) -> list[str]:
    return []


def _cell(times: list[float]) -> str:
    return f"{median(times):.2f} ({min(times):.2f})"


def _words(key: str) -> str:
    what, _, spec = key.partition(" ")
    words = {"check": "`cnnspec check`, {}", "shapes": "shapes of {}, in a process",
             "values": "initial values of {}, in a process"}  # fmt: skip
    return words[what].format(spec)
