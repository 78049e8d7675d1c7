"""The exercises: their solutions are those shown, check, and run."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from cnnspec.diagnostics import Report
from cnnspec.frontend import check_spec
from cnnspec.training.recipe_file import load_recipe

FOLDER = Path(__file__).parent.parent.parent / "docs" / "exercises"
SOLUTIONS = FOLDER / "solutions"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md") if path.stem != "README"}
COMMANDS = {path.stem for path in SOLUTIONS.glob("*.py")} - {"measuring"}


def test_every_page_has_a_solution_and_stands_in_the_list():
    assert set(PAGES) == COMMANDS
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"]({name}.md)" in index for name in PAGES)


@pytest.mark.parametrize("path", sorted(SOLUTIONS.glob("*.yaml")), ids=lambda p: p.stem)
def test_a_file_of_a_solution_is_right_and_is_what_the_page_shows(path):
    report = Report()
    assert (load_recipe(path, report) if ".recipe" in path.name else check_spec(path, report)) is not None, list(report)
    assert any(f"```yaml\n{path.read_text()}```" in page for page in PAGES.values())


def printed(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What the quick form of a solution prints, in lines."""
    monkeypatch.syspath_prepend(str(SOLUTIONS))
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--quick", "--out", str(folder)])
    runpy.run_path(str(SOLUTIONS / f"{name}.py"), run_name="__main__")
    return capsys.readouterr().out.splitlines()


def test_a_solution_runs(tmp_path, monkeypatch, capsys, unrendered):
    head, row = printed("lenet", tmp_path, monkeypatch, capsys)
    assert head.split()[0] == "network"
    assert row.startswith("tanh, average pooling")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_solution_that_is_there_is_only_evaluated(name, tmp_path, monkeypatch, capsys, unrendered):
    first, second = (printed(name, tmp_path, monkeypatch, capsys) for _ in range(2))
    assert first == second
    assert len(first) >= 2
