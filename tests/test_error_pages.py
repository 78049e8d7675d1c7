"""Every code has a page, every page a code, and every example triggers exactly the code of its page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnnspec.cli.main import main
from cnnspec.diagnostics import Report, SpecError
from cnnspec.frontend import check_spec
from cnnspec.rendering import render_text

ROOT = Path(__file__).parent.parent
PAGES = {path.stem: path for path in sorted((ROOT / "docs" / "errors").glob("E*.md"))}

#: Pages of the front end are checked every time; those whose commands load JAX take seconds each.
QUICK = [code for code in PAGES if code < "E8"]
LATER = [code for code in PAGES if code >= "E8"]


def blocks(code: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGES[code].read_text(), re.MULTILINE | re.DOTALL)


def codes_in_the_sources() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "cnnspec").rglob("*.py"):
        found |= set(re.findall(r"[\"'](E\d\d\d)[\"']", path.read_text()))
    return found


def test_codes_and_pages_are_equal() -> None:
    assert set(PAGES) == codes_in_the_sources()


@pytest.mark.parametrize("code", PAGES)
def test_the_form_of_a_page(code: str) -> None:
    text = PAGES[code].read_text()
    assert re.match(rf"# {code}: \S.*\n\n\S", text)
    assert "**Repair**: " in text
    assert sum(len(blocks(code, kind)) for kind in ("yaml", "console", "python")) == 1


@pytest.mark.parametrize("code", [code for code in PAGES if blocks(code, "yaml")])
def test_a_spec_triggers_its_code_and_no_other(code: str, tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(blocks(code, "yaml")[0])
    report = Report()
    assert check_spec(path, report) is None
    assert [d.code for d in report] == [code], render_text(report)


@pytest.mark.parametrize("code", [code for code in PAGES if blocks(code, "python")])
def test_a_program_triggers_its_code(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError) as caught:
        exec(compile(blocks(code, "python")[0], code, "exec"), {})
    assert [d.code for d in caught.value.diagnostics] == [code]


def run_console(code: str, folder: Path) -> None:
    text = blocks(code, "console")[0]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    said = ""
    for line in text.splitlines():
        if line.startswith("$ "):
            done = subprocess.run(["bash", "-c", line[2:]], cwd=folder, env={**os.environ, "PATH": path, "NO_COLOR": "1"},
                                  capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
            said += done.stdout + done.stderr
    assert "Traceback" not in said
    assert set(re.findall(r"(?:error|warning|note)\[(E\d\d\d)\]", said)) == {code}, said
    for line in text.splitlines():
        if not line.startswith("$ "):
            assert line in said, said


@pytest.mark.parametrize("code", [code for code in QUICK if blocks(code, "console")])
def test_commands_trigger_their_code(code: str, tmp_path: Path) -> None:
    run_console(code, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("code", [code for code in LATER if blocks(code, "console")])
def test_commands_of_training_and_weights_trigger_their_code(code: str, tmp_path: Path) -> None:
    run_console(code, tmp_path)


def test_explain_prints_a_page() -> None:
    done = CliRunner().invoke(main, ["explain", "e203"])
    assert done.exit_code == 0
    assert done.output.startswith("# E203: the inputs of a merge differ\n")


def test_explain_lists_all_codes() -> None:
    done = CliRunner().invoke(main, ["explain"])
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.output.splitlines()] == list(PAGES)


def test_explain_of_an_unknown_code() -> None:
    done = CliRunner().invoke(main, ["explain", "E209"])
    assert done.exit_code == 2
    assert "did you mean `E20" in done.output
