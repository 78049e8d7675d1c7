"""The record of a run: a line of JSON an event, and the same for TensorBoard."""

from __future__ import annotations

import contextlib
import json
import math
import time
from pathlib import Path
from typing import Any

from cnnspec.files import written_whole

METRICS = "metrics.jsonl"


class Records:
    """Appends events to `metrics.jsonl`: {"kind": "train" | "evaluation", "step": ..., "epoch": ..., ...}.

    An evaluation has the accuracy of each class too, and its confusion matrix where there are not too many.
    """

    def __init__(self, folder: Path, resumed_at: int | None) -> None:
        self._path = folder / METRICS
        if resumed_at is not None:
            _cut(self._path, resumed_at)
        self._file = self._path.open("a" if resumed_at is not None else "w", encoding="utf-8")
        self._board = Board(folder / "tensorboard", resumed_at)

    def write(
        self, kind: str, step: int, epoch: float, values: dict[str, float], details: dict[str, Any] | None = None
    ) -> None:
        """**Errors**: `OSError` where there is no room."""
        numbers = {name: _number(value) for name, value in values.items()}
        event = {"kind": kind, "step": step, "epoch": round(epoch, 4), **numbers, **(details or {})}
        self._file.write(json.dumps(event) + "\n")
        self._file.flush()
        self._board.write(step, {f"{kind}/{name}": value for name, value in values.items()})

    def close(self) -> None:
        with contextlib.suppress(OSError):  # what could not be written was told when it was written
            self._file.close()
        self._board.close()


class Board:
    """TensorBoard's events, written at once: its usual writer has a thread, whose errors nobody would hear of."""

    def __init__(self, folder: Path, resumed_at: int | None) -> None:
        from tensorboardX.event_file_writer import EventsWriter

        folder.mkdir(parents=True, exist_ok=True)
        self._writer = EventsWriter(str(folder / "events"))
        if resumed_at is not None:  # viewers drop what an earlier start told of the steps that happen again
            from tensorboardX.proto.event_pb2 import SessionLog

            self._event(resumed_at + 1, session_log=SessionLog(status=SessionLog.START))

    def write(self, step: int, values: dict[str, float]) -> None:
        from tensorboardX.proto.summary_pb2 import Summary

        found = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        self._event(step, summary=Summary(value=found))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._writer.close()

    def _event(self, step: int, **content: Any) -> None:
        from tensorboardX.proto.event_pb2 import Event

        self._writer.write_event(Event(step=step, wall_time=time.time(), **content))
        self._writer.flush()


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
    with written_whole(path) as beside:
        beside.write_text(text, encoding="utf-8")


def _cut(path: Path, step: int) -> None:
    """Drop what was recorded after the checkpoint that the run goes on from: it happens again."""
    if path.exists():
        kept = [e for e in read_events(path.parent) if e["step"] <= step]
        write_text(path, "".join(json.dumps(e) + "\n" for e in kept))


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)  # JSON has no NaN
