"""`cnnspec diff`."""

from __future__ import annotations

import json
import sys

import click

from cnnspec.cli.options import json_option, parse_settings, print_diagnostics, set_option
from cnnspec.cli.output import Table, bytes_text
from cnnspec.diagnostics import Report, listing
from cnnspec.difference import Difference, Weights, difference
from cnnspec.difference_lines import Folding, Line, shape_changes, value_text
from cnnspec.frontend import LoadedSpec, check_spec

_COUNTS = {"params": "params", "state": "state", "macs": "MACs", "flops": "FLOPs", "weight_bytes": "weights",
           "activation_bytes": "activations", "training_params": "params, only in training"}  # fmt: skip


@click.command(name="diff")
@click.argument("old", metavar="A")
@click.argument("new", metavar="B")
@set_option
@json_option
def command(old: str, new: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Show what differs between two networks: structure, counts, and which weights carry over.

    A and B are paths or names of the zoo; nodes are compared by path, and repeats are folded. --set holds for B.
    Exit codes are those of diff tools: 0 the networks are the same, 1 they differ, 2 one of them is wrong.

    \b
    cnnspec diff resnet50 resnet101
    cnnspec diff vgg16 mine.yaml --json
    cnnspec diff resnet50 resnet50 --set convention=keras
    """
    given = parse_settings(settings)
    before, after = _load(old, {}), _load(new, given)
    found = difference(before, after)
    if as_json:
        click.echo(json.dumps({"old": before.document.name, "new": after.document.name, **found.data()}, indent=2))
    else:
        _print(before, after, found)
    sys.exit(0 if found.same else 1)


def _load(file: str, settings: dict[str, object]) -> LoadedSpec:
    report = Report()
    loaded = check_spec(file, report, set=settings)
    if report.failed or loaded is None:
        print_diagnostics(report)
        sys.exit(2)
    return loaded


def _print(before: LoadedSpec, after: LoadedSpec, found: Difference) -> None:
    click.echo(f"{before.document.name} -> {after.document.name}" + (": the same network" if found.same else ""))
    for word, changes in (("param", found.params), ("input", found.inputs), ("output", found.outputs)):
        for c in changes:
            click.echo(f"{word} {c.field}: {value_text(c.old)} -> {value_text(c.new)}")
    lines = Folding(found, before.graph, after.graph)
    rows = [("-", x) for x in lines.removed()] + [("+", x) for x in lines.added()] + [("~", x) for x in lines.changed()]
    if rows:
        table = Table(["", "node", "block", "", "params"], right=(4,))
        for mark, line in rows:
            table.add(mark, line.label, _kind(line), line.text, f"{line.params:,}" if line.params else "")
        click.echo()
        table.print()
    shapes = shape_changes(before.graph, after.graph)
    if shapes:
        table = Table(["shape of", "A", "B"])
        for c in shapes:
            table.add(c.field, value_text(c.old), value_text(c.new))
        click.echo()
        table.print()
    click.echo()
    _counts(found)
    click.echo()
    _weights(found.weights)


def _kind(line: Line) -> str:
    return f"{line.kind} x {line.count}" if line.count > 1 else line.kind


def _counts(found: Difference) -> None:
    table = Table(["", "A", "B", "B - A", "B / A"], right=(1, 2, 3, 4))
    for name, (a, b) in found.counts.items():
        if a or b:
            numbers = (bytes_text(a), bytes_text(b)) if name.endswith("bytes") else (f"{a:,}", f"{b:,}")
            table.add(_COUNTS[name], *numbers, f"{b - a:+,}" if a != b else "", f"{b / a:.3f}" if a else "")
    table.print()


def _weights(w: Weights) -> None:
    every = len(w.carried) + len(w.reshaped) + len(w.new)
    share = f" ({w.carried_numbers / w.all_numbers:.1%} of the numbers)" if w.all_numbers else ""
    click.echo(f"weights: {len(w.carried)} of B's {every} arrays come from A{share}")
    for word, names in (("of another shape", w.reshaped), ("new", w.new), ("left behind", w.left)):
        if names:
            click.echo(f"  {len(names)} {word}: {listing(names, 3)}")
