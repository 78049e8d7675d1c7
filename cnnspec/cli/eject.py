"""`cnnspec eject`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cnnspec.cli.options import file_argument, format_option, load_or_exit, print_diagnostics, scale_options, set_option
from cnnspec.diagnostics import Diagnostic, SpecError
from cnnspec.scaling import Factors


@click.command(name="eject")
@file_argument
@set_option
@scale_options
@click.option("--output", "-o", type=click.Path(path_type=Path), help="File to write [default: the network's name.py].")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@format_option
def command(
    file: str, settings: tuple[str, ...], factors: Factors, output: Path | None, force: bool, output_format: str
) -> None:
    """Write a network as one Python file of plain Flax NNX, to go on with without cnnspec.

    The file has a class for each block of the spec, under its names, and `load`, which reads weights as `cnnspec train`
    and `cnnspec compile` write them. It imports jax, flax and safetensors, and computes what the compiled network
    computes. `-o -` prints it.

    \b
    cnnspec eject resnet50
    cnnspec eject mobilenet_v2 --set classes=10 --width 0.5 -o my_net.py
    """
    loaded = load_or_exit(file, settings, output_format, factors)
    from cnnspec.eject import eject, write

    if str(output) == "-":
        click.echo(eject(loaded), nl=False)
        return
    path = output or Path(f"{loaded.document.name}.py")
    try:
        if path.exists() and not force:
            raise SpecError(
                [Diagnostic("E805", f"{path} is there already", None, "choose another --output, or --force")]
            )
        lines = write(loaded, path)
    except SpecError as error:
        print_diagnostics(list(error.diagnostics), output_format)
        sys.exit(1)
    click.echo(f"{path}: {loaded.document.name}, {lines} lines, {loaded.totals.params:,} params")
