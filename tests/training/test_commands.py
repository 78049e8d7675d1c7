"""The commands, as a user types them."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from safetensors.numpy import load_file

from cnnspec.cli.main import main
from cnnspec.data.digits import load_digits
from cnnspec.training.loop import Loop


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def place(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    (folder / "tiny.yaml").write_text(tiny)
    (folder / "tiny.recipe.yaml").write_text(
        "steps: 60\nbatch_size: 32\nevaluate_every: 30\noptimizer: {name: adam, learning_rate: 0.02}\n"
        "normalise: {mean: 0.1, std: 0.4}\n"
    )
    result = call("train", folder / "tiny.yaml", "--out", folder / "run", "--json", "--seed", 3, "--with", "ema=0.9")
    assert result.exit_code == 0, result.output
    (folder / "result.json").write_text(result.stdout)
    return folder


def test_the_recipe_beside_the_spec_is_taken_and_its_fields_are_changed(place):
    result = json.loads((place / "result.json").read_text())
    assert (result["steps"], result["images"], result["folder"]) == (60, 359, str(place / "run"))
    recipe = (place / "run" / "recipe.yaml").read_text()
    assert "seed: 3" in recipe
    assert "ema: 0.9" in recipe


def test_eval_prints_a_table_or_json(place):
    text = call("eval", place / "run").output
    assert "top-1" in text
    assert "calibration error" in text
    found = json.loads(call("eval", place / "run", "--json", "--confusion", place / "c.png").output)
    assert found["top1"] == pytest.approx(json.loads((place / "result.json").read_text())["top1"])
    assert np.array(found["confusion"]).sum() == 359
    assert (place / "c.png").stat().st_size > 1000


def test_predict_names_classes_of_files_and_folders(place, tmp_path):
    for index in range(3):
        Image.fromarray(load_digits()[0][index, :, :, 0]).save(tmp_path / f"{index}.png")
    found = json.loads(
        call("predict", place / "run", tmp_path, "--json", "--top", 3, "--sheet", tmp_path / "sheet.jpg").output
    )
    assert [Path(f["image"]).name for f in found] == ["0.png", "1.png", "2.png"]
    assert all(len(f["predictions"]) == 3 for f in found)
    assert sum(f["predictions"][0]["class"] == str(i) for i, f in enumerate(found)) >= 2
    assert "probability" in call("predict", place / "run", tmp_path / "0.png").output


@pytest.fixture(scope="module")
def artefact(place):
    """The run compiled, after a training with its own way of normalising and with names for its classes."""
    made = call("compile", "--checkpoint", place / "run", "-o", place / "artefact")
    assert made.exit_code == 0, made.output
    return place / "artefact"


def test_a_checkpoint_compiled_evaluates_as_the_run(place, artefact):
    first = json.loads(call("eval", place / "run", "--json").output)
    second = json.loads(call("eval", artefact, "--data", "digits", "--json").output)
    assert second["confusion"] == first["confusion"]
    assert second["bins"][-1]["confidence"] == pytest.approx(first["bins"][-1]["confidence"], rel=1e-5)


def test_an_artefact_knows_the_pixels_and_the_classes_of_its_training(place, artefact, tmp_path):
    for index in range(4):
        Image.fromarray(load_digits()[0][index, :, :, 0]).save(tmp_path / f"{index}.png")
    of_run, of_artefact = (json.loads(call("predict", f, tmp_path, "--json").output) for f in (place / "run", artefact))
    run = json.loads(call("run", artefact, *sorted(tmp_path.iterdir()), "--top", 1, "--json").output)
    for one, two, three in zip(of_run, of_artefact, run, strict=True):
        assert [p["class"] for p in one["predictions"]] == [p["class"] for p in two["predictions"]]
        assert three["classes"][0]["label"] == one["predictions"][0]["class"]
        assert three["classes"][0]["probability"] == pytest.approx(one["predictions"][0]["probability"], abs=1e-4)
    manifest = json.loads((artefact / "manifest.json").read_text())
    assert manifest["labels"] == [str(d) for d in range(10)]
    assert "trained on digits by the recipe tiny.recipe: top-1" in manifest["trained"]
    assert manifest["inputs"]["input"]["spec"]["preprocess"]["mean"] == [0.1]


def test_an_older_checkpoint_is_compiled_by_its_step_and_to_onnx(place, tmp_path):
    made = call("compile", "--checkpoint", f"{place / 'run'}:30", "-o", tmp_path / "early")
    assert made.exit_code == 0, made.output
    assert "(30)" in json.loads((tmp_path / "early" / "manifest.json").read_text())["trained"]
    early = load_file(tmp_path / "early" / "weights.safetensors")
    assert any((early[n] != v).any() for n, v in load_file(place / "run" / "weights.safetensors").items())
    made = call("compile", "--checkpoint", place / "run", "--target", "onnx", "-o", tmp_path / "tiny.onnx")
    assert made.exit_code == 0, made.output


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("train", "{}/tiny.yaml", "--out", "{}/run"), "E861"),
        (("train", "{}/tiny.yaml", "--recipe", "no_such"), "E865"),
        (("train", "{}/tiny.yaml", "--data", "{}/absent"), "E850"),
        (("train", "{}/tiny.yaml", "--set", "classes=5"), "E852"),
        (("train", "{}/tiny.yaml", "--set", "input.channels=7"), "E853"),
        (("train", "{}/tiny.yaml", "--mesh", "model=2"), "E863"),
        (("train", "{}/tiny.yaml", "--mesh", "data=4096"), "E863"),
        (("train", "{}/tiny.yaml", "--weights", "{}/tiny.yaml"), "E866"),
        (("train", "{}/tiny.yaml", "--freeze", "nothing"), "E862"),
        (("train", "{}/tiny.yaml", "--with", "optimizer.name=sdg"), "E105"),
        (("train", "{}/tiny.yaml", "--batch-size", "0"), "E104"),
        (("eval", "{}"), "E861"),
        (("eval", "{}/run", "--checkpoint", "7"), "E861"),
        (("eval", "{}/run", "--data", "{}/absent"), "E850"),
        (("predict", "{}/run", "{}/absent.png"), "E850"),
        (("predict", "{}/run", "{}/tiny.yaml"), "E855"),
        (("compile", "--checkpoint", "{}", "-o", "{}/x"), "E861"),
        (("compile", "--checkpoint", "{}/run:7", "-o", "{}/x"), "E861"),
        (("compile", "lenet5", "--checkpoint", "{}/run", "-o", "{}/x"), "E803"),
        (("train", "{}/tiny.yaml", "--with", "loss=rbf"), "E862"),
        (("train", "{}/tiny.yaml", "--with", "optimizer.decay_exempt=[fcc]"), "E862"),
        (("train", "{}/tiny.yaml", "--with", "steps=3", "--with", "accumulate=7"), "E862"),
    ],
)  # fmt: skip
def test_mistakes_are_diagnostics(place, arguments, code, monkeypatch):
    monkeypatch.chdir(place)
    result = call(*(a.format(place) for a in arguments))
    assert result.exit_code == 1, result.output
    assert f"error[{code}]" in result.output
    assert not (place / "runs").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_stops_and_says_how_to_go_on(place, tmp_path, monkeypatch, number):
    stopped = Loop._stopped

    def interrupted(self, interrupts):
        if self.done == 7:
            os.kill(os.getpid(), number)
        return stopped(self, interrupts)

    with monkeypatch.context() as patched:
        patched.setattr(Loop, "_stopped", interrupted)
        result = call("train", place / "tiny.yaml", "--out", tmp_path / "run")
    assert result.exit_code == 128 + number
    said = "stopped and saved at step 7; go on with `cnnspec train "
    assert said in result.output
    again = call(*result.output.split("go on with `cnnspec ")[1].split("`")[0].split(), "--quiet", "--json")
    assert json.loads(again.stdout)["steps"] == 60


def test_a_run_that_is_resumed_keeps_its_network(place):
    for option in (("--set", "classes=5"), ("--weights", "x"), ("--freeze", "c1"), ("--width", "2")):
        assert call("train", place / "tiny.yaml", "--resume", "--out", place / "run", *option).exit_code == 2


def test_the_recipes_are_listed_chosen_and_printed():
    assert "lenet5" in call("recipes").output
    assert {r["name"] for r in json.loads(call("recipes", "--json").output)} >= {"lenet5", "capsnet", "resnet_imagenet"}
    assert [r["name"] for r in json.loads(call("recipes", "--for", "resnet50", "--json").output)] == [
        "imagenet_network_digits", "resnet_imagenet",
    ]  # fmt: skip
    assert call("recipes", "lenet5").output.startswith("title: LeNet-5")
    missing = call("recipes", "lenet")
    assert (missing.exit_code, "did you mean `lenet5`?" in missing.output) == (1, True)


@pytest.fixture(scope="module")
def pets(place, tmp_path_factory):
    """A network trained on a folder of pictures, and the folder."""
    folder = tmp_path_factory.mktemp("pets")
    for index in range(20):
        for label in ("0", "1"):
            (folder / "data" / label).mkdir(parents=True, exist_ok=True)
            Image.new("L", (8, 8), 100 + index).save(folder / "data" / label / f"{index}.png")
    result = call(
        "train", place / "tiny.yaml", "--out", folder / "run", "--data", folder / "data", "--with", "steps=2", "--quiet"
    )
    assert result.exit_code == 0, result.output
    return folder


def test_data_takes_the_place_of_the_recipes_source(place, pets, tmp_path):
    assert "path:" in (pets / "run" / "recipe.yaml").read_text()
    found = json.loads(call("eval", pets / "run", "--data", "digits", "--json").output)
    assert found["images"] == 359
    recipe = tmp_path / "folder.yaml"
    recipe.write_text(f"dataset: {{name: folder, path: {pets / 'data'}}}\nsteps: 2\nbatch_size: 8\n")
    result = call(
        "train", place / "tiny.yaml", "--recipe", recipe, "--data", "digits", "--out", tmp_path / "run", "--json"
    )
    assert json.loads(result.stdout)["images"] == 359


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("train", "{place}/tiny.yaml", "--data", "{pets}/data", "--set", "classes=1"), "E852"),
        (("train", "{place}/tiny.yaml", "--data", "{pets}/colour"), "E853"),
        (("eval", "{place}/run", "--data", "{pets}/colour"), "E853"),
        (("eval", "{place}/run", "--data", "{pets}/unknown"), "E852"),
        (("eval", "{place}/run", "--data", "{pets}/absent"), "E850"),
    ],
)  # fmt: skip
def test_mistakes_in_the_data_point_at_the_option_that_named_it(place, pets, arguments, code):
    for name, classes, mode in (("colour", "01", "RGB"), ("unknown", "xy", "L")):
        for label in classes:
            (pets / name / label).mkdir(parents=True, exist_ok=True)
            for index in range(6):
                Image.new(mode, (8, 8)).save(pets / name / label / f"{index}.png")
    result = call(*(a.format(place=place, pets=pets) for a in arguments))
    assert result.exit_code == 1, result.output
    assert result.output.startswith(f"--data:1:1: error[{code}]"), result.output


def test_a_param_that_the_recipe_sets_is_shown_in_the_recipe(place, tmp_path):
    recipe = tmp_path / "other.yaml"
    recipe.write_text("set:\n  nonsense: 3\n  classes: ten\nsteps: 2\n")
    result = call("train", place / "tiny.yaml", "--recipe", recipe, "--out", tmp_path / "run")
    assert f"{recipe}:2:3: error[E405]" in result.output
    result = call("train", place / "tiny.yaml", "--recipe", recipe, "--out", tmp_path / "run", "--set", "nonsense=1")
    assert "--set:1:1: error[E405]" in result.output


def test_a_picture_that_is_none_is_named_and_a_folder_is_none(place, tmp_path):
    (tmp_path / "3.jpg").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "3.jpg" / "inside.png")
    assert len(json.loads(call("predict", place / "run", tmp_path, "--json").output)) == 1
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    result = call("predict", place / "run", tmp_path)
    assert result.exit_code == 1
    assert "error[E855]" in result.output
    assert "gone.png cannot be read" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "{}/tiny.yaml", "--processes", "2"), "--coordinator"),
        (("train", "{}/tiny.yaml", "--process", "3"), "--coordinator"),
        (("train", "{}/tiny.yaml", "--data", "digits:/somewhere"), "`digits` comes along and has no files"),
        (("eval", "{}/run", "--data", "digits:/somewhere"), "`digits` comes along and has no files"),
        (("eval", "{}/run", "--confusion", "foo.txt"), "`foo.txt` should end in .png"),
        (("predict", "{}/run", "{}", "--sheet", "foo"), "`foo` should end in .png"),
        (("compile", "{}/tiny.yaml", "--target", "onnx", "--tune"), "an ONNX file has none"),
        (("compile", "{}/tiny.yaml", "--target", "onnx", "--explain"), "an ONNX file has none"),
    ],
)  # fmt: skip
def test_a_command_called_wrongly_exits_with_2(place, arguments, said):
    result = call(*(a.format(place) for a in arguments))
    assert (result.exit_code, said in " ".join(result.output.split())) == (2, True), result.output


def test_recipes_of_a_network_that_is_not_there_are_told():
    result = call("recipes", "--for", "lenet55")
    assert (result.exit_code, "did you mean `lenet5`?" in result.output) == (1, True)


def test_a_picture_is_of_the_kind_that_its_name_says(place, tmp_path):
    assert call("eval", place / "run", "--confusion", tmp_path / "c.jpg").exit_code == 0
    assert (tmp_path / "c.jpg").read_bytes().startswith(b"\xff\xd8")
