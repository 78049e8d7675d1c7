"""`cnnspec run` on what it cannot run: a mistake in the call or a diagnostic, and never a traceback."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import cnnspec
from cnnspec.cli.main import main
from cnnspec.cli.run import _numbers
from cnnspec.manifest import FORMAT

IMAGE = "input: {height: 4, width: 4, channels: 1}\n"


def saved(folder: Path, inputs: str, layers: str, outputs: str) -> Path:
    compiled = cnnspec.compile(f"cnnspec: 1\nname: n\n{inputs}layers:\n{layers}outputs: {outputs}\n")
    params, state = compiled.init(seed=0)
    Image.new("L", (4, 4)).save(folder / "picture.png")
    return cnnspec.save(compiled, folder / "net", params, state)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    layers = "- {id: a, flatten: {}}\n- {id: b, linear: {features: 2}}\n"
    return saved(tmp_path_factory.mktemp("run"), IMAGE, layers, "{logits: b}")


def run(folder: Path, *more: str) -> Result:
    return CliRunner().invoke(main, ["run", str(folder), str(folder.parent / "picture.png"), *more])


@pytest.mark.parametrize("outputs", ["{foo: b}", "{output: a}"])
def test_outputs_that_are_no_classes(tmp_path: Path, outputs: str) -> None:
    layers = "- {id: a, conv: {filters: 2}}\n- flatten: {}\n- {id: b, linear: {features: 2}}\n"
    net = saved(tmp_path, IMAGE, layers, outputs)
    done = run(net)
    assert done.exit_code == 2
    assert "is the scores of classes" in done.output
    assert run(net, "--raw").exit_code == 0


def test_a_network_of_two_inputs(tmp_path: Path) -> None:
    inputs = "inputs:\n  a: {features: 2}\n  b: {features: 2}\n"
    net = saved(tmp_path, inputs, "- {id: sum, from: [a, b], add: {}}\n", "{logits: sum}")
    done = run(net)
    assert done.exit_code == 2
    assert "the network takes a, b, and not one picture" in done.output


def test_labels_that_are_no_text(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "labels").write_bytes(b"\xff\xfe\x00")
    done = run(folder, "--labels", str(tmp_path / "labels"))
    assert done.exit_code == 2
    assert "is no text" in done.output


@pytest.mark.parametrize(
    ("field", "value"),
    [("inputs", 3), ("inputs", {}), ("weights", None), ("outputs", []), ("derived", 1), ("format", FORMAT + 1)],
)
def test_a_manifest_that_does_not_fit(folder: Path, tmp_path: Path, field: str, value: object) -> None:
    manifest = json.loads((folder / "manifest.json").read_text()) | {field: value}
    assert refused(tmp_path, manifest)


@pytest.mark.parametrize("manifest", [{}, {"format": 1}, [], None, 3])
def test_what_is_no_manifest(tmp_path: Path, manifest: object) -> None:
    assert refused(tmp_path, manifest)


def refused(folder: Path, manifest: object) -> bool:
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(cnnspec.SpecError) as caught:
        cnnspec.load(folder)
    return [d.code for d in caught.value.diagnostics] == ["E801"]


def test_numbers_that_are_not_finite_are_null() -> None:
    assert _numbers(np.array([1.5, np.nan, np.inf])) == [1.5, None, None]
    assert _numbers(np.float32(2.0)) == 2.0


def test_a_manifest_of_the_format_before(folder: Path, tmp_path: Path) -> None:
    """It lacks nothing, and is read."""
    shutil.copytree(folder, tmp_path / "net")
    path = tmp_path / "net" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 1}))
    assert cnnspec.load(tmp_path / "net").infer(np.zeros((1, 4, 4, 1), np.float32))["logits"].shape == (1, 2)
