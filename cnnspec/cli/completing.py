"""What a shell offers while a command is being typed: specs of the zoo, beside the files that are there."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from cnnspec.zoo import zoo_specs


def complete_spec(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of the zoo that begin so; the shell adds its own files."""
    names = [path.stem for path in zoo_specs() if path.stem.startswith(incomplete)]
    return [*map(CompletionItem, names), CompletionItem(incomplete, type="file")]
