"""`cnnspec recipes`."""

from __future__ import annotations

import json
import sys
from typing import NoReturn

import click

from cnnspec.cli.options import json_option, print_diagnostics
from cnnspec.cli.output import Table
from cnnspec.diagnostics import Report, did_you_mean


@click.command(name="recipes")
@click.argument("name", required=False)
@click.option("--for", "network", metavar="NETWORK", help="Only those for this network of the zoo.")
@click.option("--reference", is_flag=True, help="Print the reference of all fields, as Markdown.")
@json_option
def command(name: str | None, network: str | None, reference: bool, as_json: bool) -> None:
    """List the recipes that come along, for `cnnspec train SPEC --recipe NAME`, or print one of them.

    \b
    cnnspec recipes
    cnnspec recipes --for resnet50
    cnnspec recipes lenet5 > my_net.recipe.yaml
    cnnspec recipes --reference > recipes.md
    """
    from cnnspec.training.recipe_file import find_recipe, load_recipe, recipe_folder

    if reference:
        from cnnspec.training.reference import recipe_reference

        click.echo(recipe_reference(), nl=False)
        return
    if name is not None:
        path, report = find_recipe(name, "", ""), Report()
        if path is None or load_recipe(path, report) is None:
            load_recipe(name, report)  # says which one was meant
            print_diagnostics(report)
            sys.exit(1)
        click.echo(path.read_text(encoding="utf-8"), nl=False)
        return
    loaded = {path.stem: load_recipe(path, Report()) for path in sorted(recipe_folder().glob("*.yaml"))}
    found = {
        stem: r.recipe for stem, r in loaded.items() if r is not None and (network is None or r.recipe.is_for(network))
    }
    if not found:
        _nothing_for(str(network))
    if as_json:
        rows = [{"name": n, "title": r.title, "dataset": r.dataset.name, "networks": list(r.networks), "published": r.published} for n, r in found.items()]  # fmt: skip
        click.echo(json.dumps(rows))
        return
    table = Table(["recipe", "dataset", "about"])
    for stem, recipe in found.items():
        table.add(stem, recipe.dataset.name, recipe.title)
    table.print()


def _nothing_for(network: str) -> NoReturn:
    """Say why there is no recipe for a network, and exit with 1."""
    from cnnspec.zoo import zoo_specs

    known = [path.stem for path in zoo_specs()]
    if network in known:
        said = f"no recipe is for `{network}` in particular; `cnnspec train {network}` takes the general one"
    else:
        hint = did_you_mean(network, known) or "`cnnspec list` lists them"
        said = f"there is no network `{network}` in the zoo; {hint}"
    click.echo(said, err=True)
    sys.exit(1)
