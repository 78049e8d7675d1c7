"""The profile: which nodes are timed together, what a step is measured against, and what the command says."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import cnnspec
from cnnspec import ceilings, profiling
from cnnspec.ceilings import Ceilings
from cnnspec.cli.main import main
from cnnspec.lower.forms import measure
from cnnspec.profile_picture import kind
from cnnspec.profiling import profile, steps_of

SPEC = """cnnspec: 1
name: net
input: {height: 8, width: 8, channels: 4}
layers:
  - id: stage
    repeat: 2
    basic: {filters: 4}
  - {id: pool, max_pool: 2}
  - {id: end, conv: {filters: 3, kernel: 1, act: relu}}
  - {id: left, from: end, conv: {filters: 3, kernel: 1}}
  - {id: sum, add: [left, end]}
"""


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(measure, "LONG", 0.0)
    monkeypatch.setattr(profiling, "LONG", 0.0)
    monkeypatch.setattr(ceilings, "LONG", 0.0)


def test_followers_are_timed_with_what_they_follow():
    steps = [[node.path for node in nodes] for nodes in steps_of(cnnspec.compile(SPEC).infer_graph)]
    assert steps == [
        ["stage.0.conv1", "stage.0.conv1.act"],
        ["stage.0.conv2", "stage.0.add", "stage.0.act"],
        ["stage.1.conv1", "stage.1.conv1.act"],
        ["stage.1.conv2", "stage.1.add", "stage.1.act"],
        ["pool"],
        ["end", "end.act"],
        ["left", "sum"],
    ]


def test_a_bound_is_of_arithmetic_or_of_memory():
    limits = Ceilings(100e9, {2**18: 50e9, 2**26: 10e9})
    assert limits.bound(10**9, 10**6) == (0.01, "compute")
    assert limits.bound(10**6, 2**26) == (2**26 / 10e9, "memory")
    limits.seen(10**9, 2**26, 0.005)
    assert limits.flops == 200e9
    assert limits.bandwidth == {2**18: 50e9, 2**26: 2**26 / 0.005}


def test_every_node_is_counted_once_and_no_step_beats_its_bound():
    compiled = cnnspec.compile(SPEC)
    told = []
    found = profile(compiled, 3, told.append)
    assert [path for step in found.steps for path in step.nodes] == [node.path for node in compiled.infer_graph.nodes]
    assert sum(step.macs for step in found.steps) == 3 * compiled.loaded.totals.macs
    assert all(0 < step.least <= step.seconds * (1 + 1e-9) for step in found.steps)
    assert len(told) == profiling.work(compiled, 3) == len(set(told))
    one, other = (next(s for s in found.steps if s.path == f"stage.{i}.conv1") for i in (0, 1))
    assert one.seconds == other.seconds  # alike, and so measured once
    assert one.bytes == 4 * (3 * 2 * 8 * 8 * 4 + 9 * 4 * 4 + 4)
    assert one.flops == 2 * one.macs + 2 * 3 * 8 * 8 * 4


def test_the_command_names_lines_of_the_spec(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(SPEC)
    done = CliRunner().invoke(main, ["profile", str(path), "--sort", "order", "--top", "5",
                                     "--plot", str(tmp_path / "p.png")])  # fmt: skip
    assert done.exit_code == 0, done.output
    rows = done.stdout.splitlines()
    assert rows[0].split()[:4] == ["node", "op", "form", "ms"]
    assert [row.split()[-1] for row in rows[1:6]] == ["net.yaml:7"] * 4 + ["net.yaml:8"]
    assert rows[1].startswith("stage.0.conv1 +1")
    assert rows[6].startswith("and 2 more: ")
    assert "of the bound" in rows[7]
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert "measuring 1/" in done.stderr
    done = CliRunner().invoke(main, ["profile", str(path), "--json", "--batch", "2"])
    data = json.loads(done.stdout)
    assert data["batch"] == 2
    assert [step["place"] for step in data["steps"]] == [f"{path}:{line}" for line in (7, 7, 7, 7, 8, 9, 10)]
    assert {step["limit"] for step in data["steps"]} <= {"compute", "memory"}


def test_statistics_that_could_not_be_folded_and_several_outputs():
    layers = [{"id": "a", "conv": {"filters": 4, "act": "relu"}}, {"id": "n", "batch_norm": {}},
              {"id": "s", "split": 2}, {"id": "flat", "from": "s:1", "flatten": {}},
              {"id": "r", "radial_basis_output": {"classes": 3}}]  # fmt: skip
    found = profile(cnnspec.compile({"cnnspec": 1, "name": "net", "input": {"height": 4, "width": 4, "channels": 2},
                                     "layers": layers, "outputs": {"half": "s:0", "r": "r"}}))  # fmt: skip
    assert [step.nodes for step in found.steps] == [("a", "a.act", "n"), ("s",), ("flat",), ("r",)]


def test_kinds_have_colours():
    found = profile(cnnspec.compile(SPEC))
    assert {step.path: kind(step) for step in found.steps}["pool"] == "pool"
    assert kind(found.steps[-1]) == "conv 1x1"


def test_a_wrong_spec_is_told_of(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(SPEC.replace("basic", "basik"))
    done = CliRunner().invoke(main, ["profile", str(path)])
    assert done.exit_code == 1
    assert "did you mean `basic`?" in done.stderr
