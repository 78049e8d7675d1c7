"""The pages with measured numbers hold them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent.parent / "docs"
EXERCISES = sorted(path for path in (DOCS / "exercises").glob("*.md") if path.stem != "README")


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
def test_a_page_holds_what_its_solution_printed(path):
    text = path.read_text(encoding="utf-8")
    (shown,) = re.findall(r"<!-- measured -->\n```text\n(.*?)```\n.*?<!-- end -->", text, re.DOTALL)
    assert len(shown.splitlines()) >= 3


def test_what_training_reaches_is_written_for_every_trial():
    from benchmarks.learning import TRIALS

    text = (DOCS / "learning.md").read_text(encoding="utf-8")
    assert all(f"`cnnspec train {trial.arguments}`" in text for trial in TRIALS)
