"""The tutorial of docs/training.md, typed from its first line to its last."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnnspec.cli.main import main

PAGE = (Path(__file__).parent.parent.parent / "docs" / "training.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(yaml|console|python)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

#: In the everyday run the trainings are as short as they can be; the slow one types what is written.
SHORT = {"epochs: 15": "epochs: 1", "evaluate_every: 5": "evaluate_every: 1", "--epochs 17": "--epochs 2", "--epochs 3 ": "--epochs 1 ",
         '"epochs": 5': '"epochs": 1', "steps=100": "steps=3"}  # fmt: skip


@pytest.mark.parametrize("length", ["short", pytest.param("as_written", marks=pytest.mark.slow)])
def test_the_tutorial_does_what_it_says(length, tmp_path, monkeypatch, unrendered):
    monkeypatch.chdir(tmp_path)
    typed = 0
    for kind, block in BLOCKS:
        text = block
        for long, short in SHORT.items() if length == "short" else ():
            text = text.replace(long, short)
        if kind == "yaml":
            name = re.match(r"# (\S+)\n", block)
            assert name is not None, block
            Path(name[1]).write_text(text)
        elif kind == "python":
            exec(compile(text, "docs/training.md", "exec"), {})
        else:
            for line in text.splitlines():
                assert line.startswith("$ cnnspec ")
                done = CliRunner().invoke(main, shlex.split(line)[2:])
                assert done.exit_code == 0, f"{line}\n{done.output}\n{done.exception}"
                typed += 1
    assert typed == 9
    made = {path.name for path in Path("runs/my_net").iterdir()}
    assert (
        set(re.findall(r"`(\w+\.(?:png|yaml|jsonl|json|safetensors))`", PAGE))
        - {"reconstructions.png", "dimensions.png"}
        <= made
    )
    assert {path.name for path in tmp_path.iterdir()} >= {
        "my_artefact",
        "sheet.png",
        "confusion.png",
        "reliability.png",
    }


def test_every_shortening_of_the_everyday_run_is_in_the_text():
    assert all(long in PAGE for long in SHORT)
