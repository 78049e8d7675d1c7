"""What the solutions share: their options, their trainings, and where their numbers go."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnspec.cli.output import Table
from cnnspec.training import Trained, train
from cnnspec.training.records import read_events

HERE = Path(__file__).parent


def options(about: str | None) -> argparse.Namespace:
    """`--quick` looks only whether everything works, `--write` puts the numbers into the page."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--out", type=Path, default=Path("out/exercises"), help="where the runs go")
    parser.add_argument("--quick", action="store_true", help="a few steps of each training only")
    parser.add_argument("--write", action="store_true", help="put the numbers into the page of the exercise")
    return parser.parse_args()


def trained(name: str, spec: str, chosen: argparse.Namespace, overrides: Mapping[str, Any], **more: Any) -> Trained:
    """Train a spec of this folder or of the zoo; a run that is there already goes on, or is only evaluated."""
    folder = chosen.out / name
    short = {"steps": 2, "dataset.limit": 40, "evaluate_every": 2} if chosen.quick else {}
    own = HERE / f"{spec}.yaml"
    file = own if own.exists() else spec
    if (folder / "run.json").exists():
        return train(file, out=folder, resume=True)
    return train(file, out=folder, overrides={**overrides, **short}, **more)


def last_epoch(done: Trained) -> dict[str, float]:
    """Loss and accuracy of the training images, as they were seen in the last epoch."""
    events = [event for event in read_events(done.folder) if event["kind"] == "train"]
    late = [event for event in events if event["epoch"] > events[-1]["epoch"] - 1]
    return {name: sum(event[name] for event in late) / len(late) for name in ("loss", "accuracy")}


def show(table: Table, page: str, chosen: argparse.Namespace, below: str = "") -> None:
    """Print a table, and put it into the page between the lines that say so, with what stands `below` it."""
    table.print()
    if chosen.write:
        path = HERE.parent / page
        text = f"<!-- measured -->\n```text\n{table.plain()}\n```\n{below}<!-- end -->"
        old = path.read_text(encoding="utf-8")
        new = re.sub(r"<!-- measured -->.*?<!-- end -->", lambda _: text, old, flags=re.DOTALL)
        path.write_text(new, encoding="utf-8")
