"""`cnnspec expand`."""

from __future__ import annotations

import click

from cnnspec.cli.options import file_argument, load_or_exit, set_option


@click.command(name="expand")
@file_argument
@set_option
def command(file: str, settings: tuple[str, ...]) -> None:
    """Print the spec with everything merged: `extends`, `edits`, `imports` and `set` resolved.

    The result is a spec of its own that means the same network.

    \b
    cnnspec expand resnet50
    cnnspec expand resnet50 --set classes=10 > mine.yaml
    """
    click.echo(load_or_exit(file, settings).expanded, nl=False)
