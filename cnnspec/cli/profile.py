"""`cnnspec profile`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnnspec.cli.options import file_argument, json_option, load_or_exit, scale_options, set_option
from cnnspec.cli.output import Table, steps
from cnnspec.scaling import Factors

if TYPE_CHECKING:
    from cnnspec.profiling import Profile, Step


@click.command(name="profile")
@file_argument
@set_option
@scale_options
@click.option(
    "--batch", type=click.IntRange(1), default=1, show_default=True, help="Images that are computed together."
)
@click.option("--dtype", type=click.Choice(["float32", "bfloat16"]), default="float32", show_default=True,
              help="What it computes in.")  # fmt: skip
@click.option("--sort", type=click.Choice(["time", "order"]), default="time", show_default=True, help="Of the table.")
@click.option("--top", type=click.IntRange(1), default=30, show_default=True, help="How many rows to print.")
@click.option("--plot", type=click.Path(path_type=Path), help="Picture to write (PNG).")
@json_option
def command(
    file: str, settings: tuple[str, ...], factors: Factors, batch: int, dtype: str, sort: str, top: int,
    plot: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Time every node of a network on this machine, against what the machine can do.

    A node is measured in the form that it is computed in, together with the activation, sum or normalisation behind it,
    which costs no sweep of its own. Beside the time stand the multiply-accumulates, the rate, how near that is to the
    bound of the machine (its fastest product or convolution, or its memory, whichever binds), and the line of the spec.

    \b
    cnnspec profile resnet50
    cnnspec profile mobilenet_v2 --batch 8 --plot profile.png
    cnnspec profile my_net.yaml --sort order --json
    """
    loaded = load_or_exit(file, settings, factors=factors)
    from cnnspec.compiled import Compiled
    from cnnspec.profiling import profile, work

    compiled = Compiled(loaded, dtype)  # type: ignore[arg-type]  # one of the choices
    with steps("measuring", work(compiled, batch)) as told:
        found = profile(compiled, batch, told)
    if plot is not None:
        from cnnspec.profile_picture import draw

        draw(plot, found)
        click.echo(f"written to {plot}", err=True)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2))
    else:
        _print(found, sort, top)


def _print(found: Profile, sort: str, top: int) -> None:
    total = sum(step.seconds for step in found.steps)
    rows = sorted(found.steps, key=lambda step: -step.seconds) if sort == "time" else list(found.steps)
    table = Table(
        ["node", "op", "form", "ms", "share", "MACs", "GFLOP/s", "of the bound", "by", "spec"], right=range(3, 8)
    )
    for step in rows[:top]:
        table.add(*_cells(step, total))
    table.print()
    if rows[top:]:
        rest = sum(step.seconds for step in rows[top:])
        click.echo(f"and {len(rows) - top} more: {1e3 * rest:.2f} ms")
    flops, least = sum(step.flops for step in found.steps), sum(step.least for step in found.steps)
    fast = found.ceilings
    memory = ", ".join(f"{rate / 1e9:.0f}" for rate in fast.bandwidth.values())
    click.echo(f"{found.name}, {found.batch} image{'s' if found.batch > 1 else ''} at a time: {1e3 * found.network:.2f} ms, "
               f"{flops / found.network / 1e9:.0f} GFLOP/s, {least / found.network:.0%} of the bound; "
               f"the nodes one by one {1e3 * total:.2f} ms")  # fmt: skip
    click.echo(f"this machine: {fast.flops / 1e9:.0f} GFLOP/s dense; {memory} GB/s in small, middle and large arrays; "
               f"{found.machine['processor']}, {found.machine['cores']} cores")  # fmt: skip


def _cells(step: Step, total: float) -> list[str]:
    name = step.path + (f" +{len(step.nodes) - 1}" if len(step.nodes) > 1 else "")
    file, _, line = step.place.rpartition(":")
    return [name, step.op, step.form, f"{1e3 * step.seconds:.3f}", f"{step.seconds / total:.1%}", f"{step.macs:,}",
            f"{step.flops / step.seconds / 1e9:.1f}", f"{step.least / step.seconds:.0%}", step.limit,
            f"{Path(file).name}:{line}" if file else ""]  # fmt: skip
