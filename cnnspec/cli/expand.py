"""`cnnspec expand`."""

from __future__ import annotations

import click

from cnnspec.cli.options import file_argument, load_or_exit, scale_options, set_option
from cnnspec.scaling import Factors


@click.command(name="expand")
@file_argument
@set_option
@scale_options
def command(file: str, settings: tuple[str, ...], factors: Factors) -> None:
    """Print the spec with everything merged: `extends`, `edits`, `imports` and `set` resolved.

    The result is a spec of its own that means the same network.

    \b
    cnnspec expand resnet50
    cnnspec expand resnet50 --set classes=10 > mine.yaml
    """
    click.echo(load_or_exit(file, settings, factors=factors).expanded, nl=False)
