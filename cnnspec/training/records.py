"""The record of a run: a line of JSON an event, and the same for TensorBoard where its writer is installed."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

METRICS = "metrics.jsonl"


class Records:
    """Appends events to `metrics.jsonl`: {"kind": "train" | "evaluation", "step": ..., "epoch": ..., ...}."""

    def __init__(self, folder: Path, resumed_at: int | None) -> None:
        self._path = folder / METRICS
        if resumed_at is not None:
            _cut(self._path, resumed_at)
        self._file = self._path.open("a" if resumed_at is not None else "w", encoding="utf-8")
        self._board = _board(folder, resumed_at)

    def write(self, kind: str, step: int, epoch: float, values: dict[str, float]) -> None:
        event = {"kind": kind, "step": step, "epoch": round(epoch, 4), **{n: _number(v) for n, v in values.items()}}
        self._file.write(json.dumps(event) + "\n")
        self._file.flush()
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(f"{kind}/{name}", value, step)

    def close(self) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()


def read_events(folder: Path) -> list[dict[str, Any]]:
    """The events of a run so far; a last line that was cut off is left out."""
    events = []
    for line in (folder / METRICS).read_text(encoding="utf-8").splitlines():
        try:
            events.append(json.loads(line))
        except ValueError:
            continue
    return events


def write_json(path: Path, value: Any) -> None:
    """Write JSON beside and rename, so that the file is whole or not there."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text beside and rename."""
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def _cut(path: Path, step: int) -> None:
    """Drop what was recorded after the checkpoint that the run goes on from: it happens again."""
    if path.exists():
        kept = [e for e in read_events(path.parent) if e["step"] <= step]
        write_text(path, "".join(json.dumps(e) + "\n" for e in kept))


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)  # JSON has no NaN


def _board(folder: Path, resumed_at: int | None) -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder / "tensorboard"), purge_step=None if resumed_at is None else resumed_at + 1)
