"""Going on with a run: what it keeps, what may change, and what is said of runs that are damaged or incomplete."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnnspec.cli.main import loading, main
from cnnspec.training import runs
from cnnspec.training.checkpoints import Checkpoints
from cnnspec.training.loop import Loop
from cnnspec.training.trainer import train

pytestmark = pytest.mark.usefixtures("unrendered")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def made(tiny, recipe, tmp_path_factory):
    """A run of 16 steps, with checkpoints of steps 8 and 16."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "tiny.yaml").write_text(tiny)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("cnnspec.training.pictures._save", lambda figure, path: path.touch())
        train(folder / "tiny.yaml", {**recipe, "steps": 16}, out=folder / "run", quiet=True)
    return folder


@pytest.fixture
def run(made, tmp_path):
    """A copy of that run, to be treated badly."""
    return Path(shutil.copytree(made / "run", tmp_path / "run"))


def test_what_a_resumed_run_is_given_holds_for_the_next_time_too(made, run, monkeypatch):
    done = Loop._stopped
    with monkeypatch.context() as patched:
        patched.setattr(Loop, "_stopped", lambda self, seen: 2 if self.done == 20 else done(self, seen))
        stopped = call("train", made / "tiny.yaml", "--resume", "--out", run, "--with", "steps=24", "--quiet")
    assert stopped.exit_code == 130, stopped.output
    assert "steps: 24" in (run / runs.RECIPE).read_text()
    again = call(*stopped.output.split("go on with `cnnspec ")[1].split("`")[0].split())
    assert again.exit_code == 0, again.output
    assert runs.newest_step(run) == 24


@pytest.mark.parametrize(
    ("option", "value", "field"),
    [("--seed", "5", "seed: 0"), ("--batch-size", "16", "batch_size: 32"), ("--with", "dataset.held_out=0.5", "dataset.held_out: 0.2")],
)  # fmt: skip
def test_what_orders_the_images_is_kept(made, run, option, value, field):
    before = (run / runs.RECIPE).read_text()
    result = call("train", made / "tiny.yaml", "--resume", "--out", run, option, value)
    assert result.exit_code == 1
    assert f"{option}" in result.output.split(": error[E861]: ")[0]
    assert f"the run was begun with `{field}`" in result.output
    assert (run / runs.RECIPE).read_text() == before


def test_a_length_that_is_passed_already_is_told_and_not_kept(made, run):
    before = (run / runs.RECIPE).read_text()
    result = call("train", made / "tiny.yaml", "--resume", "--out", run, "--epochs", 0.1)
    assert result.exit_code == 0, result.output
    assert "step 16 is done and 4 are asked for: nothing is left to do" in result.output
    assert (run / runs.RECIPE).read_text() == before


def test_a_run_is_resumed_by_the_name_of_its_network_only(run):
    result = call("train", "vgg11", "--resume", "--out", run)
    assert result.exit_code == 1
    assert "error[E861]" in result.output
    assert "is a run of tiny, not of vgg11" in result.output
    assert "tiny.yaml --resume --out" in result.output


def test_a_checkpoint_of_another_network_is_told_by_name(run, tmp_path):
    result = call("compile", "lenet5", "--checkpoint", run, "-o", tmp_path / "x")
    assert result.exit_code == 1
    assert "is a run of tiny, not of lenet5" in result.output


def test_another_optimiser_is_no_damage(made, run):
    result = call(
        "train", made / "tiny.yaml", "--resume", "--out", run, "--with", "steps=24", "--with", "optimizer=sgd"
    )
    assert result.exit_code == 1
    assert "--with optimizer:1:1: error[E861]" in result.output
    assert "has other arrays than this recipe asks for" in result.output


def truncate(folder: Path, pattern: str = "**/*") -> None:
    for path in folder.glob(pattern):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:10])


@pytest.mark.parametrize("pattern", ["**/*", "metrics/metrics", "note/metadata", "state/**/*"])
def test_a_damaged_checkpoint_is_told_with_one_that_is_whole(made, run, pattern):
    truncate(run / "checkpoints" / "16", pattern)
    command = ("train", made / "tiny.yaml", "--resume", "--out", run, "--with", "steps=24")
    result = call(*command)
    assert result.exit_code == 1
    assert "error[E861]: the checkpoint of step 16 in" in result.output
    assert "the checkpoint of step 8 is whole" in result.output
    shutil.rmtree(run / "checkpoints" / "16")
    assert call(*command).exit_code == 0


def test_where_no_checkpoint_is_whole_none_is_named(made, run):
    truncate(run / "checkpoints")
    result = call("train", made / "tiny.yaml", "--resume", "--out", run, "--with", "steps=24")
    assert result.exit_code == 1
    assert "no other checkpoint is whole" in result.output


@pytest.mark.parametrize("command", [("eval",), ("predict",), ("compile", "--checkpoint")])
def test_a_run_before_its_first_checkpoint_is_told(run, tmp_path, command):
    shutil.rmtree(run / "checkpoints")
    (run / "weights.safetensors").unlink()
    result = call(*command, run, *([tmp_path] if command == ("predict",) else []))
    assert result.exit_code == 1
    assert "has no checkpoint yet" in result.output
    assert "--resume --out" in result.output


@pytest.mark.parametrize("name", [runs.RECIPE, runs.SPEC])
def test_an_incomplete_run_is_told(made, run, name):
    (run / name).unlink()
    for command in (
        ("eval", run),
        ("compile", "--checkpoint", run),
        ("train", made / "tiny.yaml", "--resume", "--out", run),
    ):
        result = call(*command)
        assert result.exit_code == 1
        assert f"error[E861]: the run in {run} is incomplete: it has no {name}" in result.output.replace("`", "")


def test_a_key_that_interrupts_before_the_first_step_exits_as_such(made, tmp_path, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoints, "__init__", interrupted)
    result = call("train", made / "tiny.yaml", "--out", tmp_path / "run")
    assert (result.exit_code, "interrupted" in result.output) == (130, True)


def test_a_key_that_interrupts_the_loading_of_libraries_ends_the_process():
    before = signal.getsignal(signal.SIGINT)
    with loading():
        assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) == before
