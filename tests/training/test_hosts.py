"""Eight devices, two processes, and SIGKILL: each in processes of its own."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnspec.training.records import read_events
from cnnspec.training.runs import newest_step, run_arrays
from cnnspec.training.trainer import train
from cnnspec.training.weights import read_weights

PROGRAM = """
import json, sys
from cnnspec.training import pictures
from cnnspec.training.devices import join
from cnnspec.training.trainer import train
pictures._save = lambda figure, path: path.touch()  # rendering takes half of the time
options = json.loads(sys.argv[1])
join(*options["join"])
for run in options["runs"]:
    train(quiet=True, **run)
"""


def start(devices: int, *runs: dict[str, Any], join: tuple[Any, ...] = (None, None, None)) -> subprocess.Popen[str]:
    """A process with so many forced devices that makes these trainings, one after the other."""
    flags = f"--xla_force_host_platform_device_count={devices}"
    return subprocess.Popen([sys.executable, "-c", PROGRAM, json.dumps({"join": join, "runs": runs})],
                            env={**os.environ, "XLA_FLAGS": flags}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # fmt: skip


def finish(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors[-3000:]


def measures(folder: Path) -> dict[str, list[float]]:
    events = read_events(folder)
    held = [e for e in events if e["kind"] == "evaluation"]
    return {"top1": [e["top1"] for e in held], "loss": [e["loss"] for e in held]}


@pytest.fixture(scope="module")
def made(tiny, recipe, tmp_path_factory):
    """All trainings of this file, whose processes run beside each other: starting them is what takes time."""
    folder = tmp_path_factory.mktemp("hosts")

    def run(name: str, **options: Any) -> dict[str, Any]:
        return {"spec": tiny, "recipe": recipe, "out": str(folder / name), **options}

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    part = {"steps": 8}
    finish(
        start(8, run("one"), run("eight", mesh="data=8"),
              run("narrowed", mesh="data=8", overrides=part), run("narrowed", resume=True),
              run("widened", overrides=part), run("widened", mesh="data=8", resume=True)),
        *(start(2, run("two_processes"), join=(address, 2, index)) for index in range(2)),
    )  # fmt: skip
    return folder


@pytest.mark.parametrize("name", ["eight", "narrowed", "widened", "two_processes"])
def test_spread_over_devices_it_learns_what_one_device_learns(made, name):
    """The network has batch statistics: were they not of the whole batch, the losses would part."""
    assert measures(made / name)["loss"] == pytest.approx(measures(made / "one")["loss"], rel=1e-4)
    assert len(measures(made / name)["loss"]) == 3
    first, second = read_weights(made / "one"), read_weights(made / name)
    for path, value in first.items():
        assert np.allclose(value, second[path], rtol=2e-3, atol=2e-4), path


@pytest.mark.parametrize("name", ["eight", "two_processes"])
def test_a_checkpoint_of_many_devices_is_read_by_one(made, name):
    arrays = run_arrays(made / name, "16")
    assert arrays.keys() == read_weights(made / name).keys()
    assert all(np.isfinite(value).all() for value in arrays.values())


def test_a_run_says_on_how_many_devices_it_was_made(made):
    devices = {
        name: json.loads((made / name / "run.json").read_text())["devices"]
        for name in ("one", "eight", "two_processes")
    }
    assert devices == {"one": 1, "eight": 8, "two_processes": 4}


def test_a_run_that_is_killed_ends_as_if_nothing_had_happened(tiny, recipe, tmp_path, unrendered):
    long = {**recipe, "steps": 120, "evaluate_every": 60, "checkpoint_every": 5}
    process = start(1, {"spec": tiny, "recipe": long, "out": str(tmp_path / "killed")})
    whole = train(tiny, long, out=tmp_path / "whole", quiet=True)
    while process.poll() is None and newest(tmp_path / "killed") < 20:
        time.sleep(0.002)
    assert process.poll() is None, process.communicate()[1]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    rest = train("tiny", out=tmp_path / "killed", resume=True, quiet=True)
    assert all(value.tobytes() == whole.params[name].tobytes() for name, value in rest.params.items())
    assert all(value.tobytes() == whole.state[name].tobytes() for name, value in rest.state.items())


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_as_if_nothing_had_happened(tiny, recipe, tmp_path):
    long = {**recipe, "steps": 600, "evaluate_every": 60, "checkpoint_every": 5}
    finish(start(1, {"spec": tiny, "recipe": long, "out": str(tmp_path / "whole")}))
    folder, chance = tmp_path / "killed", random.Random(0)
    process = start(1, {"spec": tiny, "recipe": long, "out": str(folder)})
    for moment in sorted(chance.randrange(5, 450) for _ in range(5)):
        while process.poll() is None and newest(folder) < moment:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.03))
        assert process.poll() is None, process.communicate()[1]
        process.send_signal(signal.SIGKILL)
        process.communicate()
        process = start(1, {"spec": "tiny", "out": str(folder), "resume": True})
    finish(process)
    first, second = read_weights(tmp_path / "whole"), read_weights(folder)
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)


def newest(folder: Path) -> int:
    """The newest complete checkpoint of a run, or 0."""
    return newest_step(folder) or 0
