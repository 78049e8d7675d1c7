"""`extends`, `edits`, `imports` and `set`: what comes out, and what is said where it does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnspec.diagnostics import Report
from cnnspec.frontend import LoadedSpec, check_spec
from cnnspec.graph import print_graph

BASE = """\
cnnspec: 1
name: base
input: {height: 8, width: 8, channels: 3}
params: {filters: 4, classes: {type: int, default: 10, min: 2}}
defaults: {conv: {kernel: 3, act: relu}}
layers:
  - {id: conv1, conv: {filters: $filters}}
  - {id: stage, layers: [{id: conv2, conv: {filters: 8}}, {id: pool, max_pool: 2}]}
  - {id: gap, global_avg_pool: {}}
  - {id: head, linear: {features: $classes}}
expect: {output: [10]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(BASE)
    return tmp_path


def run(folder: Path, text: str, **given: object) -> tuple[LoadedSpec | None, list[tuple[str, int, int]], list[str]]:
    (folder / "mine.yaml").write_text(text)
    report = Report()
    loaded = check_spec(folder / "mine.yaml", report, set=given)
    places = [(d.code, d.span.line, d.span.column) if d.span else (d.code, 0, 0) for d in report]
    return loaded, places, [f"{d.message} | {d.help}" for d in report]


def paths(loaded: LoadedSpec | None) -> list[str]:
    assert loaded is not None
    return [node.path for node in loaded.graph.nodes]


MINE = "cnnspec: 1\nname: mine\nextends: base.yaml\n"


def test_extends_takes_all_but_name_and_expectations(folder: Path) -> None:
    loaded, found, _ = run(folder, MINE + "set: {classes: 5}\n")
    assert not found
    assert loaded is not None
    assert loaded.graph.name == "mine"
    assert loaded.graph.type_of(loaded.graph.outputs["output"]).shape == (5,)


def test_mappings_merge_and_lists_replace(folder: Path) -> None:
    loaded, found, _ = run(folder, MINE + "defaults: {conv: {act: tanh}}\nparams: {filters: 6, extra: 1}\n")
    assert not found
    assert loaded is not None
    assert "function=tanh" in print_graph(loaded.graph)
    assert "filters=6" in print_graph(loaded.graph)
    loaded, found, _ = run(folder, MINE + "layers: [{id: only, conv: {filters: 2}}]\n")
    assert paths(loaded) == ["only", "only.act"]


@pytest.mark.parametrize(
    ("source", "title", "year", "where"),
    [
        ("{where: table 2}", "A paper", 2015, "table 2"),
        ("{title: Another, where: table 2}", "Another", None, "table 2"),
    ],
)
def test_a_source_without_a_title_is_another_place_of_the_same_paper(folder: Path, source, title, year, where) -> None:
    base = folder / "base.yaml"
    base.write_text(base.read_text() + "source: {title: A paper, year: 2015, where: table 1}\n")
    loaded, found, _ = run(folder, MINE + f"source: {source}\n")
    assert not found
    assert loaded is not None
    assert loaded.document.source is not None
    assert (loaded.document.source.title, loaded.document.source.year, loaded.document.source.where) == (
        title,
        year,
        where,
    )


@pytest.mark.parametrize(
    ("edit", "ids"),
    [
        ("{insert_after: conv1, layers: [{id: new, dropout: 0.1}]}", ["conv1", "new", "stage", "gap", "head"]),
        ("{insert_before: conv1, layers: [{id: new, dropout: 0.1}]}", ["new", "conv1", "stage", "gap", "head"]),
        ("{replace: stage, layers: [{id: new, dropout: 0.1}]}", ["conv1", "new", "gap", "head"]),
        ("{remove: stage}", ["conv1", "gap", "head"]),
        ("{update: head, with: {linear: {features: 3}}}", ["conv1", "stage", "gap", "head"]),
        ("{remove: stage.pool}", ["conv1", "stage", "gap", "head"]),
    ],
)
def test_edits(folder: Path, edit: str, ids: list[str]) -> None:
    loaded, found, text = run(folder, MINE + f"edits:\n  - {edit}\n")
    assert not found, text
    assert list(dict.fromkeys(p.split(".")[0] for p in paths(loaded))) == ids
    if "stage.pool" in edit:
        assert "stage.pool" not in paths(loaded)
    if "update" in edit:
        assert loaded is not None
        assert loaded.graph.by_path["head"].type.shape == (3,)


def test_edits_follow_one_another(folder: Path) -> None:
    text = MINE + "edits:\n  - {insert_after: conv1, layers: [{id: a, dropout: 0.1}]}\n  - {remove: a}\n"
    loaded, found, _ = run(folder, text)
    assert not found
    assert "a" not in paths(loaded)


@pytest.mark.parametrize(
    ("text", "expected", "said"),
    [
        (MINE.replace("base", "bass"), [("E501", 3, 10)], "did you mean `base.yaml`?"),
        (MINE.replace("base.yaml", "[1]"), [("E103", 3, 10)], "should name a file"),
        (MINE.replace("base", "mine"), [("E502", 3, 10)], "circle"),
        (MINE + "edits: [{remove: conv9}]\n", [("E503", 4, 18)], "did you mean `conv1`?"),
        (MINE + "edits: [{remove: stage.poll}]\n", [("E503", 4, 18)], "did you mean `stage.pool`?"),
        (MINE + "edits: [{insert_after: conv1}]\n", [("E102", 4, 10)], "needs `layers`"),
        (MINE + "edits: [{remove: conv1, layer: []}]\n", [("E101", 4, 25)], "unknown field `layer`"),
        (MINE + "edits: [{delete: conv1}]\n", [("E103", 4, 9)], "should have one of"),
        (MINE + "edits: {remove: conv1}\n", [("E103", 4, 8)], "should be a list"),
        (MINE + "set: {clases: 3}\n", [("E405", 4, 7)], "did you mean `classes`?"),
        (MINE + "set: {classes: 1}\n", [("E104", 4, 16)], "should be at least 2"),
        (MINE + "set: {classes: many}\n", [("E103", 4, 16)], "whole number"),
        (MINE + "set: [1]\n", [("E103", 4, 6)], "mapping of params"),
        (MINE + "extend: x\n", [("E101", 4, 1)], "did you mean `extends`?"),
        (BASE + "edits: [{remove: conv1}]\n", [("E109", 12, 1)], "needs `extends`"),
    ],
)
def test_mistakes(folder: Path, text: str, expected: list[tuple[str, int, int]], said: str) -> None:
    _, found, messages = run(folder, text)
    assert found == expected
    assert said in messages[0]


def test_a_circle_of_two(folder: Path) -> None:
    (folder / "base.yaml").write_text("cnnspec: 1\nname: base\nextends: mine.yaml\n")
    _, found, messages = run(folder, MINE)
    assert found == [("E502", 3, 10)]
    assert "mine.yaml -> base.yaml -> mine.yaml" in messages[0]


def test_a_mistake_in_the_parent_is_shown_in_the_parent(folder: Path) -> None:
    (folder / "base.yaml").write_text(BASE.replace("max_pool: 2", "max_pool: 9"))
    (folder / "mine.yaml").write_text(MINE)
    report = Report()
    check_spec(folder / "mine.yaml", report)
    (diagnostic,) = report
    assert diagnostic.code == "E202"
    assert diagnostic.span is not None
    assert diagnostic.span.source.name.endswith("base.yaml")
    assert diagnostic.span.line == 8
    assert any(
        "mine.yaml" in label.text or (label.span and "mine.yaml" in label.span.source.name)
        for label in diagnostic.labels
    )


BLOCKS = """\
blocks:
  pair:
    params: {filters: int}
    layers: [{id: a, conv: {filters: $filters}}, {id: b, conv: {filters: $filters}}]
  single: {layers: [{id: only, conv: {filters: 2}}]}
"""
IMPORTING = "cnnspec: 1\nname: mine\ninput: {height: 8, width: 8, channels: 3}\n"


@pytest.mark.parametrize("imports", ["blocks.yaml", "[blocks.yaml]", "{blocks.yaml: [pair]}"])
def test_blocks_are_imported(folder: Path, imports: str) -> None:
    (folder / "blocks.yaml").write_text(BLOCKS)
    loaded, found, _ = run(folder, f"{IMPORTING}imports: {imports}\nlayers: [{{id: p, pair: {{filters: 5}}}}]\n")
    assert not found
    assert paths(loaded) == ["p.a", "p.b"]


def test_two_blocks_of_one_name(folder: Path) -> None:
    (folder / "blocks.yaml").write_text(BLOCKS)
    (folder / "more.yaml").write_text(
        "imports: blocks.yaml\nblocks:\n  single: {layers: [flatten]}\n  more: {layers: [flatten]}\n"
    )
    own = "blocks: {single: {layers: [{id: mine, conv: {filters: 3}}]}}\n"
    layers = "layers: [{id: s, single: {}}]\n"
    _, found, messages = run(folder, f"{IMPORTING}imports: blocks.yaml\n{own}{layers}")
    assert found == [("E302", 5, 10)]
    assert "`{blocks.yaml: [pair]}`" in messages[0]
    report = Report()
    check_spec(folder / "mine.yaml", report)
    assert [(Path(label.span.source.name).name, label.span.line) for d in report for label in d.labels if label.span] == [
        ("mine.yaml", 4), ("blocks.yaml", 5),
    ]  # fmt: skip
    loaded, found, _ = run(folder, f"{IMPORTING}imports: {{blocks.yaml: [pair]}}\n{own}{layers}")
    assert not found
    assert paths(loaded) == ["s.mine"]
    # In the file that is imported itself, and between two files.
    _, found, _ = run(folder, f"{IMPORTING}imports: more.yaml\n{layers}")
    assert found == [("E302", 3, 3)]
    (folder / "third.yaml").write_text("blocks: {single: {layers: [flatten]}}\n")
    _, found, _ = run(folder, f"{IMPORTING}imports: [blocks.yaml, third.yaml]\n{layers}")
    assert found == [("E302", 4, 24)]


def test_a_block_that_comes_by_way_of_two_files_is_one(folder: Path) -> None:
    (folder / "blocks.yaml").write_text(BLOCKS)
    for name in ("one", "two"):
        (folder / f"{name}.yaml").write_text(f"imports: blocks.yaml\nblocks: {{{name}: {{layers: [single]}}}}\n")
    loaded, found, _ = run(
        folder, f"{IMPORTING}imports: [one.yaml, two.yaml]\nlayers: [{{id: a, one: {{}}}}, {{id: b, two: {{}}}}]\n"
    )
    assert not found
    assert paths(loaded) == ["a.single_1.only", "b.single_1.only"]


def test_a_spec_that_extends_another_may_replace_its_blocks(folder: Path) -> None:
    (folder / "blocks.yaml").write_text(BLOCKS)
    (folder / "parent.yaml").write_text(f"{IMPORTING}imports: blocks.yaml\nlayers: [{{id: s, single: {{}}}}]\n")
    own = "blocks: {single: {layers: [{id: mine, conv: {filters: 3}}]}}\n"
    loaded, found, _ = run(folder, f"cnnspec: 1\nname: child\nextends: parent.yaml\n{own}")
    assert not found
    assert paths(loaded) == ["s.mine"]


def test_mistakes_in_imports(folder: Path) -> None:
    (folder / "blocks.yaml").write_text(BLOCKS)
    layers = "layers: [{conv: {filters: 3}}]\n"
    _, found, messages = run(folder, f"{IMPORTING}imports: {{blocks.yaml: [pare]}}\n{layers}")
    assert found == [("E504", 4, 25)]
    assert "did you mean `pair`?" in messages[0]
    _, found, _ = run(folder, f"{IMPORTING}imports: block.yaml\n{layers}")
    assert found == [("E501", 4, 10)]


def test_expanding_gives_a_spec_of_its_own(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (folder / "blocks.yaml").write_text(BLOCKS)
    text = (
        MINE
        + "imports: blocks.yaml\nset: {classes: 7}\nedits: [{insert_after: conv1, layers: [{id: p, pair: {filters: 5}}]}]\n"
    )
    loaded, found, _ = run(folder, text)
    assert not found
    assert loaded is not None
    for word in ("extends", "edits", "imports", "set:"):
        assert word not in loaded.expanded
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "expanded.yaml"
    elsewhere.write_text(loaded.expanded)
    report = Report()
    again = check_spec(elsewhere, report)
    assert not list(report)
    assert again is not None
    assert print_graph(again.graph) == print_graph(loaded.graph)


def test_values_set_from_outside_drop_the_expectations(folder: Path) -> None:
    report = Report()
    loaded = check_spec(folder / "base.yaml", report, set={"classes": 3})
    assert not list(report)
    assert loaded is not None
    assert not loaded.expectations_hold
    assert "expect" not in loaded.expanded
    assert check_spec(loaded.expanded, report) is not None
    assert not list(report)
