"""`cnnspec weights`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cnnspec.cli.options import (
    factor_options,
    file_argument,
    load_or_exit,
    parse_settings,
    print_diagnostics,
    set_option,
)
from cnnspec.diagnostics import SpecError
from cnnspec.frontend import load_spec
from cnnspec.scaling import Factors


@click.group(name="weights")
def command() -> None:
    """Bring in weights from elsewhere, and carry them from one spec to another.

    \b
    cnnspec weights import resnet50 resnet50.pth --from torchvision
    cnnspec weights import resnet50 --pretrained torchvision
    cnnspec weights transfer old.yaml new.yaml --weights old.safetensors
    """


def _or_exit(function: Callable[[], Any]) -> Any:
    try:
        return function()
    except SpecError as error:
        print_diagnostics(list(error.diagnostics))
        sys.exit(1)


@command.command(name="import")
@file_argument
@click.argument("checkpoint", required=False, type=click.Path(path_type=Path))
@click.option(
    "--from", "peer", type=click.Choice(["torchvision", "timm", "keras"]), help="Whose names and layouts the file has."
)
@click.option(
    "--pretrained",
    type=click.Choice(["torchvision", "timm", "keras"]),
    help="Fetch the peer's own weights, by its own client.",
)
@click.option("--rules", type=click.Path(path_type=Path), help="Rules of a family of your own: docs/weights.md.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="File to write [default: NAME.safetensors].")
@set_option
@factor_options
def import_(
    file: str,
    checkpoint: Path | None,
    peer: str | None,
    pretrained: str | None,
    rules: Path | None,
    output: Path | None,
    settings: tuple[str, ...],
    factors: Factors,
) -> None:
    """Read a peer's checkpoint and write it as weights of a spec.

    Reads .safetensors, .pth (weights only, never arbitrary pickles) and .weights.h5. Arrays are mapped by name;
    anything left over on either side is an error that lists it. Where the family follows one peer or another, it
    follows the one that the weights are from, unless --set convention=... says otherwise.
    """
    if (checkpoint is None) == (pretrained is None) or (checkpoint is not None and peer is None):
        raise click.UsageError("give a checkpoint with --from PEER, or --pretrained PEER")
    from cnnspec.weights.conventions import CONVENTION, as_built_by, convention_of

    whose = pretrained or peer or ""
    default = convention_of(load_or_exit(file, settings, factors=factors))
    loaded = load_spec(file, set=as_built_by(file, parse_settings(settings), whose), scale=factors)

    def work() -> Path:
        from cnnspec.weights.fetching import fetch
        from cnnspec.weights.importing import import_weights, write_weights
        from cnnspec.weights.readers import read_checkpoint

        arrays = read_checkpoint(checkpoint) if checkpoint is not None else fetch(loaded, whose)
        found = import_weights(loaded, arrays, whose, rules)
        return write_weights(output or Path(f"{loaded.document.name}.safetensors"), found, convention_of(loaded))

    path = _or_exit(work)
    given = [*settings]
    if convention_of(loaded) != default:
        given.append(f"{CONVENTION}={convention_of(loaded)}")
    click.echo(f"{path}: {len(loaded.graph.parameters)} arrays for {loaded.document.name}")
    options = [f"--set {text}" for text in given] + [
        f"--{n} {v}" for n, v in factors.model_dump(exclude_defaults=True).items()
    ]
    click.echo(f"use it: cnnspec compile {' '.join([file, *options])} --weights {path}")


@command.command(name="transfer")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--weights", required=True, type=click.Path(path_type=Path), help="Weights of OLD.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="File to write [default: NEW's name, .safetensors]."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the values that are not carried over.")
@set_option
def transfer(old: str, new: str, weights: Path, output: Path | None, seed: int, settings: tuple[str, ...]) -> None:
    """Carry over to NEW what still fits of the weights of OLD, by path and shape, and report the rest."""
    before, after = load_or_exit(old, ()), load_or_exit(new, settings)

    def work() -> tuple[Path, Any]:
        from cnnspec.weights.conventions import convention_of, require_convention
        from cnnspec.weights.importing import transfer_weights, write_weights
        from cnnspec.weights.readers import read_checkpoint

        require_convention(after, weights)
        result = transfer_weights(before, after, read_checkpoint(weights), seed)
        path = output or Path(f"{after.document.name}.safetensors")
        return write_weights(path, result.arrays, convention_of(after)), result

    path, result = _or_exit(work)
    click.echo(f"{path}: {len(result.carried)} of {len(after.graph.parameters)} arrays carried over")
    for word, names in (("new", result.fresh), ("of another shape", result.reshaped), ("left behind", result.dropped)):
        if names:
            click.echo(f"{len(names)} {word}: {', '.join(names[:8])}{' ...' if len(names) > 8 else ''}")
