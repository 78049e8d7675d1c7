"""The `cnnspec` command: one file of this folder a subcommand, loaded when it is called."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click

_HERE = Path(__file__).parent
_NOT_COMMANDS = ("__init__", "main", "options", "output", "completing", "compile_forms")


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """While libraries load, Ctrl-C ends the process at once: an exception in their midst would abort it with a trace."""
    if threading.current_thread() is not threading.main_thread():  # Python lets no other thread have handlers
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Commands(click.Group):
    """The subcommands: the files of this folder."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(p.stem.rstrip("_").replace("_", "-") for p in _HERE.glob("*.py") if p.stem not in _NOT_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        stem = cmd_name.replace("-", "_")
        module = stem if (_HERE / f"{stem}.py").exists() else f"{stem}_"
        with loading():
            command: click.Command = import_module(f"cnnspec.cli.{module}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # by itself click exits with 1, as if an input were wrong
            click.echo("interrupted", err=True)
            ctx.exit(128 + signal.SIGINT)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and self.get_command(ctx, args[0]) is None:
            from cnnspec.diagnostics import did_you_mean

            hint = did_you_mean(args[0], self.list_commands(ctx))
            ctx.fail(f"there is no command `{args[0]}`{'; ' + hint if hint else ''}")
        return super().resolve_command(ctx, args)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="cnnspec", prog_name="cnnspec")
def main() -> None:
    """Write a convolutional network as a YAML table, know at once whether it is right, and run it.

    \b
    cnnspec check my_net.yaml        is it right?
    cnnspec summary resnet50         what does it consist of?
    cnnspec compile vgg16.yaml       make it run

    FILE is a path, or the bare name of a spec of the zoo (`cnnspec list`). Exit codes: 0 all is right, 1 a spec or
    another input is wrong, 2 the command was called wrongly.
    """


def entry() -> None:
    """The `cnnspec` command: what trains does so in a process with huge pages."""
    if sys.argv[1:2] == ["train"]:
        from cnnspec.huge_pages import start_with_huge_pages

        start_with_huge_pages()
    main(prog_name="cnnspec")


if __name__ == "__main__":
    entry()
