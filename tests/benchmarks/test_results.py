"""Results are kept row by row; the page keeps what people wrote."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks import machine, page, picture
from benchmarks.results import Results
from benchmarks.sections import sections
from benchmarks.turns import Failed
from cnnspec.cli.output import Table
from tests.benchmarks.rows import row, rows

RUN = {"time": "2026-01-01 12:00", "full": True, "load_before": 0.1, "machine": machine.describe()}
MEASURED = rows(
    row("resnet50", 1, cnnspec=0.010, nnx=0.015, onnxruntime=0.008),
    row("mobilenet_v2", 1, cnnspec=0.002, nnx=0.018),
    row("mobilenet_v2", 8, cnnspec=0.020, nnx=0.400),
)


def filled(path: Path) -> Results:
    results = Results(path, keep=False)
    results.begin("inference", RUN)
    for key, found in MEASURED.items():
        results.put("inference", key, found)
    results.end("inference", 0.2)
    return results


def test_a_row_is_on_the_disk_as_soon_as_it_is_put(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.json", keep=False)
    results.begin("inference", RUN)
    results.put("inference", "resnet50 1", MEASURED["resnet50 1"])
    assert Results(tmp_path / "results.json", keep=True).rows("inference") == {"resnet50 1": MEASURED["resnet50 1"]}
    json.loads((tmp_path / "results.json").read_text())


def test_a_section_begins_anew_unless_rows_are_to_be_kept(tmp_path: Path) -> None:
    filled(tmp_path / "results.json")
    for keep, expected in ((True, len(MEASURED) + 1), (False, 1)):
        results = Results(tmp_path / "results.json", keep)
        results.begin("inference", RUN)
        results.begin("training", RUN)
        results.put("inference", "vgg16 1", row("vgg16", cnnspec=0.1))
        assert len(results.rows("inference")) == expected
        assert len(results.runs("inference")) == (2 if keep else 1)


@pytest.mark.parametrize("text", ["{}", "[1]", "no JSON", '{"benchmarks": 0, "sections": {}}'])
def test_a_file_that_is_something_else_is_not_overwritten(tmp_path: Path, text: str) -> None:
    path = tmp_path / "package.json"
    path.write_text(text)
    with pytest.raises(SystemExit, match="holds no results"):
        Results(path, keep=False)
    assert path.read_text() == text


def test_the_page_keeps_what_people_wrote_and_other_sections(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.md"
    path.write_text(
        "# Benchmarks\n\nOurs.\n\n" + page.with_section("", "start", "## Start\nold").strip() + "\n\nThe end.\n"
    )
    results = filled(tmp_path / "results.json")
    page.write(path, results, tmp_path / "benchmarks" / "inference.png")
    text = path.read_text()
    assert text.startswith("# Benchmarks\n\nOurs.\n")
    assert "## Start\nold\n<!-- end of start -->\n\nThe end.\n" in text
    assert "| resnet50 | 1 | 10.0 (10.0) | 15.0 (15.0) 1.50× | 8.00 (8.00) 0.80× | 0.0% |" in text
    assert "](benchmarks/inference.png)" in text
    assert "load 0.1 before and 0.2 after" in text
    page.write(path, results, tmp_path / "benchmarks" / "inference.png")
    assert path.read_text() == text, "writing again changes nothing"


def test_the_picture_is_drawn_from_the_rows(tmp_path: Path) -> None:
    png, svg = picture.draw(MEASURED, tmp_path)
    assert png.read_bytes().startswith(b"\x89PNG")
    text = svg.read_text()
    for word in ("resnet50", "mobilenet_v2", "batch 1", "batch 8", "Flax NNX by hand", "onnxruntime"):
        assert word in text
    assert "keras" not in text, "what was not measured stands in no legend"
    assert picture.draw(rows(row("resnet50", cnnspec=0.1)), tmp_path) == [], "one engine alone is no comparison"


class Section(SimpleNamespace):
    """A section whose rows are measured at once; the row `broken` fails."""

    TITLE, METHOD = "Inference", "How it is measured."

    def keys(self, options: Any) -> list[str]:
        return ["one", "broken", "two"]

    def measure(self, key: str, options: Any) -> dict[str, Any]:
        self.measured.append(key)
        if key == "broken":
            raise Failed("it broke")
        return {"key": key, "seconds": len(self.measured)}

    def line(self, row: dict[str, Any]) -> str:
        return f"{row['key']} is done"

    def notes(self, rows: dict[str, Any]) -> list[str]:
        return []

    def result_tables(self, rows: dict[str, Any]) -> list[tuple[str, Table]]:
        table = Table(["key", "seconds"])
        for found in rows.values():
            table.add(found["key"], found["seconds"])
        return [("", table)]


@pytest.fixture
def section(monkeypatch: pytest.MonkeyPatch) -> Section:
    found = Section(measured=[])
    for module in (command, page):
        monkeypatch.setattr(module, "sections", lambda: {"start": found})
    return found


def test_a_run_keeps_what_it_can_and_is_resumed(
    section: Section, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "results.json"
    assert command.main(["start", "--json", str(path)]) == 0
    printed = capsys.readouterr()
    assert section.measured == ["one", "broken", "two"]
    assert "one is done" in printed.err
    assert "start, broken: it broke" in printed.err
    assert "one  1" in printed.out
    assert "two  3" in printed.out
    assert command.main(["start", "--json", str(path), "--resume"]) == 0
    assert section.measured == ["one", "broken", "two", "broken"]
    assert list(Results(path, keep=True).rows("start")) == ["one", "two"]
    assert command.main(["start", "--json", str(path), "--no-measuring"]) == 0
    assert len(section.measured) == 4


def test_the_page_is_written_where_it_is_asked_for(
    section: Section, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PAGE", tmp_path / "benchmarks.md")
    monkeypatch.setattr(command, "PAGE_FOLDER", tmp_path / "benchmarks")
    command.main(["start", "--page"])
    assert "| one | 1 |" in (tmp_path / "benchmarks.md").read_text()
    assert (tmp_path / "benchmarks" / "results.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["no_section"], "the sections are start"), (["--networks", "resnet51"], "there is no resnet51"),
     (["--engines", "tensorflow"], "there are cnnspec"), (["--batches", "0"], "no positive number"),
     (["--rounds", "many"], "no positive number")],
)  # fmt: skip
def test_a_wrong_command_line_says_what_there_is(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        command.main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_every_section_has_rows_in_the_short_and_the_full_form() -> None:
    for name, module in sections().items():
        short, full = (module.keys(command.Options(full=full)) for full in (False, True))
        assert set(short) <= set(full), name
        assert len(set(full)) == len(full) > 0


def test_other_processes_are_seen() -> None:
    """What this process burns counts as that of another one where it is not among ours."""
    if machine.busy_seconds() is None:
        pytest.skip("the system does not say what its processes use")
    mine, foreign = machine.Watch([]), machine.Watch([])
    foreign.ours, foreign.used = [], 0.0
    import time

    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass
    ours, others = mine.others(), foreign.others()
    assert ours is not None
    assert others is not None
    assert others > ours
