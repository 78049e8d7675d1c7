"""Artefacts: what is saved is what is loaded, in another process too; what is damaged is refused; writing is whole."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import cnnspec
from cnnspec.cli.main import main
from cnnspec.diagnostics import SpecError


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    compiled = cnnspec.compile("resnet18", set={"input.height": 32, "input.width": 32, "classes": 5})
    params, state = compiled.init()
    folder = tmp_path_factory.mktemp("artefact") / "net"
    cnnspec.save(compiled, folder, params, state)
    return compiled, params, state, folder


@pytest.fixture
def copy(saved, tmp_path):
    import shutil

    return shutil.copytree(saved[3], tmp_path / "net")


def test_the_artefact_equals_the_network_at_any_batch(saved):
    compiled, params, state, folder = saved
    artefact = cnnspec.load(folder)
    prepared = compiled.prepare(params, state)
    for batch in (1, 3, 5):
        x = np.random.default_rng(batch).standard_normal((batch, 32, 32, 3)).astype(np.float32)
        np.testing.assert_allclose(artefact(x)["logits"], compiled.infer(prepared, x)["logits"], rtol=1e-4, atol=1e-4)
    assert artefact.trained == ""
    assert sorted(p.name for p in folder.iterdir()) == [
        "manifest.json", "program.stablehlo", "report.md", "spec.yaml", "weights.safetensors"
    ]  # fmt: skip


def test_it_runs_in_a_fresh_process(saved, tmp_path):
    image = tmp_path / "image.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (50, 40, 3), np.uint8)).save(image)
    done = subprocess.run(
        [sys.executable, "-m", "cnnspec", "run", str(saved[3]), str(image), "--top", "2", "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    (row,) = json.loads(done.stdout)
    assert len(row["classes"]) == 2
    assert "untrained" in done.stderr


@pytest.mark.parametrize("name", ["weights.safetensors", "program.stablehlo", "spec.yaml", "report.md"])
@pytest.mark.parametrize("harm", ["truncate", "remove"])
def test_damaged_files_are_refused(copy, name, harm):
    path = copy / name
    if harm == "remove":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(SpecError, match="E802"):
        cnnspec.load(copy)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": 99, "files": {}}'])
def test_a_manifest_that_is_none(copy, text):
    (copy / "manifest.json").write_text(text)
    with pytest.raises(SpecError, match="E801"):
        cnnspec.load(copy)


def test_a_program_of_another_time_is_made_again(saved, copy):
    import hashlib

    program = copy / "program.stablehlo"
    program.write_bytes(b"of another time")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"]["program.stablehlo"] = hashlib.sha256(b"of another time").hexdigest()
    (copy / "manifest.json").write_text(json.dumps(manifest))
    again = cnnspec.load(copy)
    assert "made anew" in again.note
    x = np.ones((2, 32, 32, 3), np.float32)
    np.testing.assert_allclose(again(x)["logits"], cnnspec.load(saved[3])(x)["logits"], rtol=1e-4, atol=1e-5)


def test_writing_is_whole(saved, tmp_path, monkeypatch):
    compiled, params, state, _ = saved
    folder = tmp_path / "net"
    cnnspec.save(compiled, folder, params, state)
    before = (folder / "manifest.json").read_bytes()

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cnnspec.artefact_writing.report_text", fail)
    with pytest.raises(SpecError, match="E807"):
        cnnspec.save(compiled, folder, params, state)
    assert (folder / "manifest.json").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["net"]
    monkeypatch.undo()
    cnnspec.load(folder)


def test_what_is_no_artefact_is_not_replaced(saved, tmp_path):
    compiled, params, state, _ = saved
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SpecError, match="E805"):
        cnnspec.save(compiled, tmp_path, params, state)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_stages_are_printed():
    done = CliRunner().invoke(main, ["compile", "lenet5_modern", "--emit", "drop_identities"])
    assert done.exit_code == 0
    assert "%c1 = conv{filters=6, kernel=5x5, padding=valid" in done.output
    done = CliRunner().invoke(main, ["compile", "lenet5_modern", "--emit", "nothing"])
    assert done.exit_code == 2
