"""`cnnspec compile`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from cnnspec.cli.options import file_argument, format_option, load_or_exit, print_diagnostics, scale_options, set_option
from cnnspec.cli.output import bytes_text
from cnnspec.diagnostics import SpecError
from cnnspec.scaling import Factors


@click.command(name="compile")
@file_argument
@set_option
@scale_options
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="Folder of the artefact [default: the name of the network]."
)
@click.option("--weights", type=click.Path(path_type=Path), help="Trained weights (.safetensors, by path).")
@click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16"]),
    default="float32",
    show_default=True,
    help="What it computes in.",
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Of the initial values, where no weights are given."
)
@click.option(
    "--batch",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Batch size compiled ahead of time for this machine.",
)
@click.option(
    "--emit", metavar="STAGE", help="Print the graph after a stage (elaborate, prune, ...; `all` for each) and stop."
)
@click.option("--print-between", is_flag=True, help="Print the graph after every pass.")
@click.option("--time-passes", is_flag=True, help="Print how long every pass takes.")
@click.option("--force", is_flag=True, help="Replace what is there, even if it is no artefact.")
@format_option
def command(
    file: str, settings: tuple[str, ...], factors: Factors, output: Path | None, weights: Path | None, dtype: str, seed: int, batch: int,
    emit: str | None, print_between: bool, time_passes: bool, force: bool, output_format: str,
) -> None:  # fmt: skip
    """Compile a spec: check it, lower it, jit it for this machine, and export it for cpu, cuda and tpu.

    Writes a folder with the portable program (any batch size, weights as arguments), the weights, the merged spec, a
    manifest and a report.

    \b
    cnnspec compile vgg16.yaml
    cnnspec compile resnet50 --weights resnet50.safetensors --output my_resnet
    cnnspec compile resnet50 --emit drop_identities
    """
    loaded = load_or_exit(file, settings, output_format, factors)
    from cnnspec.compiled import Compiled

    compiled = Compiled(loaded, dtype)  # type: ignore[arg-type]  # one of the choices
    stages = compiled.infer_stages
    if emit is not None:
        names = [stage.name for stage in stages]
        if emit not in (*names, "all"):
            raise click.BadParameter(
                f"there is no stage `{emit}`; the stages are {', '.join(names)}", param_hint="--emit"
            )
        for stage in stages:
            if emit in (stage.name, "all"):
                click.echo(f"// after {stage.name}\n{stage.graph}", nl=False)
        return
    for stage in stages:
        if print_between:
            click.echo(f"// after {stage.name}\n{stage.graph}")
        if time_passes:
            click.echo(f"{stage.name:18} {stage.seconds * 1e3:8.2f} ms   {len(stage.graph.nodes)} nodes")
    try:
        _write(compiled, output or Path(loaded.document.name), weights, seed, batch, force)
    except SpecError as error:
        print_diagnostics(list(error.diagnostics), output_format)
        sys.exit(1)


def _write(compiled: object, folder: Path, weights: Path | None, seed: int, batch: int, force: bool) -> None:
    from cnnspec.artefact import save
    from cnnspec.compiled import Compiled
    from cnnspec.weights.readers import read_checkpoint

    assert isinstance(compiled, Compiled)
    if weights is not None:
        params, state = compiled.split(read_checkpoint(weights))
        trained = f"from {weights.name}"
    else:
        params, state = compiled.init(seed)
        trained = ""
    begin = time.perf_counter()
    save(compiled, folder, params, state, trained=trained, force=force)
    exported = time.perf_counter() - begin
    begin = time.perf_counter()
    compiled.warm(params, state, batch)
    jitted = time.perf_counter() - begin
    counts = compiled.loaded.totals
    click.echo(f"{folder}: {compiled.loaded.document.name}, {counts.params:,} params, {counts.macs:,} MACs, "
               f"{bytes_text(counts.weight_bytes)} of weights")  # fmt: skip
    click.echo(
        f"exported for cpu, cuda, tpu in {exported:.1f} s; compiled for this machine, batch {batch}, in {jitted:.1f} s"
    )
    if not trained:
        click.echo("the network is untrained: its weights are initial values (give --weights, or `cnnspec train`)")
    click.echo(f"run it: cnnspec run {folder} IMAGE...")
