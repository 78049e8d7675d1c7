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
