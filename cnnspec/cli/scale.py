"""`cnnspec scale`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnspec.cli.options import (
    BUDGET_OPTIONS,
    chosen_budget,
    decorated,
    factor_options,
    file_argument,
    json_option,
    load_or_exit,
    parse_settings,
    print_diagnostics,
    set_option,
)
from cnnspec.cli.output import Table, bytes_text, output_file, steps
from cnnspec.diagnostics import Report, SpecError
from cnnspec.frontend import Counted, LoadedSpec, check_spec, count_spec, counted
from cnnspec.scaling.factors import BUDGETS, Factors

if TYPE_CHECKING:
    from cnnspec.scaling.budget import Solution
    from cnnspec.scaling.direction import Fit
    from cnnspec.scaling.explanation import Row

#: How many candidates of a search are measured for their latency, where the caller says nothing.
_MEASURED = 12


@click.command(name="scale")
@file_argument
@factor_options
@set_option
@(lambda function: decorated(function, BUDGET_OPTIONS))
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
    file: str, factors: Factors, settings: tuple[str, ...], search: bool, proxy: str, most: int | None, explain: bool,
    output: Path | None, as_json: bool, **budgets: Any,
) -> None:  # fmt: skip
    """Scale a network in width, depth and resolution: by factors, to a budget, or by the compound rule.

    A budget is met along the compound rule, as near as that leads; the choices around the answer are shown with it.

    \b
    cnnspec scale resnet50 --width 0.5 --resolution 160 --explain
    cnnspec scale efficientnet_b0 --variant b3 --output b3.yaml
    cnnspec scale my_net.yaml --macs 400M
    cnnspec scale efficientnet_b0 --search --proxy latency
    """
    budget = chosen_budget(budgets, factors)
    if search and (budget or not factors.nothing):
        raise click.UsageError("--search looks for a rule, and takes no factors and no budget")
    if search and (output is not None or explain):
        raise click.UsageError("--search finds a rule, not a network: write it under `scaling: {compound: ...}`")
    if not search and (most is not None or _given("proxy")):
        raise click.UsageError("--most and --proxy belong to --search")
    try:
        if search:
            _search(file, settings, proxy, most, as_json)
            return
        if budget is None:
            before, solution = _counts(file, settings), None
            loaded = load_or_exit(file, settings, factors=factors)
        else:
            before, solution = counted(load_or_exit(file, settings)), _solve(file, settings, budget)
            loaded = solution.loaded
        rows = _explained(file, settings, loaded) if explain else None
    except SpecError as error:
        print_diagnostics(list(error.diagnostics))
        sys.exit(1)
    if as_json:
        click.echo(json.dumps(as_data(loaded, solution, rows), indent=2))
    else:
        _print(before, loaded, solution, rows)
    if output is not None:
        with output_file(output) as beside:
            beside.write_text(loaded.expanded, encoding="utf-8")
        click.echo(f"written to {output}", err=as_json)


def _counts(file: str, settings: tuple[str, ...]) -> Counted:
    """The counts of the spec as it stands. What it is warned of is said once, of the scaled network."""
    found = count_spec(file, Factors(), parse_settings(settings))
    return found if found is not None else counted(load_or_exit(file, settings))


def _explained(file: str, settings: tuple[str, ...], loaded: LoadedSpec) -> list[Row]:
    from cnnspec.scaling.explanation import explanation

    base = check_spec(file, Report(), set=parse_settings(settings))
    return explanation(base if base is not None else load_or_exit(file, settings), loaded)


def _given(name: str) -> bool:
    """Whether an option stands on the command line."""
    return click.get_current_context().get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def _solve(file: str, settings: tuple[str, ...], budget: tuple[str, int]) -> Solution:
    from cnnspec.scaling.budget import solve

    return solve(file, *budget, parse_settings(settings))


# --- the scaled network ------------------------------------------------------------------------------------


def _print(before: Counted, loaded: LoadedSpec, solution: Solution | None, rows: list[Row] | None) -> None:
    if solution is not None:
        best = solution.best
        click.echo(f"{_factors(best)}: {_amount(solution.what, best.value)}, {_share(solution, best)} of the budget\n")
        _frontier(solution).print()
        click.echo()
    if rows is not None:
        _explanation(rows).print()
        click.echo()
    _comparison(before, loaded).print()


def _factors(fit: Fit) -> str:
    """By what a network is scaled, in words."""
    return "as it stands" if fit.factors.nothing else fit.factors.plain


def _amount(what: str, value: int) -> str:
    return f"{bytes_text(value)} of activations" if what == "activation_memory" else f"{value:,} {BUDGETS[what]}"


def _share(solution: Solution, fit: Fit) -> str:
    return f"{solution.share(fit):.1%}"


def _frontier(solution: Solution) -> Table:
    """The answer to a budget, and the choices around it."""
    table = Table(
        ["direction", "factors", "input", "params", "MACs", "activations", "of the budget"], right=range(3, 7)
    )
    for fit in (solution.best, *solution.neighbours):
        totals = fit.network.totals
        table.add(
            fit.direction, _factors(fit), fit.network.inputs[0].type.plain, f"{totals.params:,}",
            f"{totals.macs:,}", bytes_text(totals.activation_bytes), _share(solution, fit),
        )  # fmt: skip
    return table


def _explanation(rows: list[Row]) -> Table:
    table = Table(["node", "field", "base", "raw", "rounded", "final", "rule"], right=(2, 3, 4, 5))
    for row in rows:
        node = f"{row.node} ({row.count})" if row.count > 1 else row.node
        raw = "" if row.raw is None else f"{row.raw:g}"
        rounded = "" if row.rounded is None else row.rounded
        table.add(node, row.field, _value(row.base), raw, rounded, _value(row.final), row.rule)
    return table


def _value(value: Any) -> Any:
    """A number as people write it; nothing for what the base lacks."""
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else value


def _comparison(before: Counted, loaded: LoadedSpec) -> Table:
    """The base and the scaled network side by side."""
    table = Table(["", "base", "scaled", "ratio"], right=(1, 2, 3))
    a, b = before.totals, loaded.totals
    table.add("input", before.inputs[0].type.plain, loaded.graph.inputs[0].type.plain, "")
    for name, x, y, text in (
        ("params", a.params, b.params, "{:,}".format),
        ("MACs", a.macs, b.macs, "{:,}".format),
        ("activations", a.activation_bytes, b.activation_bytes, bytes_text),
    ):
        table.add(name, text(x), text(y), f"{y / x:.3f}" if x else "")
    return table


def as_data(loaded: LoadedSpec, solution: Solution | None, rows: list[Row] | None) -> dict[str, Any]:
    """The scaled network with stable keys."""
    totals = loaded.totals
    data: dict[str, Any] = {
        "name": loaded.document.name, "params": totals.params, "macs": totals.macs,
        "activation_bytes": totals.activation_bytes,
        "inputs": {i.name: list(i.type.shape) for i in loaded.graph.inputs},
    }  # fmt: skip
    if rows is not None:
        data["explanation"] = [asdict(row) for row in rows]
    if solution is not None:
        fits = (solution.best, *solution.neighbours)
        data |= {"of": solution.what, "budget": solution.budget, "frontier": [_fit(solution, fit) for fit in fits]}
    return data


def _fit(solution: Solution, fit: Fit) -> dict[str, Any]:
    totals = fit.network.totals
    return {
        "direction": fit.direction, "factors": fit.factors.model_dump(exclude_defaults=True), "params": totals.params,
        "macs": totals.macs, "activation_bytes": totals.activation_bytes, "of_budget": round(solution.share(fit), 4),
    }  # fmt: skip


# --- the search --------------------------------------------------------------------------------------------


def _search(file: str, settings: tuple[str, ...], proxy: str, most: int | None, as_json: bool) -> None:
    from cnnspec.scaling.search import search

    base = load_or_exit(file, settings)
    found = search(file, proxy=proxy, most=most or (_MEASURED if proxy == "latency" else None),
                   settings=parse_settings(settings), progress=steps)  # fmt: skip
    if as_json:
        data = [{**c.compound.model_dump(), "macs": c.macs, "params": c.params, "score": c.score} for c in found]
        click.echo(json.dumps(data))
        return
    columns = ["alpha", "beta", "gamma", "growth", "MACs", "of the base's", "params"]
    table = Table([*columns, "ms"] if proxy == "latency" else columns, right=range(8))
    for c in found[:20]:
        rule = c.compound
        cells = [f"{n:g}" for n in (rule.alpha, rule.beta, rule.gamma)]
        cells += [f"{rule.growth:.3f}", f"{c.macs:,}", f"{c.macs / base.totals.macs:.3f}", f"{c.params:,}"]
        table.add(*cells, *([f"{1000 * c.score:.2f}"] if proxy == "latency" else []))
    table.print()
    order = {"params": "most parameters", "macs": "fewest MACs", "latency": "least latency measured here"}[proxy]
    shown = f", the first {min(20, len(found))} shown" if len(found) > 20 else ""
    click.echo(f"\n{len(found)} networks of about twice the MACs, {order} first{shown}")
    if found:
        best = ", ".join(f"{name}: {value:g}" for name, value in found[0].compound.model_dump().items())
        click.echo(f"scaling: {{compound: {{{best}}}}}")
