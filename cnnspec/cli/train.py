"""`cnnspec train`."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from cnnspec.cli.main import loading
from cnnspec.cli.options import file_argument, json_option, parse_settings, print_diagnostics, scale_options, set_option
from cnnspec.diagnostics import Problem, SpecError
from cnnspec.scaling import Factors


@click.command(name="train")
@file_argument
@click.option("--recipe", metavar="NAME|FILE", help="How to train; by default the spec's own recipe.")
@click.option("--out", metavar="FOLDER", help="Where the run goes; by default runs/NAME.")
@click.option("--resume", is_flag=True, help="Go on with the run in --out, or with the newest one of this spec.")
@set_option
@click.option("--with", "changes", multiple=True, metavar="FIELD=VALUE", help="Give a field of the recipe a value (--with optimizer.learning_rate=0.01); repeatable.")  # fmt: skip
@scale_options
@click.option("--epochs", type=float, help="Length of the training.")
@click.option("--batch-size", type=int, help="Images a step, over all devices.")
@click.option("--seed", type=int, help="Of weights, order, augmentation and dropout.")
@click.option(
    "--data",
    metavar="NAME|FOLDER",
    help="A dataset by name, its files as NAME:FOLDER, or a folder of pictures by class.",
)
@click.option("--download", is_flag=True, help="Fetch a public dataset that is not there.")
@click.option(
    "--weights", metavar="FILE|FOLDER", help="Start from these weights; what fits by name and shape is taken."
)
@click.option("--freeze", multiple=True, metavar="ID", help="Leave the weights under this id as they are; repeatable.")
@click.option("--mesh", metavar="data=N", help="Divide every batch among N devices.")
@click.option("--coordinator", metavar="HOST:PORT", help="Train on several hosts: where process 0 listens.")
@click.option("--processes", type=int, help="How many processes take part.")
@click.option("--process", type=int, help="Which of them this is, from 0.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@json_option
def command(
    file: str,
    recipe: str | None,
    out: str | None,
    resume: bool,
    settings: tuple[str, ...],
    factors: Factors,
    changes: tuple[str, ...],
    mesh: str | None,
    coordinator: str | None,
    processes: int | None,
    process: int | None,
    quiet: bool,
    as_json: bool,
    **named: Any,
) -> None:
    """Train a network on real images.

    The run's folder gets checkpoints, metrics, the trained weights and pictures. Ctrl-C saves and stops;
    `--resume` goes on exactly where the run was.

    \b
    cnnspec train lenet5                              on the digits that come along, in a minute
    cnnspec train resnet18 --data photos --set classes=7 --weights resnet18.safetensors --freeze conv1
    cnnspec train lenet5 --resume
    cnnspec train resnet50 --recipe resnet_imagenet --data folder:/data/imagenet --mesh data=8
    """
    if resume and not factors.nothing:
        raise click.UsageError("a run that is resumed keeps its scale: give factors to a new run, without --resume")
    if resume and (settings or named["weights"] or named["freeze"]):
        raise click.UsageError(
            "a run that is resumed keeps its network and its weights: leave --set, --weights and --freeze to a new run"
        )
    if coordinator is None and (processes is not None or process is not None):
        raise click.UsageError("--processes and --process are of a training over several hosts: give its --coordinator")
    with loading():
        from cnnspec.training.devices import join
        from cnnspec.training.trainer import train
    overrides = _overrides(changes, named)

    try:
        join(coordinator, processes, process)
        done = train(file, recipe, out=out, resume=resume, set=parse_settings(settings), scale=factors,
                     overrides=overrides, mesh=mesh, quiet=quiet)  # fmt: skip
    except SpecError as error:
        print_diagnostics(list(error.diagnostics))
        sys.exit(1)
    except Problem as problem:
        print_diagnostics([problem_diagnostic(problem)])
        sys.exit(1)
    if done.interrupted is not None:
        click.echo(
            f"stopped and saved at step {done.metrics['steps']:.0f}; go on with `cnnspec train {file} --resume --out {done.folder}`",
            err=True,
        )
        sys.exit(128 + done.interrupted)
    if as_json:
        click.echo(json.dumps({"folder": str(done.folder), **done.metrics}))
        return
    click.echo(
        f"top-1 {done.metrics['top1']:.2%} on {done.metrics['images']:.0f} held-out images after {done.metrics['seconds']:.0f} s"
    )
    click.echo(f"weights, metrics and pictures: {done.folder}/ (predictions.png, confusion.png, curves.png)")


def problem_diagnostic(problem: Problem) -> Any:
    """A problem without a place, as a diagnostic."""
    from cnnspec.diagnostics import Diagnostic

    return Diagnostic(problem.code, problem.message, None, problem.help)


def data_overrides(data: str | None, download: bool) -> dict[str, Any]:
    """What `--data` and `--download` say about the recipe's dataset: a name, NAME:FOLDER, or a folder.

    A dataset that is named takes the place of the recipe's with all that says where its files are.
    """
    from typing import get_args

    from cnnspec.data.config import EMBEDDED, DatasetName
    from cnnspec.training.recipe_file import Option

    if data is None:
        return {"dataset.download": Option("--download", "--download", True)} if download else {}
    name, colon, path = data.partition(":")
    if name not in get_args(DatasetName):
        name, colon, path = "folder", ":", data
    if name in EMBEDDED and (colon or download):
        raise click.BadParameter(f"`{name}` comes along and has no files: give the name alone", param_hint="--data")
    source = {"name": name, "path": path if colon else None, "download": download}
    return {f"dataset.{field}": Option("--data", data, value) for field, value in source.items()}


def _overrides(changes: tuple[str, ...], named: dict[str, Any]) -> dict[str, Any]:
    from cnnspec.training.recipe_file import Option

    found = parse_settings(changes)
    found |= data_overrides(named.pop("data"), named.pop("download"))
    named["freeze"] = list(named["freeze"]) or None
    for field, value in named.items():
        if value is not None:
            text = " ".join(value) if isinstance(value, list) else str(value)
            found[field] = Option(f"--{field.replace('_', '-')}", text, value)
    return found
