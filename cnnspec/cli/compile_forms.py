"""What `cnnspec compile --explain` and `--tune` print."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnnspec.cli.output import Table, steps

if TYPE_CHECKING:
    from cnnspec.compiled import Compiled
    from cnnspec.explanation import Explanation
    from cnnspec.tuning import Tuning


def print_explanation(compiled: Compiled, platform: str, batch: int, as_json: bool) -> None:
    """The form of every node and why."""
    from cnnspec.explanation import explain

    found = explain(compiled, platform, batch)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2))
        return
    table = Table(["node", "op", "input", "output", "form", "why", "spec"])
    for node in found.nodes:
        if node.chosen:
            name, _, line = node.place.rpartition(":")
            table.add(node.path, node.op, ", ".join(node.inputs), node.output, node.form, node.reason,
                      f"{Path(name).name}:{line}" if name else "")  # fmt: skip
    table.print()
    for line in _notes(compiled, found):
        click.echo(line)


def _notes(compiled: Compiled, found: Explanation) -> list[str]:
    only = Counter(node.op for node in found.nodes if not node.chosen)
    canonical = compiled.graph.by_path
    held = Counter(canonical[path].op.key for node in found.nodes for path in node.holds)
    notes = [f"one form only: {_counted(only)}"] if only else []
    notes += [f"part of the layers beside them: {_counted(held)}"] if held else []
    notes += [f"a loop: {loop}" for loop in found.loops]
    if found.tile < found.batch:
        notes.append(f"a batch of {found.batch} is computed {found.tile} images at a time")
    return notes


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.most_common())


def tune_and_tell(compiled: Compiled, batch: int, as_json: bool) -> None:
    """Measure, remember, and print what was found."""
    import jax

    from cnnspec.tuning import tune, work

    if jax.default_backend() != "cpu":
        click.echo(f"there is nothing to measure: on {jax.default_backend()} every op has one form", err=True)
        return
    with steps("measuring", len(work(compiled, batch))) as told:
        found = tune(compiled, batch, told)
    if as_json:
        click.echo(json.dumps({**asdict(found), "place": str(found.place) if found.place else None}, indent=2))
    else:
        _print_tuning(found, batch)
    if found.place is None:
        click.echo("nothing was remembered: " + ("the cache is switched off (CNNSPEC_CACHE)" if found.worthwhile else
                   "the usual forms are as fast for the network as a whole"), err=True)  # fmt: skip
    else:
        click.echo(f"remembered in {found.place}; `cnnspec cache --clear tuned` forgets it", err=True)


def _print_tuning(found: Tuning, batch: int) -> None:
    table = Table(["op", "times", "fastest", "usual", "ms in each form"], right=(1,))
    for op in found.ops:
        each = sorted(op.seconds.items(), key=lambda entry: entry[1])
        listed = "  ".join(f"{form} {1e3 * seconds:.3f}" for form, seconds in each)
        table.add(op.path, op.count, op.best, op.usual, listed)
    table.print()
    usual, measured = (1e3 * found.network[name] for name in ("usual", "measured"))
    click.echo(f"the network: {measured:.2f} ms in the measured forms, {usual:.2f} ms in the usual ones")
    for tile, seconds in sorted(found.tiles.items(), key=lambda entry: entry[1]):
        click.echo(f"a batch of {batch} in tiles of {tile}: {1e3 * seconds:.2f} ms")
    if found.library is None:
        click.echo("oneDNN cannot compute this network here, and is not used")
    for images, seconds in sorted((found.library or {}).items(), key=lambda entry: entry[1]):
        way = "by the portable program beside it" if images == "portable" else f"by oneDNN in tiles of {images}"
        click.echo(f"a batch of {batch} {way}: {1e3 * seconds:.2f} ms")
