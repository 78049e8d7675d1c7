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
from cnnspec.training.weights import read_weights

PROGRAM = """
import json, sys
from cnnspec.training.devices import join
from cnnspec.training.trainer import train
options = json.loads(sys.argv[1])
join(*options.pop("join", (None, None, None)))
train(quiet=True, **options)
"""


def start(devices: int, **options: Any) -> subprocess.Popen[str]:
    flags = f"--xla_force_host_platform_device_count={devices}"
    return subprocess.Popen([sys.executable, "-c", PROGRAM, json.dumps(options)], env={**os.environ, "XLA_FLAGS": flags},
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # fmt: skip


def finish(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors[-3000:]


def measures(folder: Path) -> dict[str, list[float]]:
    events = read_events(folder)
    held = [e for e in events if e["kind"] == "evaluation"]
    return {"top1": [e["top1"] for e in held], "loss": [e["loss"] for e in held]}


@pytest.fixture(scope="module")
def plain(tiny, recipe, tmp_path_factory):
    """The single-device run that the others should equal (without dropout, which has its own layout of numbers)."""
    folder = tmp_path_factory.mktemp("plain") / "run"
    finish(start(1, spec=tiny, recipe=recipe, out=str(folder)))
    return folder


def test_eight_devices_learn_what_one_learns(plain, tiny, recipe, tmp_path):
    finish(start(8, spec=tiny, recipe=recipe, out=str(tmp_path / "run"), mesh="data=8"))
    one, eight = measures(plain), measures(tmp_path / "run")
    assert eight["loss"] == pytest.approx(one["loss"], rel=1e-4)
    first, second = read_weights(plain), read_weights(tmp_path / "run")
    for path, value in first.items():
        assert np.allclose(value, second[path], rtol=2e-3, atol=2e-4), path


def test_a_checkpoint_of_eight_devices_goes_on_with_one(plain, tiny, recipe, tmp_path):
    folder = tmp_path / "run"
    finish(start(8, spec=tiny, recipe=recipe, out=str(folder), mesh="data=8", overrides={"steps": 8}))
    finish(start(1, spec="tiny", recipe=recipe, out=str(folder), resume=True))
    assert measures(folder)["loss"] == pytest.approx(measures(plain)["loss"], rel=1e-4)


def test_two_processes_over_loopback_learn_what_one_learns(plain, tiny, recipe, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = {"spec": tiny, "recipe": recipe, "out": str(tmp_path / "run")}
    finish(*(start(2, **options, join=(address, 2, index)) for index in range(2)))
    assert measures(tmp_path / "run")["loss"] == pytest.approx(measures(plain)["loss"], rel=1e-4)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["devices"] == 4


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_as_if_nothing_had_happened(tiny, recipe, tmp_path):
    long = {**recipe, "steps": 600, "evaluate_every": 60, "checkpoint_every": 5}
    finish(start(1, spec=tiny, recipe=long, out=str(tmp_path / "whole")))
    folder, chance = tmp_path / "killed", random.Random(0)
    process = start(1, spec=tiny, recipe=long, out=str(folder))
    for moment in sorted(chance.randrange(5, 450) for _ in range(5)):
        while process.poll() is None and newest(folder) < moment:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.03))
        assert process.poll() is None, process.communicate()[1]
        process.send_signal(signal.SIGKILL)
        process.communicate()
        process = start(1, spec="tiny", out=str(folder), resume=True)
    finish(process)
    first, second = read_weights(tmp_path / "whole"), read_weights(folder)
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)


def newest(folder: Path) -> int:
    """The newest complete checkpoint of a run, or 0."""
    found = (folder / "checkpoints").glob("[0-9]*") if (folder / "checkpoints").exists() else ()
    return max((int(p.name) for p in found if p.name.isdigit()), default=0)
