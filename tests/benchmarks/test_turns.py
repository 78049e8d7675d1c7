"""Workers take turns, sleep in between, and drop out alone."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.engines import Contender
from benchmarks.job import Job
from benchmarks.processes import answer, run
from benchmarks.turns import Failed, Measured, Worker, reason, take_turns, wait
from benchmarks.worker import STEP_SECONDS, Runner, calls, serve


class Clockwork:
    """A worker that notes its turns; fails from the given turn on."""

    def __init__(self, name: str, order: list[str], fails: int | None = None) -> None:
        self.name, self.order, self.fails, self.turns = name, order, fails, 0

    def turn(self, seconds: float, calls: int) -> dict[str, Any]:
        self.turns += 1
        if self.turns == self.fails:
            raise Failed("it broke")
        self.order.append(self.name)
        return {"seconds": [seconds] * calls, "idle_cpu": 0.01, "idle_seconds": 1.0, "asleep_after": 0.02}


def test_workers_take_turns_round_by_round() -> None:
    order: list[str] = []
    workers = {name: Clockwork(name, order) for name in "abc"}
    after: list[tuple[int, str]] = []
    found = take_turns(workers, 2, 0.3, 3, lambda number, name: after.append((number, name)))
    assert "".join(order) == "abcabc"
    assert after == [(0, "a"), (0, "b"), (0, "c"), (1, "a"), (1, "b"), (1, "c")]
    first = found["a"]
    assert isinstance(first, Measured)
    assert first.turns == [[0.3] * 3] * 2
    assert first.idle_share == pytest.approx(0.01)


def test_a_worker_that_fails_drops_out_and_the_others_go_on() -> None:
    order: list[str] = []
    workers = {name: Clockwork(name, order, fails=2 if name == "b" else None) for name in "abc"}
    found = take_turns(workers, 3, 0.3, 3, lambda number, name: None)
    assert "".join(order) == "abcacac"
    assert isinstance(found["b"], Failed)
    assert isinstance(found["c"], Measured)


def test_a_burst_lasts_long_enough_and_has_enough_calls() -> None:
    assert len(calls(lambda: time.sleep(0.01), 0.0, 3)) == 3
    begin = time.perf_counter()
    found = calls(lambda: time.sleep(0.001), 0.2, 3)
    assert time.perf_counter() - begin >= 0.2
    assert len(found) > 3
    assert all(seconds >= 0.001 for seconds in found)


def test_the_fastest_way_to_run_is_taken() -> None:
    ran: list[str] = []
    ways = {"slow": lambda: (ran.append("slow"), time.sleep(0.02)), "quick": lambda: ran.append("quick")}
    runner = Runner(Contender(ways, lambda found: found))
    assert runner.warm(0.0)["chosen"] == "quick"
    ran.clear()
    runner.turn(0.0, 3)
    assert ran == ["quick"] * 4, "one call more than is measured"


def test_a_turn_ends_when_threads_have_gone_to_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of onnxruntime and OpenMP do, threads spin after a call: here over the first five sleeps."""

    class Clock:
        """Time passes in sleeps alone."""

        now = used = 0.0
        spinning = 0

        def sleep(self, seconds: float) -> None:
            self.now += seconds
            self.used += seconds if self.spinning > 0 else 0.0
            self.spinning -= 1

        def perf_counter(self) -> float:
            return self.now

        def process_time(self) -> float:
            return self.used

    clock = Clock()
    monkeypatch.setattr("benchmarks.worker.time", clock)
    runner = Runner(Contender({"run": lambda: setattr(clock, "spinning", 5)}, lambda found: found))
    assert runner.turn(0.0, 1)["asleep_after"] == pytest.approx(6 * STEP_SECONDS)
    clock.now += 10.0
    second = runner.turn(0.0, 1)
    assert second["idle_cpu"] == 0.0
    assert second["idle_seconds"] == pytest.approx(10.0)
    clock.used, clock.now = clock.used + 1.0, clock.now + 10.0
    assert runner.turn(0.0, 1)["idle_cpu"] == pytest.approx(1.0)


def test_what_is_burned_between_turns_is_reported() -> None:
    runner = Runner(Contender({"run": lambda: None}, lambda found: found))
    runner.turn(0.0, 1)
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
    found = Measured()
    found.add(runner.turn(0.0, 1))
    assert found.idle_cpu >= 0.1
    assert found.idle_share > 0.02


def test_commands_are_answered_in_order() -> None:
    answers: list[dict[str, Any]] = []
    runner = Runner(Contender({"run": lambda: None}, lambda found: found))
    serve(runner, ["warm 0.0\n", "turn 0.0 5\n"], answers.append)
    assert answers[0]["chosen"] == "run"
    assert len(answers[1]["seconds"]) == 5


def test_a_worker_that_cannot_build_says_why_in_a_line(tmp_path: Path) -> None:
    worker = Worker(Job("inference", "no_such_engine", "resnet50", 1), tmp_path / "log", {})
    with pytest.raises(Failed, match="KeyError: 'no_such_engine'"):
        worker.ready()
    worker.close()
    assert worker.process.returncode == 1


def test_the_reason_of_an_end_is_the_error_or_the_signal() -> None:
    traceback = "a warning\nTraceback (most recent call last):\n  File ...\nValueError: too small\n\n"
    assert reason(1, traceback) == "ValueError: too small"
    assert reason(-9, "a warning\n") == "it was ended by SIGKILL"
    assert reason(3, " \n") == "it ended with status 3"


def test_the_memory_of_a_process_is_its_own() -> None:
    measuring = """if True:
        import subprocess, sys
        from benchmarks.turns import wait
        for code in ("pass", "b'x' * (200 * 2**20)"):
            print(wait(subprocess.Popen([sys.executable, "-c", code])))
    """
    ran = subprocess.run([sys.executable, "-c", measuring], check=True, capture_output=True, text=True)
    small, large = map(int, ran.stdout.split())
    assert small < 60 * 2**20, "the process that measures has to be small"
    assert 150 * 2**20 < large - small < 260 * 2**20


def test_a_process_that_does_not_end_is_ended() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    begin = time.perf_counter()
    wait(process, limit=0.2)
    assert time.perf_counter() - begin < 30
    assert process.returncode == -9


def test_a_whole_process_is_timed_to_its_end_or_to_its_first_line() -> None:
    code = "import time; print('first', flush=True); time.sleep(1.5); print('{\"answer\": 1}')"
    to_line, text, peak = run(["-c", code], until_line=True)
    to_end, _, _ = run(["-c", code])
    assert to_line < to_end - 0.5
    assert answer(text) == {"answer": 1}
    assert peak > 2**20


def test_a_whole_process_that_fails_or_takes_too_long_says_so() -> None:
    with pytest.raises(Failed, match="ZeroDivisionError"):
        run(["-c", "1 / 0"])
    with pytest.raises(Failed, match="did not finish in 1 s"):
        run(["-c", "import time; time.sleep(60)"], limit=0.6)
