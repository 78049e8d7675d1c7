"""`cnnspec verify`."""

from __future__ import annotations

import json
import sys

import click

from cnnspec.cli.options import file_argument, json_option, parse_settings, print_diagnostics, set_option


@click.command(name="verify")
@file_argument
@set_option
@click.option("--examples", type=click.IntRange(min=1), default=30, show_default=True, help="Networks to look at.")
@json_option
def command(file: str, settings: tuple[str, ...], examples: int, as_json: bool) -> None:
    """Look for values of the params, and sizes of the input, for which the spec is wrong.

    Params with a range or choices (`{type: int, default: 3, min: 1, max: 9}`) are varied within it, and the input in
    size. Every network so made must check, and keep the laws: inferred shapes are those of the trace and of a run,
    counts are those of the arrays, the expanded spec means the same. What fails is shrunk to the simplest values.

    \b
    cnnspec verify my_net.yaml
    cnnspec verify my_net.yaml --examples 1000
    """
    from cnnspec.verification import verify

    found = verify(file, set=parse_settings(settings), examples=examples)
    if as_json:
        from cnnspec.rendering import as_data

        data = {
            "networks": found.networks,
            "runs": found.runs,
            "varied": found.varied,
            "sizes": [list(size) for size in found.sizes],
            "right": not found.diagnostics,
            "diagnostics": [as_data(d) for d in found.diagnostics],
        }
        click.echo(json.dumps(data, indent=2))
    else:
        print_diagnostics(found.diagnostics)
    if found.diagnostics:
        sys.exit(1)
    if not as_json:
        params = ", ".join(f"{name} {words}" for name, words in found.varied.items()) or "none has a range"
        sizes = (
            f"{found.sizes[0][0]}x{found.sizes[0][1]} to {found.sizes[-1][0]}x{found.sizes[-1][1]}"
            if found.sizes
            else "as given"
        )
        click.echo(
            f"{file}: ok   {found.networks} networks, {found.runs} of them run   params: {params}   input: {sizes}"
        )
