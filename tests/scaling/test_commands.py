"""Scaling on the command line: `scale`, and the same options on the commands that read a spec."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cnnspec
from cnnspec.cli.main import main

HEAD = "cnnspec: 1\nname: net\ninput: {height: 32, width: 32, channels: 3}\n"


def run(*arguments: str | Path, code: int = 0) -> Result:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    return done


def test_scale_compares_the_base_with_the_scaled_network():
    output = run("scale", "mobilenet_v1", "--width", "0.5", "--resolution", "160").output
    assert "224x224x3" in output
    assert "160x160x3" in output
    assert "1,331,592" in output


def test_explain():
    output = run("scale", "efficientnet_b0", "--variant", "b3", "--explain").output
    rows = [" ".join(line.split()) for line in output.splitlines()]
    assert "stage1.* (2) filters 16 19.2 16 24 to a multiple of 8, not below 90%" in rows
    assert "stage2.0.expand filters 96 144 follows: 24 channels x expand 6" in rows
    assert "stage7.1.expand filters 2304 follows: 384 channels x expand 6" in rows  # the base has no such row


@pytest.mark.parametrize(
    "options",
    [
        ["--variant", "b2"],
        ["--phi", "-1"],
        ["--width", "0.5", "--depth", "2", "--resolution", "96"],
        ["--macs", "200M"],
    ],
)
def test_output_is_a_plain_spec_that_is_the_scaled_network(tmp_path, options):
    path = tmp_path / "scaled.yaml"
    data = json.loads(run("scale", "efficientnet_b0", *options, "--json", "--output", path).stdout)
    loaded = cnnspec.load_spec(path)
    assert (loaded.totals.params, loaded.totals.macs) == (data["params"], data["macs"])
    text = path.read_text()
    assert "scale:" not in text.replace("scale: depth", "")
    assert "variants" not in text
    run("check", path)


def test_json_has_stable_keys():
    data = json.loads(run("scale", "resnet18", "--macs", "1G", "--explain", "--json").output)
    assert set(data) == {
        "name",
        "params",
        "macs",
        "activation_bytes",
        "inputs",
        "explanation",
        "of",
        "budget",
        "frontier",
    }
    assert data["macs"] <= data["budget"] == 10**9
    assert {row["node"] for row in data["explanation"]} >= {"input", "conv1", "stage1.*", "classifier"}
    assert data["frontier"][0]["of_budget"] == pytest.approx(data["macs"] / 10**9, abs=1e-4)


def test_a_budget_prints_how_near_it_came_and_what_stands_around_it():
    output = run("scale", "resnet50", "--macs", "1G").output
    assert "MACs, 95." in output.splitlines()[0]
    for direction in ("compound", "compound, more width", "width alone", "resolution alone"):
        assert any(line.startswith(f"{direction}  ") for line in output.splitlines())


def test_search_prints_rules_and_the_one_to_write():
    output = run("scale", "lenet5_modern", "--search", "--most", "5").output
    assert "5 networks of about twice the MACs, most parameters first" in output
    rule = output.splitlines()[-1]
    loaded = cnnspec.load_spec(f"{HEAD}{rule}\nlayers: [{{conv: {{filters: 8}}}}]\n")
    assert 1.8 <= loaded.scaler.rule.compound.growth <= 2.2


# --- the same options elsewhere ----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["check", "summary", "expand"])
@pytest.mark.parametrize(
    "options", [["--width", "0.5"], ["--phi", "1"], ["--variant", "b1"], ["--macs", "300M"], ["--params", "3M"]]
)
def test_commands_that_read_a_spec_scale_it(command, options):
    done = run(command, "efficientnet_b0", *options)
    scaled = json.loads(run("scale", "efficientnet_b0", *options, "--json").stdout)
    if command == "expand":
        assert cnnspec.load_spec(done.stdout).totals.macs == scaled["macs"]
    else:
        assert f"{scaled['params']:,}" in done.stdout
        assert f"{scaled['macs']:,}" in done.stdout
    if options[0] in ("--macs", "--params"):
        assert done.stderr.startswith("scaled by phi -")
        assert "of the budget" in done.stderr


def test_a_scaled_network_compiles(tmp_path):
    done = run("compile", "lenet5_modern", "--params", "30K", "--output", tmp_path / "net")
    assert "scaled by phi -" in done.stderr
    spec = cnnspec.load_spec(tmp_path / "net" / "spec.yaml")
    assert spec.totals.params <= 30_000
    assert cnnspec.load(tmp_path / "net") is not None


@pytest.mark.slow
def test_a_scaled_network_trains(tmp_path):
    run("train", "lenet5_modern", "--width", "0.5", "--epochs", "0.1", "--out", tmp_path / "run", "--quiet")
    saved = cnnspec.load_spec(tmp_path / "run" / "spec.yaml")
    assert saved.totals == cnnspec.scale("lenet5_modern", width=0.5).totals


def test_a_budget_that_the_network_meets_as_it_stands_says_so():
    output = run("scale", "efficientnet_b0", "--macs", "400M").output
    assert output.startswith("as it stands: 385,814,752 MACs, 96.5% of the budget\n")


def test_what_a_spec_is_warned_of_is_said_once(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(
        f"{HEAD}scaling: {{compound: {{alpha: 3.0}}}}\nlayers: [{{conv: {{filters: 64}}}}, {{max_pool: 2}}]\n"
    )
    assert run("scale", path, "--width", "2").stderr.count("E905") == 1


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--width", "0"], "any number above 0 is allowed, such as 0.5"),
        (["--width", "nan"], "the nearest that is allowed is 1"),
        (["--depth", "inf"], "the nearest that is allowed is 100"),
        (["--resolution", "0"], "the nearest that is allowed is 1"),
        (["--phi", "1e9"], "the nearest that is allowed is 20"),
        (["--width", "wide"], "not a valid float"),
        (["--resolution", "12.5"], "not a valid integer"),
        (["--macs", "0"], "an amount above 0, such as 400M"),
        (["--macs", "-4M"], "an amount above 0"),
        (["--macs", "inf"], "an amount above 0"),
        (["--macs", "1e400"], "an amount above 0"),
        (["--macs", "4 apples"], "an amount above 0"),
        (["--macs", "1M", "--params", "1M"], "--macs and --params contradict each other: give one budget"),
        (["--macs", "1M", "--width", "2"], "give factors or a budget"),
        (["--search", "--width", "2"], "no factors and no budget"),
        (["--search", "--macs", "1M"], "no factors and no budget"),
        (["--search", "--output", "x.yaml"], "finds a rule, not a network"),
        (["--most", "3"], "belong to --search"),
        (["--proxy", "macs"], "belong to --search"),
    ],
)
def test_wrong_calls(options, said):
    assert said in " ".join(run("scale", "efficientnet_b0", *options, code=2).stderr.split())


@pytest.mark.parametrize(
    ("options", "code"),
    [(["--variant", "b9"], "E901"), (["--variant", "b1", "--phi", "1"], "E902"), (["--phi", "1", "--resolution", "9"], "E902"),
     (["--macs", "1"], "E903"), (["--params", "9999T"], "E903")],
)  # fmt: skip
@pytest.mark.parametrize("command", ["scale", "check"])
def test_what_cannot_be(command, options, code):
    assert f"error[{code}]" in run(command, "efficientnet_b0", *options, code=1).stderr


def test_a_budget_is_met_for_one_file_at_a_time():
    assert "one FILE at a time" in run("check", "resnet18", "resnet34", "--macs", "1G", code=2).stderr


def test_warnings_are_shown_and_fail_nothing():
    done = run("check", "alexnet", "--depth", "2")
    assert "warning[E907]: depth 2 changes nothing" in done.stderr


def test_an_unwritable_output_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    for output in (tmp_path, tmp_path / "file" / "x.yaml"):
        assert "cannot write" in run("scale", "lenet5_modern", "--width", "2", "--output", output, code=2).stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_scaling_loads_no_jax():
    code = (
        "import sys; from click.testing import CliRunner; from cnnspec.cli.main import main\n"
        "done = CliRunner().invoke(main, ['scale', 'resnet50', '--macs', '1G', '--explain'])\n"
        "assert done.exit_code == 0, done.output\n"
        "assert not {'jax', 'flax', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
