"""`cnnspec weights`: from a peer's file to a network that runs with it, and from one spec to another."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file, save_file

from cnnspec.cli.main import main
from cnnspec.frontend import load_spec
from cnnspec.weights.conventions import recorded_convention
from cnnspec.weights.importing import write_weights
from cnnspec.weights.synthetic import synthetic_weights
from tests.weights.checkpoints import mobilenet_of_keras, resnet18_of_torchvision, write_numbered

TINY = """cnnspec: 1
name: tiny
params: {convention: {choice: [torchvision, keras], default: torchvision}, classes: 3}
input: {height: 4, width: 4, channels: 1}
layers:
  - {id: conv1, conv: {filters: 2, padding: "${'same' if convention == 'keras' else 'half'}"}}
  - global_avg_pool
  - {id: fc, linear: {features: $classes}}
"""


def run(*arguments: object):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


def test_a_file_of_torchvision_becomes_weights_of_the_spec(tmp_path):
    arrays = resnet18_of_torchvision()
    save_file(arrays, tmp_path / "theirs.safetensors")
    out = tmp_path / "ours.safetensors"
    done = run("weights", "import", "resnet18", tmp_path / "theirs.safetensors", "--from", "torchvision", "-o", out)
    assert done.exit_code == 0, done.output
    assert f"use it: cnnspec compile resnet18 --weights {out}" in done.output
    assert (load_file(out)["conv1.kernel"] == arrays["conv1.weight"].transpose(2, 3, 1, 0)).all()
    assert recorded_convention(out) == "torchvision"


def test_the_network_follows_the_peer_that_the_weights_are_from(tmp_path):
    file, out = write_numbered(tmp_path / "x.weights.h5", mobilenet_of_keras()), tmp_path / "ours.safetensors"
    done = run("weights", "import", "mobilenet_v1_025_128", file, "--from", "keras", "-o", out)
    assert done.exit_code == 0, done.output
    assert recorded_convention(out) == "keras"
    done = run(
        "weights", "import", "mobilenet_v1_025_128", file, "--from", "keras", "-o", out, "--set", "convention=timm"
    )
    assert "--set convention=timm --weights" in done.output  # whoever asks for another gets it
    assert recorded_convention(out) == "timm"


def test_a_network_is_scaled_to_that_of_the_file(tmp_path):
    file, out = write_numbered(tmp_path / "x.weights.h5", mobilenet_of_keras()), tmp_path / "ours.safetensors"
    assert "error[E812]" in run("weights", "import", "mobilenet_v1", file, "--from", "keras", "-o", out).stderr
    done = run("weights", "import", "mobilenet_v1", file, "--from", "keras", "-o", out, "--width", "0.25")
    assert done.exit_code == 0, done.output
    assert f"use it: cnnspec compile mobilenet_v1 --width 0.25 --weights {out}" in done.output


def test_a_family_of_ones_own_brings_its_rules(tmp_path, tiny):
    arrays = {"body.0.weight": np.ones((2, 1, 3, 3)), "body.0.bias": np.ones(2), "head.weight": np.ones((3, 2)),
              "head.bias": np.ones(3)}  # fmt: skip
    save_file({n: a.astype(np.float32) for n, a in arrays.items()}, tmp_path / "theirs.safetensors")
    asked = ("weights", "import", tiny, tmp_path / "theirs.safetensors", "--from", "torchvision")
    assert "error[E810]" in run(*asked).stderr
    (tmp_path / "rules.yaml").write_text("- {match: 'body\\.0', to: conv1}\n- {match: head, to: fc}\n")
    done = run(*asked, "--rules", tmp_path / "rules.yaml", "-o", tmp_path / "ours.safetensors")
    assert done.exit_code == 0, done.output
    assert set(load_file(tmp_path / "ours.safetensors")) == {"conv1.kernel", "conv1.bias", "fc.kernel", "fc.bias"}
    assert "error[E001]" in run(*asked, "--rules", tmp_path / "nothing.yaml").stderr


def test_weights_of_another_convention_are_refused_where_they_would_fit(tmp_path, tiny):
    file = write_weights(tmp_path / "w.safetensors", synthetic_weights(load_spec(tiny).graph), convention="keras")
    done = run("compile", tiny, "--weights", file, "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert "error[E817]" in done.stderr
    assert "--set convention=keras" in done.stderr
    assert not (tmp_path / "out").exists()
    done = run("compile", tiny, "--set", "convention=keras", "--weights", file, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output


def test_a_training_refuses_weights_of_another_convention(tmp_path):
    spec = tmp_path / "digits.yaml"
    spec.write_text(TINY.replace("classes: 3", "classes: 10").replace("height: 4, width: 4", "height: 8, width: 8"))
    file = write_weights(tmp_path / "w.safetensors", synthetic_weights(load_spec(spec).graph), convention="keras")
    asked = ("train", spec, "--data", "digits", "--weights", file, "--quiet", "--out", tmp_path / "run")
    done = run(*asked)
    assert done.exit_code == 1
    assert "error[E817]" in done.stderr


def test_nothing_is_written_where_something_is_wrong(tmp_path):
    arrays = resnet18_of_torchvision()
    del arrays["fc.bias"]
    save_file(arrays, tmp_path / "theirs.safetensors")
    out = tmp_path / "ours.safetensors"
    done = run("weights", "import", "resnet18", tmp_path / "theirs.safetensors", "--from", "torchvision", "-o", out)
    assert done.exit_code == 1
    assert "error[E811]: 1 of our parameters are not given: `classifier.bias`" in done.stderr
    assert not out.exists()


@pytest.mark.parametrize("arguments", [(), ("x.pth",), ("x.pth", "--pretrained", "timm"), ("--from", "timm")])
def test_one_source_of_weights_is_needed(arguments):
    done = run("weights", "import", "resnet18", *arguments)
    assert done.exit_code == 2
    assert "give a checkpoint with --from PEER, or --pretrained PEER" in done.stderr


def test_what_fits_is_carried_over_and_the_rest_is_told(tmp_path, tiny):
    old = synthetic_weights(load_spec(tiny).graph)
    file = write_weights(tmp_path / "old.safetensors", {**old, "gone.kernel": np.zeros(2)}, convention="torchvision")
    new, out = tmp_path / "new.yaml", tmp_path / "new.safetensors"
    new.write_text(TINY.replace("  - global_avg", "  - {id: conv2, conv: {filters: 2}}\n  - global_avg"))
    done = run("weights", "transfer", tiny, new, "--weights", file, "-o", out, "--set", "classes=5")
    assert done.exit_code == 0, done.output
    assert "2 of 6 arrays carried over" in done.output
    assert "2 new: conv2.kernel, conv2.bias" in done.output
    assert "2 of another shape: fc.kernel, fc.bias" in done.output
    assert "1 left behind: gone.kernel" in done.output
    found = load_file(out)
    assert (found["conv1.kernel"] == old["conv1.kernel"]).all()
    assert found["fc.kernel"].shape == (2, 5)
    done = run("weights", "transfer", tiny, new, "--weights", file, "-o", out, "--set", "convention=keras")
    assert "error[E817]" in done.stderr
