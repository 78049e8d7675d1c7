"""`python -m benchmarks.huge_pages`: training steps with large arrays in huge pages, as `cnnspec train` asks for, and without.

Each engine runs in two processes that take turns, one with the variable of glibc's environment that asks for them. It is
there for every program, PyTorch's too.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.engines import engines
from benchmarks.job import Job
from benchmarks.turns import Failed, Worker, take_turns
from cnnspec.cli.output import Table

WAYS = {"small": {"CNNSPEC_HUGE_PAGES": "off"}, "huge": {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}}
PIXELS, SECONDS, CALLS = 128, 1.0, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=["resnet50", "mobilenet_v2", "resnext50_32x4d"])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--infer", action="store_true", help=f"inference instead of a training step at {PIXELS} pixels")
    parser.add_argument("--engines", default="cnnspec,torch", help="with commas between them; also nnx, keras, ...")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    kind = "inference" if arguments.infer else "training"
    table = Table(["network", "engine", "pages", "ms", "MiB at most", "small / huge"], right=(3, 4, 5))
    for spec in arguments.networks:
        for engine in arguments.engines.split(","):
            job = Job(kind, engine, spec, arguments.batch, 0 if arguments.infer else PIXELS)
            found, peaks = both(job, arguments.rounds)
            for way, seconds in found.items():
                ratio = f"{found['small'] / seconds:.2f}" if way == "huge" else ""
                table.add(spec, engine, way, f"{1e3 * seconds:.1f}", f"{peaks[way] / 2**20:.0f}", ratio)
                print(table.rows[-1], flush=True)
    print(table.plain())


def both(job: Job, rounds: int) -> tuple[dict[str, float], dict[str, int]]:
    """Seconds of a call, the median, and bytes of resident memory at most: of each process."""
    own = engines()[job.engine].ENVIRONMENT
    with tempfile.TemporaryDirectory() as folder:
        workers = {way: Worker(job, Path(folder) / f"{way}.log", {**own, **asked}) for way, asked in WAYS.items()}
        try:
            for worker in workers.values():
                worker.ready()
                worker.warm(SECONDS)
            measured = take_turns(workers, rounds, SECONDS, CALLS, lambda number, way: None)
        finally:
            for worker in workers.values():
                worker.close()
    seconds = {}
    for way, turns in measured.items():
        if isinstance(turns, Failed):
            raise SystemExit(f"{job.engine}, {way}: {turns}")
        seconds[way] = median(second for turn in turns.turns for second in turn)
    return seconds, {way: worker.peak for way, worker in workers.items()}


if __name__ == "__main__":
    main()
