"""`cnnspec scale`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnspec.cli.options import (
    file_argument,
    json_option,
    load_or_exit,
    parse_settings,
    print_diagnostics,
    scale_options,
    set_option,
)
from cnnspec.cli.output import Table, bytes_text
from cnnspec.diagnostics import SpecError
from cnnspec.frontend import LoadedSpec
from cnnspec.scaling import Factors

if TYPE_CHECKING:
    from cnnspec.scaling.budget import Fit

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}

#: How many candidates of a search are measured for their latency, where the caller says nothing.
_MEASURED = 12


class Amount(click.ParamType[int]):
    """A number such as 400M, 1.5G, 20MiB."""

    name = "AMOUNT"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", str(value).strip())
        if match is None or match[2].upper() not in _UNITS or float(match[1]) <= 0:
            self.fail(f"`{value}` should be an amount above 0, such as 400M, 1.5G or 20MiB", param, ctx)
        return max(1, int(float(match[1]) * _UNITS[match[2].upper()]))


@click.command(name="scale")
@file_argument
@scale_options
@set_option
@click.option("--macs", type=Amount(), help="Scale to at most so many multiply-accumulates.")
@click.option("--params", type=Amount(), help="Scale to at most so many parameters.")
@click.option("--activation-memory", type=Amount(), help="Scale to at most so much memory for activations (20MiB).")
@click.option("--search", is_flag=True, help="Search alpha, beta and gamma on a grid, at twice the MACs.")
@click.option("--proxy", type=click.Choice(["params", "macs", "latency"]), default="params", show_default=True,
              help="What --search ranks by: most params, fewest MACs, or least latency measured here.")  # fmt: skip
@click.option(
    "--most", type=click.IntRange(1), help="How many candidates --search looks at [default: all; 12 for latency]."
)
@click.option("--explain", is_flag=True, help="Show every number: base, raw, rounded, final, and the rule.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write the scaled network as a plain spec.")
@json_option
def command(
    file: str, factors: Factors, settings: tuple[str, ...], macs: int | None, params: int | None,
    activation_memory: int | None, search: bool, proxy: str, most: int | None, explain: bool, output: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Scale a network in width, depth and resolution; to factors, to a budget, or by the compound rule.

    \b
    cnnspec scale resnet50 --width 0.5 --resolution 160 --explain
    cnnspec scale efficientnet_b0 --variant b3 --output b3.yaml
    cnnspec scale my_net.yaml --macs 400M
    cnnspec scale efficientnet_b0 --search
    """
    budgets = {"macs": macs, "params": params, "activation_bytes": activation_memory}
    chosen = {what: amount for what, amount in budgets.items() if amount is not None}
    if len(chosen) > 1 or (chosen and not factors.nothing) or (search and (chosen or not factors.nothing)):
        raise click.UsageError("give factors, or one budget, or --search: they contradict each other")
    if search and output is not None:
        raise click.UsageError("--search finds a rule, not a network: write it under `scaling: {compound: ...}`")
    if most is not None and not search:
        raise click.UsageError("--most belongs to --search")
    try:
        if search:
            _search(file, settings, proxy, most, as_json)
            return
        base = load_or_exit(file, settings)
        budget: dict[str, Any] = {}
        if chosen:
            loaded, budget = _solve(file, settings, *next(iter(chosen.items())), quiet=as_json)
        else:
            loaded = load_or_exit(file, settings, factors=factors)
    except SpecError as error:
        print_diagnostics(list(error.diagnostics))
        sys.exit(1)
    if as_json:
        click.echo(json.dumps({**as_data(loaded), **budget}, indent=2))
    else:
        if explain:
            explanation(base, loaded).print()
            click.echo()
        _compare(base, loaded)
    if output is not None:
        from cnnspec.files import written_whole

        with written_whole(output) as beside:
            beside.write_text(loaded.expanded, encoding="utf-8")
        click.echo(f"written to {output}", err=as_json)


def _solve(
    file: str, settings: tuple[str, ...], what: str, budget: int, quiet: bool
) -> tuple[LoadedSpec, dict[str, Any]]:
    """The network nearest below a budget, after printing it beside the choices around it."""
    from cnnspec.scaling.budget import solve

    best, around = solve(file, what, budget, parse_settings(settings))  # type: ignore[arg-type]  # one of the words
    if not quiet:
        shown = bytes_text(best.value) if what == "activation_bytes" else f"{best.value:,}"
        click.echo(f"{best.factors.plain}: {shown} {_WORDS[what]}, {best.value / budget:.1%} of the budget\n")
        table = Table(
            ["direction", "factors", "input", "params", "MACs", "activations", "of the budget"], right=range(3, 7)
        )
        for fit in (best, *around):
            totals = fit.loaded.totals
            table.add(
                fit.direction, fit.factors.plain, fit.loaded.graph.inputs[0].type.plain, f"{totals.params:,}",
                f"{totals.macs:,}", bytes_text(totals.activation_bytes), f"{fit.value / budget:.1%}",
            )  # fmt: skip
        table.print()
        click.echo()
    return best.loaded, {"budget": budget, "of": what, "frontier": [_fit(f, budget) for f in (best, *around)]}


_WORDS = {"macs": "MACs", "params": "parameters", "activation_bytes": "of activations"}


def _fit(fit: Fit, budget: int) -> dict[str, Any]:
    totals = fit.loaded.totals
    return {
        "direction": fit.direction, "factors": fit.factors.model_dump(exclude_defaults=True), "params": totals.params,
        "macs": totals.macs, "activation_bytes": totals.activation_bytes, "of_budget": round(fit.value / budget, 4),
    }  # fmt: skip


def _search(file: str, settings: tuple[str, ...], proxy: str, most: int | None, as_json: bool) -> None:
    from cnnspec.scaling.search import search

    rank: Any = {"params": None, "macs": lambda loaded: float(-loaded.totals.macs), "latency": None}[proxy]
    if proxy == "latency":
        from cnnspec.scaling.latency import seconds

        most = most or _MEASURED
        click.echo(f"measuring the latency of {most} candidates, batch 1, on this machine", err=True)

        def rank(loaded: LoadedSpec) -> float:
            return -seconds(loaded)

    found = search(file, proxy=rank, most=most, settings=parse_settings(settings))
    if as_json:
        data = [{**c.compound.model_dump(), "macs": c.macs, "params": c.params, "score": c.score} for c in found]
        click.echo(json.dumps(data))
        return
    table = Table(
        ["alpha", "beta", "gamma", "growth", "MACs", "params", "ms"][: 7 if proxy == "latency" else 6], right=range(7)
    )
    for c in found[:20]:
        rule = c.compound
        cells = [
            f"{rule.alpha:g}",
            f"{rule.beta:g}",
            f"{rule.gamma:g}",
            f"{rule.growth:.3f}",
            f"{c.macs:,}",
            f"{c.params:,}",
        ]
        table.add(*cells, *([f"{-1000 * c.score:.2f}"] if proxy == "latency" else []))
    table.print()
    order = {"params": "most parameters", "macs": "fewest MACs", "latency": "least latency measured here"}[proxy]
    shown = f", the first {min(20, len(found))} shown" if len(found) > 20 else ""
    click.echo(f"\n{len(found)} candidates at about twice the MACs, {order} first{shown}")
    if found:
        best = ", ".join(f"{name}: {value:g}" for name, value in found[0].compound.model_dump().items())
        click.echo(f"scaling: {{compound: {{{best}}}}}")


def explanation(base: LoadedSpec, loaded: LoadedSpec) -> Table:
    """Every number under scaling: base, raw, rounded, final, and the rule; iterations that are alike in one row."""
    table = Table(["node", "field", "base", "raw", "rounded", "final", "rule"], right=(2, 3, 4, 5))
    scaler = loaded.scaler
    if scaler is None:
        return table
    for before, after in zip(base.graph.inputs, loaded.graph.inputs, strict=True):
        if before.type != after.type and after.type.rank == 3:
            exact = before.type.height * scaler.stretch if scaler.stretch != 1 else after.type.height
            table.add(
                after.name, "height", before.type.height, f"{exact:g}", after.type.height, after.type.height,
                scaler.resolution_rule,
            )  # fmt: skip
    scaled = {c.field.partition("[")[0] for c in scaler.changes if c.path == "params"}
    for name, value in loaded.document.params.items():
        if name not in scaled and value != base.document.params.get(name):
            rule = "the variant's" if name in scaler.params else "a function of the scale"
            table.add("params", name, base.document.params.get(name), value, value, value, rule)
    rows: dict[tuple[Any, ...], list[str]] = {}
    for c in scaler.changes:
        node = re.sub(r"\.\d+(?=\.|$)", ".*", c.path)
        rows.setdefault((node, c.field, c.base, f"{c.raw:g}", c.rounded, c.result, c.rule), []).append(c.path)
    for (node, *cells), paths in rows.items():
        table.add(paths[0] if len(paths) == 1 else f"{node} ({len(paths)})", *cells)
    return table


def _compare(base: LoadedSpec, loaded: LoadedSpec) -> None:
    """The base and the scaled network side by side."""
    table = Table(["", "base", "scaled", "ratio"], right=(1, 2, 3))
    a, b = base.totals, loaded.totals
    table.add("input", base.graph.inputs[0].type.plain, loaded.graph.inputs[0].type.plain, "")
    for name, x, y in (("params", a.params, b.params), ("MACs", a.macs, b.macs)):
        table.add(name, f"{x:,}", f"{y:,}", f"{y / x:.3f}" if x else "")
    ratio = f"{b.activation_bytes / a.activation_bytes:.3f}" if a.activation_bytes else ""
    table.add("activations", bytes_text(a.activation_bytes), bytes_text(b.activation_bytes), ratio)
    table.print()


def as_data(loaded: LoadedSpec) -> dict[str, Any]:
    """The scaled network with stable keys."""
    names = ("path", "field", "base", "raw", "rounded", "result", "rule")
    return {
        "name": loaded.document.name, "params": loaded.totals.params, "macs": loaded.totals.macs,
        "activation_bytes": loaded.totals.activation_bytes,
        "inputs": {i.name: list(i.type.shape) for i in loaded.graph.inputs},
        "changes": [{n: getattr(c, n) for n in names} for c in loaded.scaler.changes] if loaded.scaler else [],
    }  # fmt: skip
