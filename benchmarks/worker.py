"""`python -m benchmarks.worker JOB`: builds a network in one engine, then runs it whenever a line on stdin says so.

Every line on stdin is a command, and is answered with one line of JSON:

    warm SECONDS          run until it is warm, and take the fastest of the ways to run
    turn SECONDS CALLS    run for so long, at least so many times, and report the seconds of every call

Between two lines it waits on the pipe. A turn ends when the threads of the engine have gone to sleep, so that nobody
else's turn meets them spinning; what they burn in between all the same is reported by the next turn.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks.engines import Contender, engines
from benchmarks.job import Job
from cnnspec.huge_pages import start_with_huge_pages

#: An engine is asleep when this share of a core or less is used over a step; it gets so many steps to fall asleep.
ASLEEP, STEP_SECONDS, MOST_STEPS = 0.02, 0.02, 50


class Runner:
    """One contender, and the clock of the process when it last went to sleep."""

    def __init__(self, contender: Contender) -> None:
        self.runs, self.output = dict(contender.runs), contender.output
        self.chosen = next(iter(self.runs))
        self.slept = (time.perf_counter(), time.process_time())

    def warm(self, seconds: float) -> dict[str, Any]:
        """Warm every way to run, and keep the fastest."""
        medians = {name: median(calls(run, seconds, 3)) for name, run in self.runs.items()}
        self.chosen = min(medians, key=lambda name: medians[name])
        self._fall_asleep()
        return {"chosen": self.chosen, "medians": medians}

    def turn(self, seconds: float, least: int) -> dict[str, Any]:
        """A burst of calls; one more before it brings the weights back into the caches."""
        idle = {
            "idle_seconds": time.perf_counter() - self.slept[0],
            "idle_cpu": time.process_time() - self.slept[1],
        }
        run = self.runs[self.chosen]
        run()
        return {**idle, "seconds": calls(run, seconds, least), "asleep_after": self._fall_asleep()}

    def _fall_asleep(self) -> float:
        """Wait until no thread of this process works any more; the seconds that took."""
        begin = time.perf_counter()
        for _ in range(MOST_STEPS):
            before = time.process_time()
            time.sleep(STEP_SECONDS)
            if time.process_time() - before <= ASLEEP * STEP_SECONDS:
                break
        self.slept = (time.perf_counter(), time.process_time())
        return self.slept[0] - begin


def calls(run: Callable[[], Any], seconds: float, least: int) -> list[float]:
    """The seconds of each of at least `least` calls, for at least `seconds`."""
    found: list[float] = []
    begin = time.perf_counter()
    while len(found) < least or time.perf_counter() - begin < seconds:
        before = time.perf_counter()
        run()
        found.append(time.perf_counter() - before)
    return found


def serve(runner: Runner, commands: Any, answer: Callable[[dict[str, Any]], None]) -> None:
    """Answer commands until there are no more."""
    for line in commands:
        name, *arguments = line.split()
        if name == "warm":
            answer(runner.warm(float(arguments[0])))
        else:
            answer(runner.turn(float(arguments[0]), int(arguments[1])))


def main() -> None:
    job = Job.from_text(sys.argv[1])
    if (job.kind, job.engine) == ("training", "cnnspec"):
        start_with_huge_pages()  # as `cnnspec train` does
    # Answers have a channel of their own; whatever a library prints goes where errors go.
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(found: dict[str, Any]) -> None:
        print(json.dumps(found), file=channel, flush=True)

    import numpy as np

    begin = time.perf_counter()
    contender = getattr(engines()[job.engine], job.kind)(job.network, job.batch)
    output = np.asarray(contender.output(next(iter(contender.runs.values()))()))
    answer({
        "built": time.perf_counter() - begin, "shape": list(output.shape), "finite": bool(np.isfinite(output).all()),
        "first": [float(number) for number in output.reshape(-1)[:8]], "largest": float(np.abs(output).max()),
    })  # fmt: skip
    serve(Runner(contender), sys.stdin, answer)


if __name__ == "__main__":
    main()
