"""`python -m benchmarks [SECTION ...]`: measures sections, keeps every row at once, and prints tables.

Sections: start, scaling, call, compile, inference, ceiling, training, memory; all without any. The short form takes a few minutes;
`--full` takes all networks, batch sizes and more rounds. With `--page` the tables go into docs/benchmarks.md, beside a
picture of inference and the results. An engine whose packages are not installed is left out and named.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import machine, page, picture
from benchmarks.engines import engines
from benchmarks.networks import DEPTHS, NETWORKS
from benchmarks.options import Options
from benchmarks.progress import Progress
from benchmarks.results import Results
from benchmarks.sections import sections
from benchmarks.turns import ROOT, Failed

PAGE = ROOT / "docs" / "benchmarks.md"
PAGE_FOLDER = ROOT / "docs" / "benchmarks"
RESULTS = ROOT / "out" / "benchmarks" / "results.json"


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    found.add_argument("sections", nargs="*", metavar="SECTION", help=f"{', '.join(sections())} [default: all]")
    found.add_argument("--full", action="store_true", help="all networks and batch sizes, more rounds")
    found.add_argument("--networks", type=_names({**NETWORKS, **DEPTHS}), help="names of specs, with commas between")
    found.add_argument("--batches", type=_numbers, help="batch sizes, with commas between")
    found.add_argument("--engines", type=_names(engines()), help=f"of {', '.join(engines())}; with commas between")
    found.add_argument("--rounds", type=_positive, help="turns of every engine, or runs of every process")
    found.add_argument("--json", type=Path, metavar="FILE", help="where results are kept [default: "
                       "out/benchmarks/results.json, with --page docs/benchmarks/results.json]")  # fmt: skip
    found.add_argument("--page", action="store_true", help="write docs/benchmarks.md and its picture")
    found.add_argument("--keep", action="store_true", help="keep the other rows of the sections in FILE")
    found.add_argument("--resume", action="store_true", help="measure only the rows that FILE does not have yet")
    found.add_argument("--no-measuring", action="store_true", help="only print (and with --page write) what FILE has")
    return found


def main(arguments: list[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    unknown = [name for name in given.sections if name not in sections()]
    if unknown:
        parser().error(f"there is no section {unknown[0]}; the sections are {', '.join(sections())}")
    path = given.json or (PAGE_FOLDER / "results.json" if given.page else RESULTS)
    results = Results(path, keep=given.keep or given.resume)
    wanted = given.sections or list(sections())
    with Progress() as progress:
        options = Options(given.full, given.networks, given.batches, given.engines, given.rounds, progress)
        if not given.no_measuring:
            for name in wanted:
                measure_section(name, options, results, given.resume)
    for name in wanted:
        print_section(name, results)
    print(f"results: {_short(path)}", file=sys.stderr)
    if given.page:
        drawn = picture.draw(results.rows("inference"), PAGE_FOLDER)
        page.write(PAGE, results, drawn[0] if drawn else None)
        print("written: " + ", ".join(_short(written) for written in [PAGE, *drawn]), file=sys.stderr)
    return 0


def measure_section(name: str, options: Options, results: Results, resume: bool) -> None:
    """Measure the rows of a section; a row that fails is reported, and the next one measured."""
    section, progress = sections()[name], options.progress
    keys = [key for key in section.keys(options) if not (resume and key in results.rows(name))]
    if not keys:
        return
    results.begin(name, {"time": time.strftime("%Y-%m-%d %H:%M"), "full": options.full, "machine": machine.describe(),
                         "load_before": machine.load()})  # fmt: skip
    progress.begin(section.TITLE, len(keys))
    for key in keys:
        try:
            row = section.measure(key, options)
        except Failed as failed:
            progress.warn(f"{name}, {key}: {failed}")
            continue
        results.put(name, key, row)
        progress.row(section.line(row))
        for note in section.notes({key: row}):
            progress.warn(note)
    results.end(name, machine.load())


def print_section(name: str, results: Results) -> None:
    section, rows = sections()[name], results.rows(name)
    if not rows:
        return
    for title, table in section.result_tables(rows):
        print(f"\n{section.TITLE}{': ' + title if title else ''}")
        table.print()
    for run in results.runs(name):
        print(page.run_text(run))


def _names(known: dict[str, Any]) -> Any:
    def read(text: str) -> tuple[str, ...]:
        found = tuple(text.split(","))
        for name in found:
            if name not in known:
                raise argparse.ArgumentTypeError(f"there is no {name}; there are {', '.join(known)}")
        return found

    return read


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(_positive, text.split(",")))


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number")
    return int(text)


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


if __name__ == "__main__":
    sys.exit(main())
