"""`cnnspec verify`: counterexamples are found, shrunk, and reported at the declaration."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from cnnspec.cli.main import main
from cnnspec.verification import verify

HEAD = "cnnspec: 1\nname: net\ninput: {height: 8, width: 8, channels: 4}\n"


def test_a_value_in_the_range_that_is_wrong_is_shrunk() -> None:
    text = (
        HEAD
        + "params: {groups: {type: int, default: 2, min: 1, max: 8}}\nlayers: [{conv: {filters: 8, groups: $groups}}]\n"
    )
    found = verify(text)
    (diagnostic,) = found.diagnostics
    assert diagnostic.code == "E605"
    # 3 is the least number of groups that does not divide 4 channels.
    assert diagnostic.message.startswith("with groups=3: E205: 4 input channels")
    assert diagnostic.span is not None
    assert (diagnostic.span.line, diagnostic.span.column) == (4, 10)
    assert "--set groups=3" in diagnostic.help


def test_two_params_that_only_together_are_wrong() -> None:
    text = HEAD + (
        "params: {left: {choice: [4, 8], default: 4}, deep: false}\n"
        "layers:\n  - {id: a, conv: {filters: $left}}\n  - {id: b, when: $deep, conv: {filters: 4}}\n"
        "  - {id: c, from: input, conv: {filters: 8, kernel: 1}}\n  - concat: [b, c]\n  - {id: e, expect: [8, 8, '${left + 8 if not deep else 12}'], identity: {}}\n"
    )
    assert not verify(text).diagnostics


def test_a_right_spec_is_run_in_several_sizes() -> None:
    text = (
        HEAD
        + "params: {n: {type: int, default: 2, min: 1, max: 4}}\nlayers: [{repeat: $n, basic: {filters: 4}}, max_pool: 2, global_avg_pool]\n"
    )
    text = text.replace("max_pool: 2", "{max_pool: 2}")
    found = verify(text, examples=12)
    assert not found.diagnostics
    assert found.networks >= 8
    assert found.runs == 3
    assert found.varied == {"n": "1..4"}
    assert (8, 8) in found.sizes
    assert (1, 1) not in found.sizes


def test_a_broken_law_is_reported(monkeypatch) -> None:
    from cnnspec.ops.activation import Activation

    # An op that lies about its shape from 3 channels on.
    monkeypatch.setattr(Activation, "infer", lambda self, x: x.with_channels(x.channels + (x.channels > 2)))
    text = (
        HEAD
        + "params: {n: {type: int, default: 1, min: 1, max: 64}}\nlayers: [{conv: {filters: $n}}, {activation: relu}]\n"
    )
    (diagnostic,) = verify(text, examples=60).diagnostics
    assert diagnostic.code == "E605"
    assert "n=3" in diagnostic.message
    assert "was inferred as (2, 8, 8, 4), and is (2, 8, 8, 3)" in diagnostic.message


def test_a_wrong_spec_gives_its_own_diagnostics(tmp_path: Path) -> None:
    assert [d.code for d in verify(HEAD + "layers: [{linear: {features: 2}}]\n").diagnostics] == ["E201"]
    run = CliRunner().invoke
    path = tmp_path / "net.yaml"
    path.write_text(HEAD + "layers: [{id: a, conv: {filters: 2}}]\n")
    done = run(main, ["verify", str(path), "--examples", "4", "--json"])
    assert done.exit_code == 0
    assert json.loads(done.output)["right"] is True
    assert "ok" in run(main, ["verify", str(path), "--examples", "2"]).output
    path.write_text(HEAD + "layers: [{id: a, conv: {filters: 0}}]\n")
    assert run(main, ["verify", str(path)]).exit_code == 1


def test_lists_are_varied_element_by_element() -> None:
    text = HEAD + (
        "params: {depths: {list: int, length: 2, default: [1, 1], min: 0, max: 3}}\n"
        'layers: [{repeat: "${depths[0]}", basic: {filters: 4}}, {repeat: "${depths[1]}", max_pool: 2}]\n'
    )
    found = verify(text, examples=40)
    assert found.varied == {"depths": "2 of 0..3"}
    assert not found.diagnostics
    (diagnostic,) = verify(text.replace("max: 3", "max: 5"), examples=200).diagnostics
    # Four halvings close a map of 8 pixels; the blocks before them have nothing to do with it.
    assert diagnostic.message.startswith("with depths=[0, 4]: E202")


def test_what_a_law_raises_is_a_counterexample(monkeypatch) -> None:
    from cnnspec.ops.activation import Activation

    def lower(self, run, *inputs):
        raise TypeError("no such function")

    monkeypatch.setattr(Activation, "lower", lower)
    (diagnostic,) = verify(HEAD + "layers: [{activation: relu}]\n").diagnostics
    assert diagnostic.code == "E605"
    assert "TypeError: no such function" in diagnostic.message
