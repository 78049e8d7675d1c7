"""`cnnspec schema`."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(name="schema")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
def command(output: Path | None) -> None:
    """Print the JSON Schema of the language, for completion and checking in editors.

    With the YAML language server, which most editors have, write it to a file and begin a spec with this line:

    \b
    # yaml-language-server: $schema=cnnspec.schema.json

    \b
    cnnspec schema --output cnnspec.schema.json
    """
    from cnnspec.json_schema import language_schema

    text = json.dumps(language_schema(), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    beside = output.with_name(output.name + ".part")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(output)
    except OSError as error:
        raise click.UsageError(f"cannot write {output}: {error.strerror or error}") from None
