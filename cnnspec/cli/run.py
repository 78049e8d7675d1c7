"""`cnnspec run`."""

from __future__ import annotations

import json
import sys
from math import isfinite
from pathlib import Path
from typing import Any

import click

from cnnspec.cli.options import json_option, print_diagnostics
from cnnspec.cli.output import Table
from cnnspec.diagnostics import SpecError


@click.command(name="run")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--top", type=click.IntRange(1), default=5, show_default=True, help="How many classes to show.")
@click.option(
    "--labels",
    type=click.Path(exists=True, path_type=Path),
    help="Names of the classes, one a line [default: those of its training].",
)
@click.option("--raw", is_flag=True, help="Print every number of every output (as JSON).")
@json_option
def command(folder: Path, images: tuple[Path, ...], top: int, labels: Path | None, raw: bool, as_json: bool) -> None:
    """Run a compiled network on images: the most probable classes of each.

    The image is resized, cropped and normalised as the spec says.

    \b
    cnnspec run vgg16 photograph.jpg
    cnnspec run vgg16 *.jpg --top 3 --json
    """
    try:
        _run(folder, images, top, labels, raw, as_json)
    except SpecError as error:
        print_diagnostics(list(error.diagnostics))
        sys.exit(1)


def _run(folder: Path, images: tuple[Path, ...], top: int, labels: Path | None, raw: bool, as_json: bool) -> None:
    import numpy as np

    from cnnspec.artefact import load
    from cnnspec.preprocess import open_image, preprocess
    from cnnspec.scores import class_output, top_classes

    artefact = load(folder)
    if artefact.note:
        click.echo(artefact.note, err=True)
    if not artefact.trained:
        click.echo("the network is untrained: its answers mean nothing yet", err=True)
    inputs = artefact.manifest["inputs"]
    if len(inputs) > 1 or len(next(iter(inputs.values()))["shape"]) != 3:
        raise click.UsageError(
            f"the network takes {', '.join(inputs)}, and not one picture: call it from Python with `cnnspec.load`"
        )
    spec = artefact.input_spec()
    batch = np.stack([preprocess(open_image(path), spec) for path in images])
    outputs = artefact.infer(batch)
    if raw:
        rows = [
            {"image": str(p), **{n: _numbers(np.asarray(v)[i]) for n, v in outputs.items()}}
            for i, p in enumerate(images)
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    if class_output(outputs) is None:
        raise click.UsageError(f"no output ({', '.join(outputs)}) is the scores of classes: `--raw` prints all numbers")
    names = _labels(labels) if labels else artefact.labels
    found = top_classes(outputs, top)
    if as_json:
        data = [
            {
                "image": str(p),
                "classes": [
                    {"class": c, "label": _label(names, c), "probability": q if isfinite(q) else None} for c, q in best
                ],
            }
            for p, best in zip(images, found, strict=True)
        ]
        click.echo(json.dumps(data, indent=2))
        return
    table = Table(["image", "class", "probability"], right=(2,))
    for path, best in zip(images, found, strict=True):
        for number, (c, probability) in enumerate(best):
            table.add(path.name if number == 0 else "", _label(names, c), f"{probability:.4f}")
    table.print()


def _numbers(array: Any) -> Any:
    """An array as lists; JSON has no word for what is not finite, which is null."""
    import numpy as np

    array = np.asarray(array)
    numbers = array if array.dtype.kind in "iu" else array.astype(np.float32)
    plain = numbers.astype(object)
    plain[~np.isfinite(numbers)] = None
    return plain.tolist()


def _labels(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{path} is no text: {error}", param_hint="--labels") from None


def _label(names: list[str], number: int) -> str:
    return names[number] if number < len(names) else str(number)
