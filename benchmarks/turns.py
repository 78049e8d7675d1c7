"""Workers take turns: A B C A B C ..., each a burst of calls while all the others sleep.

Thread pools of two runtimes in one process disturb each other, and a machine drifts. So every engine has a process of
its own, and all engines of a row are measured in the same minutes.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from benchmarks.job import Job

ROOT = Path(__file__).parent.parent
#: Of every process: the last line of a traceback is to be the error.
ENVIRONMENT = {"JAX_TRACEBACK_FILTERING": "off"}
#: The longest that a worker may take to build its network, and for one answer afterwards, in seconds.
BUILD_LIMIT, ANSWER_LIMIT = 900.0, 600.0


class Failed(Exception):
    """A worker that cannot go on; the message says why in one line."""


@dataclass
class Measured:
    """What was measured of one engine: the seconds of every call of every turn."""

    turns: list[list[float]] = field(default_factory=list)
    #: What it burned while others had their turns: seconds of processor time in seconds of waiting.
    idle_cpu: float = 0.0
    idle_seconds: float = 0.0
    asleep_after: float = 0.0

    def add(self, turn: dict[str, Any]) -> None:
        self.turns.append(turn["seconds"])
        self.idle_cpu += turn["idle_cpu"]
        self.idle_seconds += turn["idle_seconds"]
        self.asleep_after = max(self.asleep_after, turn["asleep_after"])

    @property
    def idle_share(self) -> float:
        """The share of a core that it used while it should have slept."""
        return self.idle_cpu / self.idle_seconds if self.idle_seconds else 0.0


class Turns(Protocol):
    """What takes turns; see `benchmarks.worker` for what a turn says."""

    def turn(self, seconds: float, calls: int) -> dict[str, Any]: ...


def take_turns(
    workers: Mapping[str, Turns], rounds: int, seconds: float, calls: int, after: Callable[[int, str], None]
) -> dict[str, Measured | Failed]:
    """The turns of every worker; one that fails drops out, and the others go on. `after` is called after each turn."""
    found: dict[str, Measured | Failed] = {name: Measured() for name in workers}
    for number in range(rounds):
        for name, worker in workers.items():
            measured = found[name]
            if isinstance(measured, Measured):
                try:
                    measured.add(worker.turn(seconds, calls))
                except Failed as failed:
                    found[name] = failed
            after(number, name)
    return found


class Worker:
    """A process that builds a job and then waits; see `benchmarks.worker`."""

    def __init__(self, job: Job, log: Path, environment: dict[str, str]) -> None:
        self.job, self.log = job, log
        self.peak = 0  # bytes of resident memory, known when it is closed
        command = [sys.executable, "-m", "benchmarks.worker", job.text]
        with log.open("w") as errors:
            self.process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **ENVIRONMENT, **environment}, text=True,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)  # fmt: skip

    def ready(self) -> dict[str, Any]:
        """Wait until it is built; what it says about its output."""
        return self._answer(BUILD_LIMIT)

    def warm(self, seconds: float) -> dict[str, Any]:
        return self._ask(f"warm {seconds}")

    def turn(self, seconds: float, calls: int) -> dict[str, Any]:
        return self._ask(f"turn {seconds} {calls}")

    def close(self) -> None:
        """End the process."""
        if self.process.returncode is not None:
            return
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self.peak = wait(self.process)

    def _ask(self, line: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{line}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self.close()
            raise Failed(self._reason()) from None
        return self._answer(ANSWER_LIMIT)

    def _answer(self, limit: float) -> dict[str, Any]:
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(limit):
                os.kill(self.process.pid, signal.SIGKILL)
                self.close()
                raise Failed(f"no answer in {limit:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            self.close()
            raise Failed(self._reason())
        return dict(json.loads(line))

    def _reason(self) -> str:
        return reason(self.process.returncode, self.log.read_text(errors="replace"))


def reason(status: int, errors: str) -> str:
    """Why a process ended, in a line: the signal, or the last line of what it wrote, which of a traceback is the error."""
    if status < 0:
        return f"it was ended by {signal.Signals(-status).name}"
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return lines[-1][:200] if lines else f"it ended with status {status}"


def wait(process: subprocess.Popen[Any], limit: float = 30.0) -> int:
    """Wait for a process to end, and end it where it does not; the largest memory that it was resident in, in bytes.

    The kernel counts from before `exec`, where a child is still as large as its parent: the parent has to be small.
    """
    with ended_after(process, limit):
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@contextlib.contextmanager
def ended_after(process: subprocess.Popen[Any], limit: float) -> Iterator[None]:
    """Within the block, the process is killed after so many seconds."""
    timer = threading.Timer(limit, os.kill, (process.pid, signal.SIGKILL))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def build_all(jobs: Sequence[Job], folder: Path, environments: dict[str, dict[str, str]]) -> dict[str, Worker]:
    """A worker for each job, all building at once."""
    return {job.engine: Worker(job, folder / f"{job.engine}.log", environments[job.engine]) for job in jobs}
