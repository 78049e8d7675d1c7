"""A corpus of mistakes: what is said of each, word by word, in the three formats, and how long it takes."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from cnnspec.diagnostics import Diagnostic
from cnnspec.rendering import render_github, render_json
from tests.broken.saying import EXPECTED, SPECS, diagnostics, said


def test_the_corpus_is_large_and_nothing_of_it_is_left_over() -> None:
    assert len(SPECS) >= 100
    assert {path.stem for path in EXPECTED.iterdir()} == {path.stem for path in SPECS}


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_what_is_said(path: Path) -> None:
    assert said(path) == (EXPECTED / f"{path.stem}.txt").read_text(encoding="utf-8"), "see tests/broken/__main__.py"


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_second_is_enough(path: Path) -> None:
    begin = time.process_time()  # not the wall clock: other programs are none of its business
    diagnostics(path)
    assert time.process_time() - begin < 1


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_formats_say_the_same(path: Path) -> None:
    found = list(diagnostics(path))
    as_json = json.loads(render_json(found))
    as_github = render_github(found).split("\n")
    assert len(found) == len(as_json) == len(as_github)
    for diagnostic, data, line in zip(found, as_json, as_github, strict=True):
        assert (data["code"], data["message"], data["help"]) == (diagnostic.code, diagnostic.message, diagnostic.help)
        assert line.startswith("::error ")
        assert f"title={diagnostic.code}::" in line
        if diagnostic.span is not None:
            assert (data["line"], data["column"]) == (diagnostic.span.line, diagnostic.span.column)
            assert f"line={data['line']},endLine={data['end_line']}," in line
            # GitHub knows columns within one line only.
            assert (f",col={data['column']}," in line) == (data["line"] == data["end_line"])


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_caret_stands_under_something(path: Path) -> None:
    for line, caret in re.findall(r"^ *\d+ \| (.*)\n      \| ( *\^+)$", said(path), re.MULTILINE):
        # An empty value has its caret behind the colon, at the end of the line.
        assert len(caret.strip()) <= 2 * max(1, len(line))
        assert len(caret) - len(caret.lstrip()) <= 2 * len(line) + 1


def _speaks(diagnostic: Diagnostic) -> bool:
    """Whether a message says what to do: by its help, or by what the value should be."""
    return bool(diagnostic.help) or "should" in diagnostic.message


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_message_can_be_acted_on(path: Path) -> None:
    for diagnostic in diagnostics(path):
        assert _speaks(diagnostic), diagnostic
        words = f"{diagnostic.message} {diagnostic.help}"
        assert not re.search(r"None|True|False|function-before|dict\[|tuple\[|<class|pydantic|NoneType|``", words), (
            words
        )
        assert not diagnostic.message.endswith(".")
