"""How diagnostics look: text with carets and labels, JSON, GitHub annotations."""

from __future__ import annotations

import json
import textwrap

from hypothesis import given
from hypothesis import strategies as st

from cnnspec.diagnostics import Diagnostic, Label, Report, Source, Span
from cnnspec.rendering import MOST_COLUMNS, render_github, render_json, render_text, summary_line, visible


def at(text: str, word: str, name: str = "net.yaml") -> Span:
    """The first place of `word` in a text."""
    index = text.index(word)
    line = text.count("\n", 0, index) + 1
    column = index - text.rfind("\n", 0, index)
    return Span(Source(name, text), line, column, line, column + len(word))


TEXT = "layers:\n  - {id: merge, add: [left, right]}\n"


def test_text_shows_place_line_caret_labels_and_help() -> None:
    labels = (
        Label("left   28x28x256   256 = filters 64 x expansion 4", at(TEXT, "layers")),
        Label("right   28x28x8   8 = filters 8", at("x: 1\n", "x", "other.yaml")),
    )
    shown = render_text(
        [Diagnostic("E203", "the inputs of `add` differ", at(TEXT, "[left, right]"), "project it", labels)]
    )
    assert shown == textwrap.dedent(
        """\
        net.yaml:2:22: error[E203]: the inputs of `add` differ
            2 |   - {id: merge, add: [left, right]}
              |                      ^^^^^^^^^^^^^
           left    28x28x256   256 = filters 64 x expansion 4   line 1
           right   28x28x8     8 = filters 8                    other.yaml:1:1
           help: project it"""
    )


def test_a_diagnostic_without_a_place() -> None:
    assert render_text([Diagnostic("E001", "cannot read it")]) == "error[E001]: cannot read it"


def test_wide_characters_and_tabs_keep_the_caret_in_its_column() -> None:
    text = "a: {中文: 1, bad: 2}\n"
    line, caret = render_text([Diagnostic("E101", "m", at(text, "bad"))]).split("\n")[1:3]
    # Two wide characters take up four columns.
    assert caret.index("^") == line.index("bad") + 2
    text = "a:\tbad\n"
    line, caret = render_text([Diagnostic("E101", "m", at(text, "bad"))]).split("\n")[1:3]
    assert caret.index("^") == line.index("bad")


def test_a_span_of_several_lines_is_marked_on_the_first() -> None:
    source = Source("n", "abc: 1\ndef: 2\n")
    shown = render_text([Diagnostic("E101", "m", Span(source, 1, 3, 2, 4))])
    assert shown.split("\n")[2] == "      |   ^^^^"


def test_long_lines_are_cut_around_the_caret() -> None:
    text = "x" * 5_000 + " bad " + "y" * 5_000
    line, caret = render_text([Diagnostic("E101", "m", at(text, "bad"))]).split("\n")[1:3]
    assert len(line) < MOST_COLUMNS + 20
    assert line[caret.index("^") :][:3] == "bad"
    assert caret.count("^") == 3


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert visible("a\x1b[31mb\u202ec") == "a\\x1b[31mb\\u202ec"


def test_colour_only_where_asked_for() -> None:
    diagnostic = Diagnostic("E101", "m", at(TEXT, "merge"), "h")
    assert "\x1b" not in render_text([diagnostic])
    assert "\x1b[31;1m" in render_text([diagnostic], color=True)


def test_json_has_stable_keys() -> None:
    labels = (Label("l", at(TEXT, "left")), Label("no place"))
    found = json.loads(render_json([Diagnostic("E203", "m", at(TEXT, "merge"), "h", labels), Diagnostic("E001", "n")]))
    assert found[0] == {
        "code": "E203", "severity": "error", "message": "m", "file": "net.yaml", "line": 2, "column": 10, "end_line": 2,
        "end_column": 15, "help": "h",
        "labels": [{"text": "l", "file": "net.yaml", "line": 2, "column": 23},
                   {"text": "no place", "file": None, "line": None, "column": None}],
    }  # fmt: skip
    assert found[1]["line"] is None


def test_github_annotations_escape_what_they_must() -> None:
    text = "x: 1\n"
    diagnostic = Diagnostic("E101", "50% of\nit", at(text, "x", "a,b:c.yaml"), "do, this: that", severity="warning")
    assert render_github([diagnostic]) == (
        "::warning file=a%2Cb%3Ac.yaml,line=1,endLine=1,col=1,endColumn=2,title=E101::50%25 of%0Ait%0Ahelp: do, this: that"
    )


def test_github_annotations_name_the_origins_and_no_columns_of_several_lines() -> None:
    text = "add:\n  - left\n  - right\n"
    labels = (Label("left   28x28x256", at(text, "left")), Label("right   28x28x8", at(text, "right")))
    whole = Span(Source("net.yaml", text), 1, 1, 3, 10)
    assert render_github([Diagnostic("E203", "the inputs differ", whole, labels=labels)]) == (
        "::error file=net.yaml,line=1,endLine=3,title=E203::the inputs differ"
        "%0Aleft    28x28x256   line 2%0Aright   28x28x8     line 3"
    )


def test_the_summary_counts_by_severity() -> None:
    found = [Diagnostic("E101", "a"), Diagnostic("E102", "b"), Diagnostic("W1", "c", severity="warning")]
    assert summary_line(found) == "2 errors, 1 warning"
    assert summary_line([]) == "no diagnostics"


def test_a_report_is_in_the_order_of_the_text_and_holds_each_once() -> None:
    report = Report()
    for word in ("right", "left", "right"):
        report.error("E301", word, at(TEXT, word))
    assert [d.message for d in report] == ["left", "right"]


@given(st.text(max_size=80), st.integers(1, 5), st.integers(1, 90), st.integers(0, 3), st.integers(1, 90))
def test_any_span_of_any_text_can_be_shown(text: str, line: int, column: int, more: int, end: int) -> None:
    diagnostic = Diagnostic("E101", text, Span(Source("n", text), line, column, line + more, end), text)
    shown = render_text([diagnostic])
    assert "^" in shown
    assert json.loads(render_json([diagnostic]))[0]["message"] == text
    assert "\n" not in render_github([diagnostic])
