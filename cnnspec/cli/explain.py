"""`cnnspec explain`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cnnspec.cli.options import json_option


@click.command(name="explain")
@click.argument("code", required=False)
@json_option
def command(code: str | None, as_json: bool) -> None:
    """Explain an error code: what it means, an example, and the repair. The beginning of codes lists them.

    \b
    cnnspec explain E203
    cnnspec explain E2
    cnnspec explain
    """
    pages = {path.stem: path for path in sorted(_folder().glob("E*.md"))}
    wanted = (code or "").upper()
    found = {name: path.read_text("utf-8") for name, path in pages.items() if name.startswith(wanted)}
    if not found:
        from cnnspec.diagnostics import did_you_mean

        hint = did_you_mean(wanted, pages) or "`cnnspec explain` lists them"
        raise click.UsageError(f"there is no code `{code}`; {hint}")
    if as_json:
        rows = [{"code": name, "title": _title(text), "page": text} for name, text in found.items()]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif wanted in found:
        click.echo(found[wanted], nl=False)
    else:
        for name, text in found.items():
            click.echo(f"{name}  {_title(text)}")


def _title(page: str) -> str:
    return page.splitlines()[0].partition(": ")[2]


def _folder() -> Path:
    """The pages: inside the installed package, or in the documentation of a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "errors"
    return inside if inside.is_dir() else package.parent / "docs" / "errors"
