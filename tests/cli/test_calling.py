"""How the commands behave in a terminal, in a pipe, and when they are called wrongly."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cnnspec.cli.main import main
from tests.cli.calling import call

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
COMMANDS = main.list_commands(None)  # type: ignore[arg-type, attr-defined]
BAD = "cnnspec: 1\nname: a\ninput: {height: 8, width: 8, channels: 3}\nlayers:\n  - conv: {filtres: 3, kernel: 3}\n"


def in_a_terminal(*arguments: str, columns: int = 100, **environment: str) -> str:
    """What a command shows in a terminal of so many columns."""
    import pty

    parent, child = pty.openpty()
    env = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color", **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "cnnspec", *arguments], stdout=child, stderr=child, stdin=child, env=env
    )
    os.close(child)
    shown = b""
    try:
        while part := os.read(parent, 65536):
            shown += part
    except OSError:  # the other end is closed: all was read
        pass
    process.wait(60)
    os.close(parent)
    return shown.decode().replace("\r\n", "\n")


def leaf_commands() -> list[tuple[str, ...]]:
    """Every command, and those within `cnnspec weights`."""
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        command = main.get_command(None, name)  # type: ignore[arg-type, attr-defined]
        inner = command.list_commands(None) if isinstance(command, click.Group) else []  # type: ignore[arg-type]
        found += [(name, within) for within in inner] or [(name,)]
    return found


@pytest.mark.parametrize("names", [(name,) for name in COMMANDS], ids=" ".join)
def test_help_begins_with_a_sentence_and_has_an_example(names: tuple[str, ...]) -> None:
    result = call(*names, "--help")
    assert result.exit_code == 0
    text = result.stdout.split("\n\n")[1]
    assert re.match(r"  [A-Z]", text), text
    assert f"\n  cnnspec {names[0]}" in result.stdout


@pytest.mark.parametrize("names", leaf_commands(), ids=" ".join)
def test_an_option_that_is_not_there_is_a_wrong_call(names: tuple[str, ...]) -> None:
    result = call(*names, "--no-such-option")
    assert result.exit_code == 2
    assert "--no-such-option" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("name", ["check", "summary", "expand", "verify", "sizes", "compile", "scale", "eject"])
def test_a_spec_that_is_wrong_is_told_on_standard_error(name: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    result = call(name, path)
    assert result.exit_code == 1
    assert "error[E101]" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("chek",), "did you mean `check`?"),
        (("explain", "E299"), "there is no code `E299`"),
        (("list", "--uses", "sqeeze_excite"), "did you mean `squeeze_excite`?"),
        (("check", "lenet5", "--set", "classes"), "should be NAME=VALUE"),
        (("check", "lenet5", "--set", "classes=[1"), "the `[` is not closed"),
        (("schema", "--output", "/no/such/folder/x.json"), "cannot write"),
        (("summary", "lenet5", "--levels", "0"), "--levels"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_call_is_told_and_exits_with_2(arguments: tuple[str, ...], said: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr.replace("\n", " ")


def test_the_beginning_of_codes_lists_them() -> None:
    listed = call("explain", "e2").stdout.splitlines()
    assert [line[:4] for line in listed] == [f"E20{n}" for n in range(1, 8)]
    assert call("explain", "E203").stdout.startswith("# E203: ")


def test_a_table_has_rules_in_a_terminal_and_columns_in_a_pipe() -> None:
    shown = in_a_terminal("summary", "lenet5")
    assert "━" in shown
    assert "\x1b[" in shown
    piped = call("summary", "lenet5").stdout
    assert piped.isascii()
    assert re.search(r"^C1 +conv +28x28x6 +156 ", piped, re.M | re.I)


def test_no_color_switches_colours_off(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    assert "\x1b[31;1m" in in_a_terminal("check", str(path))
    for arguments in (("check", str(path)), ("summary", "lenet5")):
        assert not re.search(r"\x1b\[(\d+;)*[349]\d[;m]", in_a_terminal(*arguments, NO_COLOR="1"))
    assert "\x1b" not in call("check", path).stderr


def test_a_narrow_terminal_does_not_break_the_line_above_its_caret(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(
        BAD.replace("{filtres: 3, ", "{filters: 3, padding: same, bias: true, stride: 1, dilation: 1, kernle: 3, ")
    )
    lines = in_a_terminal("check", str(path), NO_COLOR="1", columns=60).splitlines()
    caret = next(index for index, line in enumerate(lines) if "^" in line)
    start = lines[caret].index("^")
    assert lines[caret - 1][start : start + 6] == "kernle"
    assert max(len(lines[caret]), len(lines[caret - 1])) <= 60


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    command = f"{sys.executable} -m cnnspec explain | head -1"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert result.stdout.startswith("E001")
    assert "Traceback" not in result.stderr


def test_the_shell_completes_commands_and_names_of_the_zoo() -> None:
    def offered(words: str) -> list[str]:
        env = {**os.environ, "_CNNSPEC_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}  # fmt: skip
        code = "import sys; from cnnspec.cli.main import main; main(prog_name='cnnspec')"
        return subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False
        ).stdout.split()

    assert offered("cnnspec summ") == ["plain,summary"]
    assert offered("cnnspec check vgg1")[:2] == ["plain,vgg11", "plain,vgg11_bn"]
    assert offered("cnnspec check vgg1")[-1] == "file,vgg1"
    assert "plain,--levels" in offered("cnnspec summary --le")
