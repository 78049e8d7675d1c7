"""Calling commands as a user does."""

from __future__ import annotations

from click.testing import CliRunner, Result

from cnnspec.cli.main import main


def call(*arguments: object) -> Result:
    """What `cnnspec ARGUMENTS` prints, with standard output and standard error apart."""
    return CliRunner().invoke(main, [str(a) for a in arguments])
