"""Runs the commands of a page, so that what it shows is what is printed; `python docs/executed.py PAGE` writes it anew.

A `yaml` block whose first line is a comment with a name is the file of that name. In a `console` block every line that
begins with `$ cnnspec` is run, and what follows it is what it prints; a line `...` stands for any lines. A `python` block
is run as it is. Everything happens in one folder, from the first block to the last; the pictures that the page shows
from `pictures/` are files that its commands write there.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner

from cnnspec.cli.main import main

BLOCK = re.compile(r"^```(yaml|console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def executed(page: str, folder: Path) -> str:
    """The page with what its commands print now; elisions stay where what they stand for still fits."""
    with _inside(folder):
        return BLOCK.sub(lambda match: f"```{match[1]}\n{_block(match[1], match[2])}```", page)


def _block(kind: str, text: str) -> str:
    if kind == "python":
        exec(compile(text, "page", "exec"), {})
    elif kind == "yaml":
        named = re.match(r"# (\S+\.yaml)\b", text)
        if named is not None:
            Path(named[1]).write_text(text, encoding="utf-8")
    else:
        return "".join(_command(command, shown) for command, shown in commands(text))
    return text


def commands(block: str) -> Iterator[tuple[str, str]]:
    """The commands of a console block with what is shown of their output."""
    for part in re.split(r"^(?=\$ )", block, flags=re.MULTILINE):
        if part:
            line, _, shown = part.partition("\n")
            yield line.removeprefix("$ "), shown


def _command(command: str, shown: str) -> str:
    words = shlex.split(command.partition("  #")[0])
    assert words[0] == "cnnspec", command
    done = CliRunner().invoke(main, words[1:])
    printed = done.output if done.exit_code else done.stdout  # without what is told of progress
    parts = re.split(r"^\.\.\.\n", shown, flags=re.MULTILINE)
    pattern = ".*?".join(re.escape(part) for part in parts)
    fits = len(parts) > 1 and re.fullmatch(pattern, printed, re.DOTALL)
    return f"$ {command}\n{shown if fits else printed}"


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def write(path: Path) -> None:
    """Write a page with what its commands print, and the pictures that they draw beside it."""
    text = path.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as made:
        path.write_text(executed(text, Path(made)), encoding="utf-8")
        for name in re.findall(r"\]\(pictures/([\w.]+)\)", text):
            drawn = path.parent / "pictures" / name
            drawn.parent.mkdir(exist_ok=True)
            shutil.copyfile(Path(made) / name, drawn)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        write(Path(name))
