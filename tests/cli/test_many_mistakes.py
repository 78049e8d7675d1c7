"""Of very many mistakes `cnnspec check` shows the first as text, and all as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from cnnspec.cli.main import main


def test_fifty_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("cnnspec: 1\nname: n\ninput: {features: 3}\nlayers:\n" + "  - linear: {featurs: 3}\n" * 60)
    done = CliRunner().invoke(main, ["check", str(path)])
    assert done.output.count("error[E101]") == 50
    assert "and 10 more: `--format json` has all\n60 errors\n" in done.output
    assert len(json.loads(CliRunner().invoke(main, ["check", "--format", "json", str(path)]).stdout)) == 60


def test_a_spec_may_come_from_standard_input() -> None:
    spec = "cnnspec: 1\nname: x\ninput: {height: 8, width: 8, channels: 3}\nlayers: [{conv: {%s: 3}}]"
    done = CliRunner().invoke(main, ["check", "-"], input=spec % "filters")
    assert done.exit_code == 0, done.output
    assert (done.exit_code, done.stdout[:7]) == (0, "-: ok  ")
    done = CliRunner().invoke(main, ["check", "-"], input=spec % "filers")
    assert done.exit_code == 1
    assert "<text>:4:18: error[E101]" in done.stderr
