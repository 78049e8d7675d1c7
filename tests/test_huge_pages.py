"""A process that trains starts anew with huge pages, once, and only where there are any."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cnnspec import huge_pages

SCRIPT = """
import os, sys
print("begins", flush=True)
from cnnspec.huge_pages import start_with_huge_pages
print(start_with_huge_pages(), os.environ.get("GLIBC_TUNABLES"), sys.argv[1:])
"""

possible = pytest.mark.skipif(not huge_pages._possible(), reason="Linux with huge pages for those who ask")


def run(command: list[str], **environment: str) -> list[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("GLIBC_TUNABLES", "CNNSPEC_HUGE_PAGES")}
    done = subprocess.run(command, env={**clean, **environment}, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.fixture
def script(tmp_path: Path) -> list[str]:
    (tmp_path / "script.py").write_text(SCRIPT)
    return [sys.executable, str(tmp_path / "script.py"), "one", "two words"]


@possible
def test_a_script_starts_anew_once(script: list[str]) -> None:
    assert run(script) == ["begins", "begins", "True glibc.malloc.hugetlb=1 ['one', 'two words']"]
    others = run(script, GLIBC_TUNABLES="glibc.malloc.arena_max=2")
    assert others[-1].startswith("True glibc.malloc.arena_max=2:glibc.malloc.hugetlb=1")


@pytest.mark.parametrize(
    ("environment", "said"),
    [({"CNNSPEC_HUGE_PAGES": "off"}, "False None"), ({"GLIBC_TUNABLES": "glibc.malloc.hugetlb=0"}, "False glibc.malloc.hugetlb=0")],
)  # fmt: skip
def test_what_the_user_has_decided_stays(script: list[str], environment: dict[str, str], said: str) -> None:
    assert run(script, **environment) == ["begins", f"{said} ['one', 'two words']"]


def test_a_script_from_standard_input_cannot() -> None:
    done = subprocess.run([sys.executable, "-"], input=SCRIPT, capture_output=True, text=True, check=True,
                          env={n: v for n, v in os.environ.items() if n not in ("GLIBC_TUNABLES", "CNNSPEC_HUGE_PAGES")})  # fmt: skip
    assert done.stdout.splitlines() == ["begins", "False None []"]


@pytest.mark.parametrize("system", ["always madvise [never]", "[always] madvise never", None])
def test_where_nothing_is_to_be_asked_for(system: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "enabled"
    if system is not None:
        file.write_text(system)
    monkeypatch.setattr(huge_pages, "_SYSTEM", file)
    assert not huge_pages._possible()


@possible
@pytest.mark.parametrize(("command", "starts"), [("train", True), ("check", False)])
def test_the_command_that_trains_does(command: str, starts: bool) -> None:
    code = (
        "import os, sys, cnnspec.cli.main as main; main.main = lambda **given: print(os.environ.get('GLIBC_TUNABLES'));"
        f"sys.argv[1:] = ['{command}']; main.entry()"
    )
    assert run([sys.executable, "-c", code]) == [str("glibc.malloc.hugetlb=1" if starts else None)]
