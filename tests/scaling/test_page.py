"""docs/scaling.md: what it shows is what its commands print, and its pictures are what they draw."""

from __future__ import annotations

import difflib
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "scaling.md").read_text(encoding="utf-8")
EXECUTED = runpy.run_path(str(DOCS / "executed.py"))

#: What the page must show, as the reader is promised it.
SHOWN = ("scale resnet50", "--explain", "scale my_net.yaml", "--macs 50M", "--output small.yaml", "compile my_net.yaml",
         "--search", "sizes inception_v3", "chart efficientnet_b0", "--kind accuracy")  # fmt: skip


#: What is drawn takes longer than all that is printed: the slow tests draw it.
DRAWING = PAGE.index("## Pictures")


def assert_unchanged(page: str, folder: Path) -> None:
    text = EXECUTED["executed"](page, folder)
    changed = "".join(difflib.unified_diff(page.splitlines(True), text.splitlines(True), "the page", "what is printed"))
    assert not changed, f"{changed}\nrun `python docs/executed.py docs/scaling.md`"


def test_the_page_shows_what_its_commands_print(tmp_path):
    assert_unchanged(PAGE[:DRAWING], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= {"my_net.yaml", "small.yaml", "small"}


def test_the_page_goes_the_whole_way():
    commands = [line for line in PAGE.splitlines() if line.startswith("$ ")]
    assert all(any(words in command for command in commands) for words in SHOWN)


@pytest.mark.slow
def test_the_pictures_are_what_the_commands_draw(tmp_path):
    yaml = "".join(match[0] + "\n" for match in EXECUTED["BLOCK"].finditer(PAGE) if match[1] == "yaml")
    assert_unchanged(yaml + PAGE[DRAWING:], tmp_path)
    names = re.findall(r"\]\(pictures/(\w+\.png)\)", PAGE)
    assert names == ["growth.png", "accuracy.png"]
    for name in names:
        here, there = (
            np.asarray(Image.open(path).convert("L"), np.float32)
            for path in (DOCS / "pictures" / name, tmp_path / name)
        )
        assert here.shape == there.shape, f"`python docs/executed.py docs/scaling.md` draws {name} anew"
        # Fonts may be drawn a little otherwise elsewhere; a line or a label at another place is not so little.
        assert np.abs(here - there).mean() < 0.5, f"`python docs/executed.py docs/scaling.md` draws {name} anew"


def test_an_elision_stands_for_lines_and_not_for_anything():
    command = EXECUTED["_command"]
    assert command("cnnspec explain E907", "# E907...\n") != "$ cnnspec explain E907\n# E907...\n"
    assert command("cnnspec sizes vgg16", "input 224x224, as written\n...\n").endswith("as written\n...\n")
    assert "..." not in command("cnnspec sizes vgg16", "input 99x99\n...\n")
