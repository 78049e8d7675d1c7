"""`python -m benchmarks.learning`: what networks of the zoo reach on the real data that comes along; writes docs/learning.md.

Every trial is a command that anybody can type. Its run stays in the folder `--out`; one that is complete is not made
again. `--only NAME` makes some of them, and writes no page; `--no-measuring` writes the page of those that are complete.
"""

from __future__ import annotations

import argparse
import json
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "learning.md"
PICTURES = ROOT / "docs" / "pictures"

_HEAD = """# What training reaches

Made by `python -m benchmarks.learning`, which runs the commands below. The digits are the 1797 that come along with
scikit-learn; a fixed fifth of them, 359, is held out, the same in every run. What is shown is the network after the last
step, not the best of several evaluations. Seconds are those of the whole command, from the start of Python to the last
picture; in brackets the processor time of all cores together, which says more where others used the machine too.
"""
_CAPSULES = """## What capsules have learned

Held-out digits, and what the decoder draws of the capsule of the longest vector:

![reconstructions](pictures/capsnet_reconstructions.png)

A digit drawn again, with one of the sixteen dimensions of its capsule changed by -0.25 to 0.25 in steps of 0.05 (a row a
dimension), as in figure 4 of the paper:

![dimensions](pictures/capsnet_dimensions.png)
"""


@dataclass(frozen=True)
class Trial:
    """A training, the accuracy that is asked of it, and what it shows."""

    name: str
    arguments: str
    asked: float
    shows: str
    seeds: int = 1
    #: Seconds that a run may take, where a bound is asked.
    within: float | None = None


TRIALS = (
    Trial("lenet5", "lenet5", 0.985, "LeNet-5 of 1998 with its own loss", seeds=5, within=120),
    Trial("capsnet", "capsnet", 0.98, "the published capsule network with its decoder, unreduced"),
    Trial("resnet56", "resnet56_cifar --recipe residual_digits --set last_survival=0.5", 0.97, "56 layers with stochastic depth"),
    Trial("densenet", "densenet_bc_100_12 --recipe residual_digits", 0.97, "DenseNet-BC, 100 layers"),
    Trial("se_resnet50", "se_resnet50 --recipe imagenet_network_digits", 0.97, "SE-ResNet-50 at 64 pixels"),
    Trial("mobilenet_v2", "mobilenet_v2_050 --recipe mobilenet_digits", 0.97, "MobileNet v2 of width 0.5 at 64 pixels"),
    Trial("alexnet", "alexnet_cifar100 --recipe alexnet_cifar100_overfit", 1.0,
          "AlexNet learns 256 crops of photographs by heart, in CIFAR-100's format: loader, loop and gradients are right"),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/learning"), help="where the runs go")
    parser.add_argument("--only", action="append", choices=[trial.name for trial in TRIALS], help="repeatable")
    parser.add_argument("--no-measuring", action="store_true", help="only write the page of what is there")
    arguments = parser.parse_args()
    chosen = [trial for trial in TRIALS if not arguments.only or trial.name in arguments.only]
    out = arguments.out.absolute()
    take = kept if arguments.no_measuring else run
    found = {trial: [take(trial, seed, out) for seed in range(trial.seeds)] for trial in chosen}
    made = {trial: [result for result in results if result] for trial, results in found.items() if all(results)}
    for trial, results in made.items():
        print(row(trial, results))
    if arguments.only is None:
        PAGE.write_text(page(made), encoding="utf-8")
        PICTURES.mkdir(exist_ok=True)
        for name in ("reconstructions", "dimensions"):
            if (out / "capsnet-0").is_dir():
                shutil.copy(out / "capsnet-0" / f"{name}.png", PICTURES / f"capsnet_{name}.png")
    missing = [trial.name for trial in chosen if trial not in made]
    if missing:
        print(f"not there yet: {', '.join(missing)}", file=sys.stderr)
    if not all(reached(trial, results) for trial, results in made.items()):
        sys.exit("a trial did not reach what is asked of it")


def run(trial: Trial, seed: int, out: Path) -> dict[str, Any]:
    """The measures of one training, made now or before."""
    folder = out / f"{trial.name}-{seed}"
    if (found := kept(trial, seed, out)) is not None:
        return found
    shutil.rmtree(folder, ignore_errors=True)
    command = [
        sys.executable,
        "-m",
        "cnnspec",
        "train",
        *shlex.split(trial.arguments),
        "--seed",
        str(seed),
        "--out",
        str(folder),
        "--json",
    ]
    begin, used = time.perf_counter(), _used()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    measures = json.loads(done.stdout) | {
        "wall": time.perf_counter() - begin,
        "used": _used() - used,
        "load": machine.load(),
    }
    _file(trial, seed, out).write_text(json.dumps(measures) + "\n", encoding="utf-8")
    print(f"{trial.name}, seed {seed}: {measures['top1']:.2%} in {measures['wall']:.0f} s", file=sys.stderr)
    return dict(measures)


def kept(trial: Trial, seed: int, out: Path) -> dict[str, Any] | None:
    """The measures of a training that was made before."""
    file = _file(trial, seed, out)
    found: dict[str, Any] | None = json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
    return found


def _file(trial: Trial, seed: int, out: Path) -> Path:
    return out / f"{trial.name}-{seed}.json"


def reached(trial: Trial, results: Sequence[dict[str, Any]]) -> bool:
    """Whether the mean over the seeds is what is asked, each within its time."""
    fast = trial.within is None or max(r["wall"] for r in results) < trial.within
    return fast and statistics.mean(r["top1"] for r in results) >= trial.asked


def row(trial: Trial, results: Sequence[dict[str, Any]]) -> str:
    """A line of the table."""
    tops, walls, used = ([r[name] for r in results] for name in ("top1", "wall", "used"))
    share = f"{statistics.mean(tops):.2%}"
    if len(tops) > 1:
        share += f" (mean of {len(tops)} seeds: {', '.join(f'{top:.2%}' for top in tops)})"
    seconds = (
        f"{max(walls):.0f} ({max(used):.0f})" if len(walls) == 1 else f"at most {max(walls):.0f} ({max(used):.0f}) each"
    )
    asked = f"{trial.asked:.1%}" + (f", under {trial.within:.0f} s" if trial.within else "")
    return f"| {trial.shows} | `cnnspec train {trial.arguments}` | {share} | {asked} | {seconds} |"


def page(made: dict[Trial, list[dict[str, Any]]]) -> str:
    """The text of docs/learning.md."""
    about = machine.describe()
    loads = [r["load"] for results in made.values() for r in results]
    on = f"{about['cores']} cores ({about['processor']}), {about['memory_gib']} GiB; load {min(loads):.1f} to {max(loads):.1f}."
    lines = [_HEAD, on, "", "| what | command | accuracy | asked | seconds |", "| --- | --- | --- | --- | --- |"]
    lines += [row(trial, results) for trial, results in made.items()]
    absent = [f"`cnnspec train {trial.arguments}` ({trial.asked:.1%})" for trial in TRIALS if trial not in made]
    lines += ["", f"Asked for, and not measured here: {', '.join(absent)}."] if absent else []
    return "\n".join([*lines, "", _CAPSULES])


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
