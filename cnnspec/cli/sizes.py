"""`cnnspec sizes`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from cnnspec.cli.options import file_argument, json_option, parse_settings, print_diagnostics, set_option
from cnnspec.diagnostics import SpecError
from cnnspec.sizes.valid import EVERY
from cnnspec.sizes.wording import in_words

if TYPE_CHECKING:
    from cnnspec.sizes.analysis import ValidSizes
    from cnnspec.sizes.walk import AxisSizes


@click.command(name="sizes")
@file_argument
@set_option
@click.option("--size", type=click.IntRange(1), help="Ask about one size: is it valid, and if not, which is near?")
@json_option
def command(file: str, settings: tuple[str, ...], size: int | None, as_json: bool) -> None:
    """Say for which sizes of its input a network is valid, and which node refuses the others.

    The rule is found by following one side of the input through the shape rules, not by trying sizes. With --size the
    exit code says whether that size is valid.

    \b
    cnnspec sizes inception_v3
    cnnspec sizes my_net.yaml --size 200
    """
    from cnnspec.sizes.analysis import sizes

    try:
        found = sizes(file, set=parse_settings(settings))
    except SpecError as error:
        print_diagnostics(list(error.diagnostics))
        sys.exit(1)
    wrong = size is not None and any(size not in axis.valid for axis in found.axes)
    if as_json:
        click.echo(
            json.dumps(
                {"input": found.input, **{a.axis.replace(" ", "_"): _data(a, size) for a in found.axes}}, indent=2
            )
        )
    elif size is not None:
        for line in sorted({_answer(axis, size) for axis in found.axes}):
            click.echo(line)
    else:
        _print(found)
    sys.exit(1 if wrong else 0)


def _print(found: ValidSizes) -> None:
    height, width = found.height, found.width
    click.echo(f"{found.input} {height.base}x{width.base}, as written")
    apart = height.coupled or width.coupled
    alike = found.squares or (height.valid == width.valid and _notes(height) == _notes(width) and not apart)
    for axis, other in ((height, width),) if alike else ((height, width), (width, height)):
        name = "height and width" if alike else axis.axis
        click.echo(f"{name}: {axis.rule}" + (f" (with a {other.axis} of {other.base})" if apart else ""))
        for note in _notes(axis):
            click.echo(f"  {note}")
    if found.squares:
        click.echo("  squares; other networks are built for some of them, since expressions of the spec ask for sizes")


def _notes(axis: AxisSizes) -> list[str]:
    notes = []
    below = next((n for n in range(axis.base, 0, -1) if n not in axis.valid and n + 1 in axis.valid), None)
    above = axis.refused()
    for size in sorted({n for n in (below, above[0] if above else None) if n is not None}):
        notes.append(f"{size} {_fails(axis.why_not(size))}")
    if axis.without_training != axis.valid and axis.told is None:
        notes.append(f"without what is only for training: {in_words(axis.without_training)}")
    if axis.tied:
        names = ", ".join(axis.tied[:3]) + (f" and {len(axis.tied) - 3} more" if len(axis.tied) > 3 else "")
        both = axis.valid & axis.same_weights
        notes.append(f"trained weights go with {in_words(both).removeprefix('only ')}: those of {names} depend on it")
    elif axis.same_weights != EVERY:
        notes.append(f"trained weights go with {in_words(axis.valid & axis.same_weights)}: others are other networks")
    return notes


def _fails(why: tuple[str, str] | None) -> str:
    node, because = why or ("", "")
    return f"fails at {node}: {because}" if node else f"fails: {because}"


def _answer(axis: AxisSizes, size: int) -> str:
    why = axis.why_not(size)
    if why is None:
        return f"{size} is valid"
    near = axis.nearest(size)
    return f"{size} {_fails(why)}; " + ("no size is valid" if near is None else f"the nearest is {near}")


def _data(axis: AxisSizes, size: int | None) -> dict[str, Any]:
    valid = axis.valid
    data: dict[str, Any] = {
        "rule": axis.rule, "base": axis.base, "period": valid.period, "residues": sorted(valid.endless),
        "from": valid.settled if valid.endless else None, "smaller": valid.below(min(valid.settled, 4096)),
        "without_training": in_words(axis.without_training),
        "greatest": None if valid.endless else valid.greatest, "tied": axis.tied,
    }  # fmt: skip
    if size is not None:
        data |= {"size": size, "valid": size in valid, "nearest": axis.nearest(size)}
        data["fails_at"] = next(iter(axis.why_not(size) or ()), None)
    return data
