"""`cnnspec cache`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cnnspec.cache import kept
from cnnspec.cli.options import json_option
from cnnspec.cli.output import Table, bytes_text

_WHAT = {"compiled": "compiled programs", "tuned": "measurements of this machine (cnnspec compile --tune)"}


@click.command(name="cache")
@click.option("--clear", type=click.Choice([*_WHAT, "all"]), help="Remove what is kept.")
@json_option
def command(clear: str | None, as_json: bool) -> None:
    """Show what is kept in the user's cache, or remove it; it is made again when it is needed.

    The folder is that of the system for caches; CNNSPEC_CACHE names another one, and switches it off with `off`.

    \b
    cnnspec cache
    cnnspec cache --clear tuned
    """
    rows = []
    for what, text in _WHAT.items():
        folder, files = kept(what)
        if clear in (what, "all"):
            for path in files:
                path.unlink(missing_ok=True)
            files = []
        rows.append((what, text, folder, len(files), sum(map(_size, files))))
    if as_json:
        data = [{"what": what, "folder": str(folder) if folder else None, "files": count, "bytes": size}
                for what, _, folder, count, size in rows]  # fmt: skip
        click.echo(json.dumps(data, indent=2))
        return
    table = Table(["what", "files", "size", "folder"], right=(1, 2))
    for _, text, folder, count, size in rows:
        table.add(text, count, bytes_text(size), folder or "switched off")
    table.print()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # gone by now: another process tidies up
        return 0
