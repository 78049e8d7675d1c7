"""The README: its commands are those of the Makefile, its example checks, and its diagnostics are what is printed."""

from __future__ import annotations

import re
import runpy
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnnspec.cli.main import main
from cnnspec.diagnostics import Report
from cnnspec.frontend import check_spec
from tests.parity.reached import proven

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_checks():
    report = Report()
    text = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)[0]
    assert check_spec(text, report) is not None
    assert len(report) == 0


def test_the_diagnostics_are_what_is_printed(monkeypatch):
    monkeypatch.chdir(ROOT)
    shown = README.split("$ cnnspec check docs/examples/four_mistakes.yaml\n")[1].split("```")[0]
    done = CliRunner().invoke(main, ["check", "docs/examples/four_mistakes.yaml"])
    assert done.exit_code == 1
    assert done.stderr == shown


def test_the_picture_is_what_is_printed():
    """`make docs` draws it anew."""
    made = runpy.run_path(str(ROOT / "docs" / "diagnostic_picture.py"))
    assert made["picture"]() == made["PICTURE"].read_text(encoding="utf-8")


def test_the_number_of_proven_networks_is_what_the_command_prints():
    """`python -m tests.parity --count`, which `make zoo` ends with."""
    assert proven() in " ".join(README.split())


def test_ci_runs_the_test_command():
    (command,) = re.findall(r"^\$ (make test)\b", README, re.MULTILINE)
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("command", re.findall(r"^\| `cnnspec (\w+)", README, re.MULTILINE))
def test_every_command_has_help(command):
    done = CliRunner().invoke(main, [command, "--help"])
    assert done.exit_code == 0
    assert "cnnspec" in done.output


def test_make_lists_its_targets():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "make demo" in done.stdout
