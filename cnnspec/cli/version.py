"""`cnnspec version`."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version

import click

from cnnspec.cli.options import json_option
from cnnspec.document import LANGUAGE_VERSION

PACKAGES = ("cnnspec", "jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "grain", "pydantic", "numpy")


@click.command(name="version")
@json_option
def command(as_json: bool) -> None:
    """Show the versions of cnnspec, of its language, and of the packages that it stands on.

    \b
    cnnspec version
    cnnspec version --json
    """
    found = {"language": str(LANGUAGE_VERSION)}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(f"{k:18} {v}" for k, v in found.items()))
