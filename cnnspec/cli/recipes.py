"""`cnnspec recipes`."""

from __future__ import annotations

import json

import click

from cnnspec.cli.options import json_option
from cnnspec.cli.output import Table
from cnnspec.diagnostics import Report


@click.command(name="recipes")
@click.option("--reference", is_flag=True, help="Print the reference of all fields, as Markdown.")
@json_option
def command(reference: bool, as_json: bool) -> None:
    """List the recipes that come along, for `cnnspec train SPEC --recipe NAME`.

    \b
    cnnspec recipes
    cnnspec recipes --reference > recipes.md
    """
    from cnnspec.training.recipe_file import load_recipe, recipe_folder

    if reference:
        from cnnspec.training.reference import recipe_reference

        click.echo(recipe_reference(), nl=False)
        return
    found = {path.stem: load_recipe(path, Report()) for path in sorted(recipe_folder().glob("*.yaml"))}
    if as_json:
        rows = [{"name": n, "title": r.recipe.title, "dataset": r.recipe.dataset.name, "published": r.recipe.published} for n, r in found.items() if r]  # fmt: skip
        click.echo(json.dumps(rows))
        return
    table = Table(["recipe", "dataset", "about"])
    for name, loaded in found.items():
        if loaded is not None:
            table.add(name, loaded.recipe.dataset.name, loaded.recipe.title)
    table.print()
