"""docs/testing.md: its tests run, its laws are all there are, and `verify` finds what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cnnspec import testing
from cnnspec.testing import laws
from cnnspec.testing.laws import COMPILED, DYNAMIC, STATIC
from cnnspec.verification import verify

PAGE = (Path(__file__).parent.parent / "docs" / "testing.md").read_text(encoding="utf-8")


def fenced(language: str) -> str:
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(block)


def test_its_tests_run() -> None:
    names: dict[str, Any] = {}
    exec(compile(fenced("python"), "docs/testing.md", "exec"), names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert len(tests) == 3
    for test in tests:
        test()


def test_verify_finds_what_it_says() -> None:
    text = fenced("yaml")
    (diagnostic,) = verify(text).diagnostics
    assert diagnostic.message.startswith("with groups=3")
    right = text.replace("{type: int, default: 2, min: 1, max: 8}", "{choice: [1, 2, 4, 8], default: 2}")
    assert right != text
    assert not verify(right, examples=6).diagnostics


def test_every_law_and_every_strategy_has_its_line() -> None:
    told = {name for row in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE) for name in re.findall(r"`(\w+)", row)}
    assert {law.__name__ for law in (*STATIC, *DYNAMIC, *COMPILED)} <= told
    assert all(hasattr(laws, name) or name in testing.__all__ for name in told)
    assert {"specs", "blocks", "shapes", "mutants"} <= told
