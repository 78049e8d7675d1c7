"""`cnnspec summary`."""

from __future__ import annotations

import json

import click

from cnnspec.cli.options import file_argument, json_option, load_or_exit, scale_options, set_option
from cnnspec.cli.output import Table, bytes_text
from cnnspec.frontend import LoadedSpec
from cnnspec.scaling import Factors
from cnnspec.summary import Line, summarise


@click.command(name="summary")
@file_argument
@set_option
@scale_options
@json_option
@click.option("--levels", type=click.IntRange(1), default=1, show_default=True,
              help="How far to open blocks: 1 shows the nodes of the spec, 2 what they consist of, and so on.")  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Open everything, every iteration of every repeat.")
def command(
    file: str, settings: tuple[str, ...], factors: Factors, as_json: bool, levels: int, everything: bool
) -> None:
    """Show what a network consists of: shapes, parameters, MACs, receptive fields, activation memory.

    Repeats are folded into one line. All counts are for one image; MACs count multiply-accumulates of learned
    weights, FLOPs every arithmetic operation.

    \b
    cnnspec summary vgg16
    cnnspec summary resnet50 --levels 2
    cnnspec summary resnet50 --json
    """
    loaded = load_or_exit(file, settings, factors=factors)
    lines = summarise(loaded.graph, 10**6 if everything else levels, fold=not everything)
    if as_json:
        click.echo(json.dumps(as_data(loaded, lines), indent=2))
        return
    table = Table(["node", "block", "output", "params", "MACs", "field", "memory"], right=(3, 4, 5, 6))
    for line in lines:
        field = "" if line.receptive_field is None else _pair(line.receptive_field)
        name = "  " * line.level + line.label + ("  (training only)" if line.training_only else "")
        table.add(name, line.kind, line.output, _count(line.params), _count(line.macs), field, bytes_text(line.bytes))
    table.print(title=loaded.document.name)
    t = loaded.totals
    click.echo(f"params {t.params:,}   state {t.state:,}   MACs {t.macs:,}   FLOPs {t.flops:,}")
    click.echo(
        f"weights {bytes_text(t.weight_bytes)}   activations {bytes_text(t.activation_bytes)} an image, all kept"
    )
    if t.training_params:
        click.echo(f"only in training: params {t.training_params:,}   MACs {t.training_macs:,}")
    if not loaded.expectations_hold and loaded.document.expect is None:
        click.echo("the spec's expectations are not checked: values were set from outside", err=True)


def as_data(loaded: LoadedSpec, lines: list[Line]) -> dict[str, object]:
    """The summary with stable keys."""
    t = loaded.totals
    graph = loaded.graph
    return {
        "name": loaded.document.name,
        "params": t.params,
        "state": t.state,
        "macs": t.macs,
        "flops": t.flops,
        "weight_bytes": t.weight_bytes,
        "activation_bytes": t.activation_bytes,
        "training_params": t.training_params,
        "training_macs": t.training_macs,
        "inputs": {i.name: list(i.type.shape) for i in graph.inputs},
        "output": {name: list(graph.type_of(ref).shape) for name, ref in graph.outputs.items()},
        "nodes": [
            {
                "node": line.path,
                "level": line.level,
                "block": line.kind,
                "repeat": line.repeat,
                "output": line.shapes[0],
                "outputs": line.shapes,
                "params": line.params,
                "state": line.state,
                "macs": line.macs,
                "flops": line.flops,
                "activation_bytes": line.bytes,
                "receptive_field": line.receptive_field,
                "training_only": line.training_only,
            }
            for line in lines
        ],
    }


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def _pair(pair: tuple[int, int]) -> str:
    return f"{pair[0]}" if pair[0] == pair[1] else f"{pair[0]}x{pair[1]}"
