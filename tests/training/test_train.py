"""A whole training of a tiny network: what it leaves behind, resume, interruption, and what stops it."""

from __future__ import annotations

import json
import os
import re
import signal
import struct
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tensorboardX.proto.event_pb2 import Event

from cnnspec.diagnostics import Problem, SpecError
from cnnspec.training import runs
from cnnspec.training.commands import as_json, evaluate
from cnnspec.training.interrupts import Interrupts
from cnnspec.training.loop import Loop
from cnnspec.training.records import read_events
from cnnspec.training.trained import open_trained
from cnnspec.training.trainer import train
from cnnspec.training.weights import read_weights, write_weights

pytestmark = pytest.mark.usefixtures("unrendered")


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return first.keys() == second.keys() and all(first[n].tobytes() == second[n].tobytes() for n in first)


def codes(*arguments: Any, **options: Any) -> list[tuple[str, str]]:
    with pytest.raises(SpecError) as caught:
        train(*arguments, quiet=True, **options)
    return [(d.code, d.message) for d in caught.value.diagnostics]


@pytest.fixture(scope="module")
def whole(tiny, recipe, tmp_path_factory):
    return train(tiny, recipe, out=tmp_path_factory.mktemp("run") / "whole", quiet=True)


def stop_at(monkeypatch, step: int, number: int = signal.SIGTERM) -> None:
    """Send this process a signal when the loop has made `step` steps."""
    stopped = Loop._stopped

    def interrupted(self: Loop, interrupts: Interrupts) -> int | None:
        if self.done == step:
            os.kill(os.getpid(), number)
        return stopped(self, interrupts)

    monkeypatch.setattr(Loop, "_stopped", interrupted)


def test_a_training_learns_and_leaves_its_record(whole):
    folder = whole.folder
    assert whole.metrics["top1"] > 0.3
    assert {p.name for p in folder.iterdir()} >= {
        "spec.yaml", "recipe.yaml", "run.json", "metrics.jsonl", "checkpoints", "weights.safetensors", "result.json",
        "curves.png", "confusion.png", "predictions.png",
    }  # fmt: skip
    held = [e for e in read_events(folder) if e["kind"] == "evaluation"]
    assert [e["step"] for e in held] == [8, 16, 24]
    assert {e["images"] for e in held} == {359}
    assert [np.trace(e["confusion"]) / 359 for e in held] == pytest.approx([e["top1"] for e in held])
    assert [len(e["per_class"]) for e in held] == [10, 10, 10]
    result = json.loads((folder / "result.json").read_text())
    assert result["top1"] == whole.metrics["top1"] == held[-1]["top1"]
    assert same(read_weights(folder), {**whole.params, **whole.state})


@pytest.mark.parametrize("step", [3, 8, 19])
def test_a_stopped_training_goes_on_bit_for_bit(whole, tiny, recipe, tmp_path, monkeypatch, step):
    with monkeypatch.context() as patched:
        stop_at(patched, step)
        part = train(tiny, recipe, out=tmp_path / "part", quiet=True)
    assert part.interrupted == signal.SIGTERM
    assert part.metrics["steps"] == step
    assert not (part.folder / "weights.safetensors").exists()
    rest = train("tiny", out=tmp_path / "part", resume=True, quiet=True)
    assert rest.interrupted is None
    assert same(rest.params, whole.params)
    assert same(rest.state, whole.state)
    steps = [e["step"] for e in read_events(part.folder) if e["kind"] == "evaluation"]
    assert steps == [8, 16, 24]


def test_a_finished_run_can_be_opened_evaluated_and_resumed_to_nothing(whole):
    again = train("tiny", out=whole.folder, resume=True, quiet=True)
    assert same(again.params, whole.params)
    shorter = train("tiny", out=whole.folder, resume=True, overrides={"steps": 8}, quiet=True)
    assert same(shorter.params, whole.params)
    trained = open_trained(whole.folder)
    found = as_json(evaluate(trained))
    assert found["top1"] == pytest.approx(whole.metrics["top1"])
    best = open_trained(whole.folder, "best")
    held = [e["top1"] for e in read_events(whole.folder) if e["kind"] == "evaluation"]
    assert evaluate(best).evaluation.top1 == pytest.approx(max(held))


def test_two_trainings_are_equal_and_another_seed_is_not(whole, tiny, recipe, tmp_path):
    again = train(tiny, recipe, out=tmp_path / "again", quiet=True)
    assert same(again.params, whole.params)
    other = train(tiny, recipe, out=tmp_path / "other", overrides={"seed": 1, "steps": 8}, quiet=True)
    assert not same(other.params, whole.params)


def test_a_second_run_does_not_overwrite_the_first(whole, tiny, recipe):
    assert [c for c, _ in codes(tiny, recipe, out=whole.folder)] == ["E861"]
    assert [c for c, _ in codes("tiny", out=whole.folder / "nothing", resume=True)] == ["E861"]


def sgd(recipe: dict[str, Any], rate: float, decay: float = 0.0) -> dict[str, Any]:
    rule = {"name": "sgd", "learning_rate": rate, "momentum": 0.0, "weight_decay": decay}
    return {**recipe, "ema": None, "checkpoint_every": 1, "optimizer": rule}


def test_a_training_that_diverges_stops_with_what_is_known(tiny, recipe, tmp_path):
    ((code, message),) = codes(tiny, {**sgd(recipe, 3e38), "checkpoint_every": 8}, out=tmp_path / "run")
    assert code == "E860"
    assert "learning rate of 3e+38" in message
    ((code, message),) = codes(tiny, sgd(recipe, 1e7), out=tmp_path / "exploded")
    assert code == "E860"
    assert re.search(r"at step 2 the loss is \d\.\d+e\+\d+ ", message)


def test_what_is_not_finite_is_never_saved(tiny, recipe, tmp_path):
    """The loss of the first step is finite, and the weights after its update are not."""
    ((code, message),) = codes(tiny, sgd(recipe, 1e20, decay=1e30), out=tmp_path / "run")
    assert code == "E860"
    assert "after step 1" in message
    assert "`params c1.kernel` the first" in message
    assert runs.newest_step(tmp_path / "run") is None


def test_the_place_of_a_divergence_is_the_learning_rate(tmp_path, tiny):
    path = tmp_path / "hot.yaml"
    path.write_text("steps: 20\nbatch_size: 32\noptimizer: {name: sgd, learning_rate: 1e38}\n")
    with pytest.raises(SpecError) as caught:
        train(tiny, path, out=tmp_path / "run", quiet=True)
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.span.line, diagnostic.span.column) == (3, 39)


def test_frozen_weights_stay_and_taken_weights_are_told(whole, tiny, recipe, tmp_path):
    options = {"weights": str(whole.folder), "freeze": ["c1"], "steps": 8, "ema": None}
    done = train(tiny, {**recipe, **options}, out=tmp_path / "tuned", set={"classes": 12}, quiet=True)
    for path, value in {**done.params, **done.state}.items():
        before = {**whole.params, **whole.state}.get(path)
        if path.startswith("c1."):
            assert before is not None
            assert value.tobytes() == before.tobytes()
    assert done.params["fc.kernel"].shape[-1] == 12
    assert [c for c, _ in codes(tiny, {**recipe, "freeze": ["c9"]}, out=tmp_path / "x")] == ["E862"]


def test_weights_that_are_damaged_or_of_another_network_are_refused(tiny, recipe, tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    write_weights(tmp_path / "other.safetensors", {"a.b": np.zeros(3, np.float32)})
    for name in ("bad.safetensors", "other.safetensors", "absent"):
        found = codes(tiny, {**recipe, "weights": str(tmp_path / name)}, out=tmp_path / "x")
        assert [c for c, _ in found] == ["E866"]


def test_a_recipe_that_asks_for_what_the_network_has_not_is_refused_in_its_place(tiny, recipe, tmp_path):
    with pytest.raises(SpecError) as caught:
        train(
            tiny,
            {**recipe, "loss": {"name": "cross_entropy", "auxiliary": {"aux9": 0.3}}},
            out=tmp_path / "x",
            quiet=True,
        )
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E862"
    assert diagnostic.span is not None
    assert "aux9" in diagnostic.span.source.line(diagnostic.span.line)
    found = codes(tiny, {**recipe, "dataset": "digits"}, out=tmp_path / "x", set={"classes": 7})
    assert [c for c, _ in found] == ["E852"]
    assert not (tmp_path / "x").exists()


def test_a_full_disk_is_told_and_the_checkpoints_stay_whole(whole, tiny, recipe, tmp_path, monkeypatch):
    room = iter([1 << 30, 1000, 1000, 1000])  # for the checkpoint of step 8, and not for the next
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=next(room)))
    ((code, message),) = codes(tiny, recipe, out=tmp_path / "run")
    assert code == "E864"
    assert message.endswith("a checkpoint needs 1.1 MB, and 0.0 MB are left")
    assert runs.newest_step(tmp_path / "run") == 8
    monkeypatch.undo()
    assert same(train("tiny", out=tmp_path / "run", resume=True, quiet=True).params, whole.params)


FILLS_UP = """
import json, resource, sys
from cnnspec.training import train
resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * int(sys.argv[3]),) * 2)
train(*json.loads(sys.argv[1]), out=sys.argv[2], quiet=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("limit", [10, 20, 60])
def test_a_disk_that_fills_up_in_the_midst_of_writing_corrupts_nothing(whole, tiny, recipe, tmp_path, limit):
    """The system refuses to write beyond so many kB a file, as a full disk does; in a process of its own."""
    folder = tmp_path / "run"
    command = [sys.executable, "-W", "ignore", "-c", FILLS_UP, json.dumps([tiny, recipe]), str(folder), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "error[E864]" in done.stderr, done.stderr[-2000:]
    assert same(train("tiny", out=folder, resume=True, quiet=True).params, whole.params)


def test_a_training_outside_the_main_thread_works(tiny, recipe, tmp_path):
    done: list[Any] = []
    worker = threading.Thread(
        target=lambda: done.append(train(tiny, {**recipe, "steps": 8}, out=tmp_path / "run", quiet=True))
    )
    worker.start()
    worker.join()
    assert done[0].metrics["steps"] == 8


def test_runs_are_numbered_and_the_newest_is_resumed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for expected in ("runs/net", "runs/net-2", "runs/net-3"):
        folder = runs.new_folder(None, "net")
        assert folder == Path(expected)
        folder.mkdir(parents=True)
        runs.write_run(folder, {})
    os.utime("runs/net-2/run.json", (2**31 - 1, 2**31 - 1))
    assert runs.folder_to_resume(None, "net") == Path("runs/net-2")


def test_precision_mixing_smoothing_accumulation_and_clipping_go_together(tiny, recipe, tmp_path):
    changes = {
        "precision": "bfloat16", "mixing": {"mixup": 0.2, "cutmix": 1.0}, "accumulate": 2, "clip": 1.0, "steps": 100,
        "loss": {"name": "cross_entropy", "label_smoothing": 0.1}, "evaluate_every": 100,
    }  # fmt: skip
    done = train(tiny, {**recipe, **changes}, out=tmp_path / "run", quiet=True)
    assert done.metrics["top1"] > 0.4
    assert {value.dtype.name for value in done.params.values()} == {"float32"}


def test_a_run_that_was_killed_before_its_first_checkpoint_still_starts_from_the_given_weights(
    whole, tiny, recipe, tmp_path, monkeypatch
):
    def killed(self: Loop) -> None:
        raise KeyboardInterrupt

    tuning = {**recipe, "weights": str(whole.folder), "freeze": ["c1"], "steps": 8}
    with monkeypatch.context() as patched:
        patched.setattr(Loop, "run", killed)
        with pytest.raises(KeyboardInterrupt):
            train(tiny, tuning, out=tmp_path / "run", quiet=True)
    done = train("tiny", out=tmp_path / "run", resume=True, quiet=True)
    assert done.params["c1.kernel"].tobytes() == whole.params["c1.kernel"].tobytes()


def test_a_run_goes_on_from_any_folder(whole, tiny, recipe, tmp_path, monkeypatch):
    """Pictures and weights were given by relative paths; one picture cannot be read, and is counted and named."""
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for index in range(20):
            Image.new("L", (8, 8), 100 + index).save(tmp_path / "pets" / name / f"{index}.png")
    (tmp_path / "pets" / "cat" / "3.png").write_bytes(b"no picture")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    changes = {"dataset": {"name": "folder", "path": "pets", "corrupt": "skip"}, "steps": 4, "evaluate_every": 4,
               "weights": os.path.relpath(whole.folder)}  # fmt: skip
    done = train(tiny, {**recipe, **changes}, out="run", set={"classes": 2}, quiet=True)
    assert done.metrics["corrupt"] == 1
    assert list(json.loads((tmp_path / "run" / "result.json").read_text())["corrupt"]) == ["pets/cat/3.png"]
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert train("tiny", out="../run", resume=True, overrides={"steps": 8}, quiet=True).metrics["steps"] == 8
    assert json.loads((tmp_path / "run" / "run.json").read_text())["classes"] == ["cat", "dog"]


def test_tensorboard_is_told_what_the_record_is_told(tiny, recipe, tmp_path):
    """The records of TensorBoard's format: length, its checksum, an event, its checksum."""
    folder = train(tiny, {**recipe, "steps": 16}, out=tmp_path / "run", quiet=True).folder
    (path,) = (folder / "tensorboard").iterdir()
    data, place, found = path.read_bytes(), 0, {}
    while place < len(data):
        (length,) = struct.unpack("<Q", data[place : place + 8])
        event = Event.FromString(data[place + 12 : place + 12 + length])
        place += 16 + length
        found |= {(value.tag, event.step): value.simple_value for value in event.summary.value}
    held = [e for e in read_events(folder) if e["kind"] == "evaluation"]
    assert [found["evaluation/top1", e["step"]] for e in held] == pytest.approx([e["top1"] for e in held], rel=1e-6)
    assert ("train/learning_rate", 16) in found


@pytest.mark.parametrize("kept", [0, 7, 100])
def test_a_damaged_checkpoint_is_told(tiny, recipe, tmp_path, kept):
    folder = train(tiny, {**recipe, "steps": 16}, out=tmp_path / "run", quiet=True).folder
    for path in (folder / "checkpoints").rglob("state/**/*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(Problem, match="step 8 .* is damaged") as caught:
        open_trained(folder, "8")
    assert caught.value.code == "E861"
    ((code, message),) = codes("tiny", out=folder, resume=True, overrides={"steps": 24})
    assert (code, "step 16" in message) == ("E861", True)
