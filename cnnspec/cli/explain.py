"""`cnnspec explain`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="explain")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain an error code: what it means, an example, and the repair. Without a code, list them all.

    \b
    cnnspec explain E203
    cnnspec explain
    """
    pages = {path.stem: path for path in sorted(_folder().glob("E*.md"))}
    if code is None:
        for name, path in pages.items():
            click.echo(f"{name}  {path.read_text('utf-8').splitlines()[0].partition(': ')[2]}")
        return
    page = pages.get(code.upper())
    if page is None:
        from cnnspec.diagnostics import did_you_mean

        hint = did_you_mean(code.upper(), pages) or "`cnnspec explain` lists them"
        raise click.UsageError(f"there is no code `{code}`; {hint}")
    click.echo(page.read_text("utf-8"), nl=False)


def _folder() -> Path:
    """The pages: inside the installed package, or in the documentation of a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "errors"
    return inside if inside.is_dir() else package.parent / "docs" / "errors"
