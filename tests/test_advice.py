"""`cnnspec check --advice`: what could be better in a spec that is right."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cnnspec.cli.main import main
from cnnspec.diagnostics import Report
from cnnspec.frontend import check_spec
from cnnspec.zoo import zoo_specs

SPEC = """\
cnnspec: 1
name: net
input: {height: 8, width: 8, channels: 4}
params: {filters: 8, wide: 3, kind: conv}
blocks:
  cell: {layers: [{conv: {filters: 3}}]}
  used: {layers: [{conv: {filters: 3}}, {id: named, conv: {filters: 3}}, {activation: relu}]}
layers:
  - $kind: {filters: $filters}
  - {id: dead, from: input, fire: {squeeze: 2, expand1x1: 2, expand3x3: 2}}
  - {id: a, from: conv_1, used: {}}
  - {id: b, used: {}}
  - max_pool: 2
  - concat: [{conv: {filters: 2}}, [{id: named, conv: {filters: 2}}, {conv: {filters: 2}}]]
"""


def notes(text: str) -> list[tuple[str, int, int]]:
    report = Report()
    assert check_spec(text, report, advice=True) is not None
    assert {d.severity for d in report} <= {"note"}
    return [(d.code, d.span.line, d.span.column) for d in report if d.span is not None]


def test_each_is_noted_once_and_at_its_place() -> None:
    # `used` is called twice, and its first convolution is one node of the spec; an activation has no weights.
    assert notes(SPEC) == [
        ("E122", 4, 22), ("E123", 6, 3), ("E121", 7, 20), ("E121", 9, 5), ("E124", 10, 35), ("E121", 14, 5),
        ("E121", 14, 71),
    ]  # fmt: skip


def test_without_being_asked_nothing_is_noted() -> None:
    report = Report()
    assert check_spec(SPEC, report) is not None
    assert len(report) == 0


def test_a_spec_that_is_wrong_gets_no_advice() -> None:
    report = Report()
    assert check_spec(SPEC.replace("max_pool: 2", "max_pool: 9"), report, advice=True) is None
    assert {d.severity for d in report} == {"error"}


@pytest.mark.parametrize("path", zoo_specs(), ids=lambda path: path.stem)
def test_every_node_of_the_zoo_with_weights_has_an_id_or_stands_in_one_that_has(path: Path) -> None:
    report = Report()
    check_spec(path, report, advice=True)
    assert [d.message for d in report if d.code in ("E121", "E122", "E124")] == []


def test_advice_does_not_fail_a_run(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(SPEC)
    done = CliRunner().invoke(main, ["check", "--advice", str(path)])
    assert done.exit_code == 0
    assert "ok" in done.stdout
    assert done.stderr.rstrip().endswith("7 notes")
    github = CliRunner().invoke(main, ["check", "--advice", "--format", "github", str(path)]).stdout
    assert github.count("::notice ") == 7
