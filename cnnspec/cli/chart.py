"""`cnnspec chart`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cnnspec.charts.style import ENDINGS, save
from cnnspec.cli.options import load_or_exit, parse_settings, set_option
from cnnspec.cli.output import output_file, steps


@click.command(name="chart")
@click.argument("files", metavar="FILE...", nargs=-1)
@click.option("--kind", type=click.Choice(["scaling", "accuracy"]), default="scaling", show_default=True,
              help="MACs and parameters against width, depth, resolution and the compound rule; or the zoo's published "
                   "accuracies against MACs and parameters, with the families of FILE in colour.")  # fmt: skip
@set_option
@click.option("--output", "-o", "outputs", multiple=True, type=click.Path(path_type=Path), default=["chart.png"],
              show_default=True, help="A .png or .svg file; repeatable.")  # fmt: skip
def command(files: tuple[str, ...], kind: str, settings: tuple[str, ...], outputs: tuple[Path, ...]) -> None:
    """Draw how networks grow as they are scaled, or what accuracy was published for what count.

    A spec whose accuracy nobody published stands in the second chart as a line at its counts.

    \b
    cnnspec chart my_net.yaml resnet50 --output growth.svg
    cnnspec chart --kind accuracy --output zoo.png --output zoo.svg
    cnnspec chart --kind accuracy my_net.yaml efficientnet_b0
    """
    for path in outputs:
        if path.suffix.lower() not in ENDINGS:
            raise click.BadParameter(f"`{path}` should end in {' or '.join(ENDINGS)}", param_hint="--output")
    if kind == "scaling" and not files:
        raise click.UsageError("name at least one FILE to scale, or say --kind accuracy for the zoo")
    doubled = next((file for file in files if files.count(file) > 1), None)
    if doubled is not None:
        raise click.UsageError(f"`{doubled}` is named twice")
    specs = [(file, load_or_exit(file, settings)) for file in files]
    figure = _figure(kind, [(_name(file), file, loaded) for file, loaded in specs], settings)
    for path in outputs:
        with output_file(path) as beside:
            save(figure, beside)
        click.echo(f"written to {path}")


def _figure(kind: str, specs: list[tuple[str, str, Any]], settings: tuple[str, ...]) -> Any:
    from cnnspec.charts.accuracy_chart import accuracy_chart
    from cnnspec.charts.directions import ways
    from cnnspec.charts.scaling_chart import scaling_chart

    if kind == "accuracy":
        return accuracy_chart([(name, loaded) for name, _, loaded in specs])
    given, found = parse_settings(settings), {}
    with steps("scaling", len(specs)) as tell:
        for name, file, loaded in specs:
            tell(name)
            found[name] = ways(file, loaded, given)
    return scaling_chart([(name, loaded) for name, _, loaded in specs], found)


def _name(file: str) -> str:
    """What a file is called in a chart."""
    return Path(file).stem if file.endswith((".yaml", ".yml")) else file
