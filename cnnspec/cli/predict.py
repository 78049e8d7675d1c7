"""`cnnspec predict`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from cnnspec.cli.eval import picture_file
from cnnspec.cli.main import loading
from cnnspec.cli.options import json_option, print_diagnostics
from cnnspec.cli.output import Table
from cnnspec.cli.train import problem_diagnostic
from cnnspec.diagnostics import Problem, SpecError


@click.command(name="predict")
@click.argument("folder", metavar="FOLDER")
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True)
@click.option(
    "--checkpoint", default="last", show_default=True, metavar="last|best|STEP", help="Which weights of a run."
)
@click.option("--top", type=click.IntRange(min=1), default=5, show_default=True, help="Classes an image.")
@click.option(
    "--sheet",
    metavar="FILE.png",
    callback=picture_file,
    help="Write a contact sheet of the images with their predictions.",
)
@json_option
def command(folder: str, images: tuple[str, ...], checkpoint: str, top: int, sheet: Path | None, as_json: bool) -> None:
    """Say what images show: FOLDER is a run of `cnnspec train`, or an artefact; an IMAGE may be a folder of them.

    \b
    cnnspec predict runs/lenet5 digit.png
    cnnspec predict runs/flowers garden/ --top 3 --sheet garden.png
    """
    with loading():
        from cnnspec.training import commands
        from cnnspec.training.trained import open_trained

    try:
        trained = open_trained(folder, checkpoint)
        found = commands.predict(trained, images, top)
        if sheet is not None:
            commands.contact_sheet(sheet, trained, found)
    except SpecError as error:
        print_diagnostics(list(error.diagnostics))
        sys.exit(1)
    except Problem as problem:
        print_diagnostics([problem_diagnostic(problem)])
        sys.exit(1)
    if as_json:
        click.echo(json.dumps([
            {"image": str(path), "predictions": [{"class": n, "probability": round(p, 6)} for n, p in zip(f.names, f.probabilities, strict=True)]}
            for path, f in found
        ]))  # fmt: skip
        return
    table = Table(["image", "class", "probability"], right=[2])
    for path, prediction in found:
        for place, (name, probability) in enumerate(zip(prediction.names, prediction.probabilities, strict=True)):
            table.add(path if place == 0 else "", name, f"{probability:.1%}")
    table.print()
