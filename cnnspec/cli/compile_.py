"""`cnnspec compile`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cnnspec.cli.compile_forms import print_explanation, tune_and_tell
from cnnspec.cli.completing import complete_spec
from cnnspec.cli.options import format_option, json_option, load_or_exit, print_diagnostics, scale_options, set_option
from cnnspec.cli.output import bytes_text
from cnnspec.diagnostics import Diagnostic, Problem, SpecError
from cnnspec.scaling import Factors
from cnnspec.types import TensorType

if TYPE_CHECKING:
    from cnnspec.compiled import Compiled
    from cnnspec.training.exporting import Checkpoint

    #: A file of weights, a state of a run, or nothing: initial values.
    Weights = Path | Checkpoint | None

Result = TypeVar("Result")

_UNTRAINED = "the network is untrained: its weights are initial values (give --weights, or `cnnspec train`)"


@click.command(name="compile")
@click.argument("file", metavar="[FILE]", required=False, shell_complete=complete_spec)
@set_option
@scale_options
@click.option("--target", type=click.Choice(["artefact", "onnx"]), default="artefact", show_default=True,
              help="A folder for JAX on cpu, cuda and tpu; or one ONNX file.")  # fmt: skip
@click.option("--output", "-o", type=click.Path(path_type=Path),
              help="Folder of the artefact, or ONNX file [default: the name of the network].")  # fmt: skip
@click.option("--weights", type=click.Path(path_type=Path), help="Trained weights (.safetensors, by path).")
@click.option("--checkpoint", metavar="RUN[:last|best|STEP]",
              help="A run of `cnnspec train`: its spec (where no FILE is given), weights, preprocessing and classes.")  # fmt: skip
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
@click.option("--explain", is_flag=True, help="Print the form that every node is computed in, and why, and stop.")
@click.option("--platform", type=click.Choice(["cpu", "cuda", "tpu"]), default="cpu", show_default=True,
              help="Of --explain: where it would run.")  # fmt: skip
@click.option(
    "--tune", is_flag=True, help="First measure every form on this machine, at --batch, and remember the fastest."
)
@click.option("--force", is_flag=True, help="Replace what is there, even if it is no artefact.")
@json_option
@format_option
def command(
    file: str | None, settings: tuple[str, ...], factors: Factors, target: str, output: Path | None, weights: Path | None,
    checkpoint: str | None, dtype: str, seed: int, batch: int,
    emit: str | None, print_between: bool, time_passes: bool, explain: bool, platform: str, tune: bool, force: bool,
    as_json: bool, output_format: str,
) -> None:  # fmt: skip
    """Compile a spec: check it, lower it, jit it for this machine, and export it for cpu, cuda and tpu.

    Writes a folder with the portable program (any batch size, weights as arguments), the weights, the merged spec, a
    manifest and a report.

    \b
    cnnspec compile vgg16.yaml
    cnnspec compile resnet50 --weights resnet50.safetensors --output my_resnet
    cnnspec compile --checkpoint runs/lenet5 --output my_lenet
    cnnspec compile resnet50 --target onnx --output resnet50.onnx
    cnnspec compile resnet50 --emit drop_identities
    cnnspec compile mobilenet_v2 --explain
    cnnspec compile mobilenet_v2 --tune
    """
    if target == "onnx" and dtype != "float32":
        raise click.BadParameter("an ONNX file computes in float32", param_hint="--dtype")
    if target == "onnx" and (tune or explain):
        raise click.UsageError("--tune and --explain are about the forms of an artefact; an ONNX file has none")
    if file is None and checkpoint is None:
        raise click.UsageError("give a FILE, or a run by --checkpoint")
    if checkpoint is not None and weights is not None:
        raise click.UsageError("--checkpoint brings its weights: leave --weights out")
    trained = None if checkpoint is None else _or_exit(lambda: _open_checkpoint(checkpoint), output_format)
    loaded = load_or_exit(file or str(trained and trained.spec), settings, output_format, factors)
    loaded = loaded if trained is None else _or_exit(lambda: trained.as_trained(loaded), output_format)
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
    if as_json and not (explain or tune):
        raise click.UsageError("--json prints what --explain or --tune find: give one of them")
    if tune:
        tune_and_tell(compiled, batch, as_json)
        compiled = Compiled(loaded, dtype)  # type: ignore[arg-type]  # with what was found
    if explain:
        print_explanation(compiled, platform, batch, as_json)
        return
    for stage in stages:
        if print_between:
            click.echo(f"// after {stage.name}\n{stage.graph}")
        if time_passes:
            click.echo(f"{stage.name:18} {stage.seconds * 1e3:8.2f} ms   {len(stage.graph.nodes)} nodes")
    try:
        if target == "onnx":
            path = output or Path(f"{loaded.document.name}.onnx")
            for line in _write_onnx(compiled, path, trained or weights, seed, force):
                click.echo(line, err=as_json)
        else:
            folder = output or Path(loaded.document.name)
            for line in _write(compiled, folder, trained or weights, seed, batch, force):
                click.echo(line, err=as_json)
    except SpecError as error:
        print_diagnostics(list(error.diagnostics), output_format)
        sys.exit(1)


def _open_checkpoint(place: str) -> Checkpoint:
    from cnnspec.training.exporting import open_checkpoint

    return open_checkpoint(place)


def _or_exit(act: Callable[[], Result], output_format: str) -> Result:
    """What `act` gives; prints its problem and exits with 1 where there is one."""
    try:
        return act()
    except SpecError as error:
        print_diagnostics(list(error.diagnostics), output_format)
        sys.exit(1)
    except Problem as problem:
        print_diagnostics([Diagnostic(problem.code, problem.message, None, problem.help)], output_format)
        sys.exit(1)


def _write_onnx(compiled: Compiled, path: Path, weights: Weights, seed: int, force: bool) -> list[str]:
    """Write an ONNX file; what is said of it."""
    from cnnspec.onnx_export import check_possible, export_onnx

    if path.is_dir() or (path.exists() and path.suffix != ".onnx" and not force):
        raise SpecError([Diagnostic("E805", f"{path} is there already, and is no ONNX file", None,
                                    "choose another --output")])  # fmt: skip
    check_possible(compiled.graph)
    params, state, trained = _weights(compiled, weights, seed)
    begin = time.perf_counter()
    export_onnx(compiled, path, params, state, trained=trained)
    seconds = time.perf_counter() - begin
    graph = compiled.inference_program.graph
    return [
        f"{path}: {compiled.loaded.document.name}, {bytes_text(path.stat().st_size)}, written in {seconds:.1f} s",
        *(f"input  {entry.name}: {_onnx_shape(entry.type)}" for entry in graph.inputs),
        *(f"output {name}: {_onnx_shape(graph.type_of(ref))}" for name, ref in graph.outputs.items()),
        *([] if trained else [_UNTRAINED]),
    ]


def _onnx_shape(type_: TensorType) -> str:
    shape = (type_.shape[2], *type_.shape[:2]) if type_.rank == 3 else type_.shape
    return f"[{', '.join(['N', *map(str, shape)])}] {type_.dtype}"


def _weights(compiled: Compiled, weights: Weights, seed: int) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Parameters, state, and where they come from (empty: they are initial values)."""
    from cnnspec.weights.conventions import require_convention
    from cnnspec.weights.readers import read_checkpoint

    if weights is None:
        return (*compiled.init(seed), "")
    if not isinstance(weights, Path):
        try:
            return (*compiled.split(weights.arrays), weights.origin)
        except SpecError as error:
            name = compiled.loaded.document.name
            if name == weights.network:
                raise
            said = f"{weights.folder} is a run of {weights.network}, not of {name}"
            raise SpecError([replace(d, message=f"{said}: {d.message}", help="leave FILE out to compile the run's own network")
                             for d in error.diagnostics]) from error  # fmt: skip
    require_convention(compiled.loaded, weights)
    return (*compiled.split(read_checkpoint(weights)), f"from {weights.name}")


def _write(compiled: Compiled, folder: Path, weights: Weights, seed: int, batch: int, force: bool) -> list[str]:
    """Write an artefact; what is said of it."""
    from cnnspec.artefact_writing import save

    params, state, trained = _weights(compiled, weights, seed)
    begin = time.perf_counter()
    labels = () if weights is None or isinstance(weights, Path) else weights.classes
    save(compiled, folder, params, state, trained=trained, labels=labels, force=force)
    exported = time.perf_counter() - begin
    begin = time.perf_counter()
    compiled.warm(params, state, batch)
    jitted = time.perf_counter() - begin
    counts = compiled.loaded.totals
    return [
        f"{folder}: {compiled.loaded.document.name}, {counts.params:,} params, {counts.macs:,} MACs, "
        f"{bytes_text(counts.weight_bytes)} of weights",
        f"exported for cpu, cuda, tpu in {exported:.1f} s; compiled for this machine, batch {batch}, in {jitted:.1f} s",
        *([] if trained else [_UNTRAINED]),
        *([f"run it: cnnspec run {folder} IMAGE..."] if _takes_a_picture(compiled) else []),
    ]


def _takes_a_picture(compiled: Compiled) -> bool:
    """Whether `cnnspec run` can give the network what it wants."""
    inputs = compiled.infer_graph.inputs
    return len(inputs) == 1 and inputs[0].type.rank == 3
