"""`cnnspec eval`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnspec.cli.main import loading
from cnnspec.cli.options import json_option, print_diagnostics
from cnnspec.cli.output import Table
from cnnspec.cli.train import data_overrides, problem_diagnostic
from cnnspec.diagnostics import Problem, SpecError

if TYPE_CHECKING:
    from cnnspec.training.commands import Evaluated
    from cnnspec.training.trained import TrainedNetwork


def picture_file(context: click.Context, option: click.Parameter, given: str | None) -> Path | None:
    """The path of a picture that is to be written; a name of another kind of file is refused."""
    if given is None:
        return None
    from cnnspec.training.pictures import ENDINGS

    if Path(given).suffix.lower() not in ENDINGS:
        raise click.BadParameter(f"`{given}` should end in {' or '.join(ENDINGS)}", context, option)
    return Path(given)


@click.command(name="eval")
@click.argument("folder", metavar="FOLDER")
@click.option(
    "--checkpoint", default="last", show_default=True, metavar="last|best|STEP", help="Which weights of a run."
)
@click.option("--recipe", metavar="NAME|FILE", help="Where the data is; by default the run's own recipe.")
@click.option(
    "--data", metavar="NAME|FOLDER", help="Another dataset: a name, NAME:FOLDER, or a folder of pictures by class."
)
@click.option("--split", type=click.Choice(["train", "test"]), default="test", show_default=True, help="Which images.")
@click.option("--batch-size", type=int, help="Images a batch.")
@click.option("--mesh", metavar="data=N", help="Divide every batch among N devices.")
@click.option("--confusion", metavar="FILE.png", callback=picture_file, help="Write the confusion matrix as a picture.")
@click.option(
    "--reliability",
    metavar="FILE.png",
    callback=picture_file,
    help="Draw accuracy against confidence: how well it is calibrated.",
)
@json_option
def command(
    folder: str,
    checkpoint: str,
    recipe: str | None,
    data: str | None,
    split: str,
    batch_size: int | None,
    mesh: str | None,
    confusion: Path | None,
    reliability: Path | None,
    as_json: bool,
) -> None:
    """Evaluate a trained network: FOLDER is a run of `cnnspec train`, or an artefact of `cnnspec compile`.

    Every image counts once. The calibration error is the mean distance between confidence and accuracy over 15
    bins of confidence.

    \b
    cnnspec eval runs/lenet5
    cnnspec eval runs/lenet5 --checkpoint best --json
    cnnspec eval runs/lenet5 --confusion confusion.png --reliability reliability.png
    cnnspec eval my_artefact --data photos/
    """
    with loading():
        from cnnspec.training import commands, pictures
        from cnnspec.training.trained import open_trained

    try:
        trained = open_trained(folder, checkpoint, recipe, data_overrides(data, download=False))
        found = _evaluated(trained, split=split, batch=batch_size, mesh=mesh)
    except SpecError as error:
        print_diagnostics(list(error.diagnostics))
        sys.exit(1)
    except Problem as problem:
        print_diagnostics([problem_diagnostic(problem)])
        sys.exit(1)
    title = f"{trained.name}: {found.evaluation.top1:.2%} of {found.evaluation.images} images"
    if confusion is not None:
        pictures.confusion(confusion, found.evaluation.confusion, found.classes, title)
    if reliability is not None:
        pictures.reliability(reliability, found.evaluation.bins, found.evaluation.calibration_error, title)
    if as_json:
        click.echo(json.dumps(commands.as_json(found)))
        return
    summary = found.evaluation.summary()
    table = Table(["measure", "value"], right=[1])
    table.add("images", f"{summary['images']:,.0f}")
    table.add("top-1", f"{summary['top1']:.2%}")
    table.add("top-5", f"{summary['top5']:.2%}")
    table.add("loss", f"{summary['loss']:.4f}")
    table.add("calibration error", f"{summary['calibration_error']:.2%}")
    table.add("images a second", f"{summary['images_per_second']:,.0f}")
    table.print()
    classes = Table(["class", "images", "accuracy"], right=[1, 2])
    for name, count, share in zip(
        found.classes, found.evaluation.confusion.sum(1), found.evaluation.per_class, strict=True
    ):
        if count:
            classes.add(name, count, f"{share:.2%}")
    click.echo()
    classes.print()
    for path, reason in found.corrupt.items():
        click.echo(f"left out: {path}: {reason}", err=True)


def _evaluated(trained: TrainedNetwork, **how: Any) -> Evaluated:
    """The evaluation; a problem of the data is shown where the recipe or an option names the data."""
    from cnnspec.training.commands import evaluate

    try:
        return evaluate(trained, **how)
    except Problem as problem:
        raise SpecError([trained.recipe.locate(problem)]) from problem
