"""`cnnspec gradients`."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnnspec.cli.options import json_option, load_or_exit, set_option
from cnnspec.cli.output import Table

if TYPE_CHECKING:
    from cnnspec.gradients import Gradients, NodeGradient


@click.command(name="gradients")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@set_option
@click.option("--batch", type=click.IntRange(1), default=8, show_default=True, help="Random images.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the weights, the images and their classes.")
@click.option("--all", "everything", is_flag=True, help="Print every node, not only those with a kernel.")
@click.option("--output", "-o", type=click.Path(path_type=Path), default=Path("gradients.png"), show_default=True,
              help="Picture to write (PNG).")  # fmt: skip
@json_option
def command(
    files: tuple[str, ...], settings: tuple[str, ...], batch: int, seed: int, everything: bool, output: Path,
    as_json: bool,
) -> None:  # fmt: skip
    """Show how much gradient reaches every node before the first training step.

    For each network, a random batch at initial weights: the norm of the gradient with respect to the output of each
    node and to its parameters, as a table and as a picture of all networks side by side.

    \b
    cnnspec gradients plain56_cifar resnet56_cifar
    cnnspec gradients my_net.yaml --all
    cnnspec gradients vgg11 --set input.height=64 --set input.width=64 --json
    """
    specs = [load_or_exit(file, settings) for file in files]
    found: list[Gradients] = []
    for number, loaded in enumerate(specs, 1):
        with _working(f"{loaded.document.name}: {len(loaded.graph.nodes)} nodes ({number} of {len(specs)})"):
            from cnnspec.gradients import gradients

            found.append(gradients(loaded, batch, seed))
    from cnnspec.gradients import draw

    draw(output, found)
    if as_json:
        click.echo(json.dumps([{**asdict(g), "growth": g.growth} for g in found], indent=2))
    else:
        _print(found, everything)
    click.echo(f"written to {output}", err=as_json)


def _print(found: list[Gradients], everything: bool) -> None:
    chosen = [{n.path: n for n in (g.nodes if everything else g.weighted)} for g in found]
    names = [g.name for g in found]
    columns = ["node", "op", *(f"{name} {what}" for name in names for what in ("output", "params"))]
    table = Table(columns, right=range(2, len(columns)))
    for path in dict.fromkeys(path for nodes in chosen for path in nodes):
        ops = dict.fromkeys(nodes[path].op for nodes in chosen if path in nodes)
        table.add(path, ", ".join(ops), *(cell for nodes in chosen for cell in _cells(nodes.get(path))))
    table.print()
    for g in found:
        growth = "" if g.growth is None else f", times {g.growth:.3g} a layer on its way back"
        click.echo(f"{g.name}: {len(g.weighted)} layers, loss {g.loss:.4g}{growth}")


def _cells(node: NodeGradient | None) -> tuple[str, str]:
    if node is None:
        return "", ""
    return f"{node.output:.3g}", "" if node.params is None else f"{node.params:.3g}"


@contextlib.contextmanager
def _working(text: str) -> Iterator[None]:
    """Says what is being done, on standard error: with a clock in a terminal, in a line elsewhere."""
    if not sys.stderr.isatty():
        click.echo(text, err=True)
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        bar.add_task(text, total=None)
        yield
