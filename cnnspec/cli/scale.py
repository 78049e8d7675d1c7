"""`cnnspec scale`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

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

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


class Amount(click.ParamType[int]):
    """A number such as 400M, 1.5G, 20MiB."""

    name = "AMOUNT"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", str(value).strip())
        if match is None or match[2].upper() not in _UNITS or float(match[1]) <= 0:
            self.fail(f"`{value}` should be an amount such as 400M, 1.5G or 20MiB", param, ctx)
        return int(float(match[1]) * _UNITS[match[2].upper()])


@click.command(name="scale")
@file_argument
@scale_options
@set_option
@click.option("--macs", type=Amount(), help="Scale to at most so many multiply-accumulates.")
@click.option("--params", type=Amount(), help="Scale to at most so many parameters.")
@click.option("--activation-memory", type=Amount(), help="Scale to at most so much memory for activations (20MiB).")
@click.option("--search", is_flag=True, help="Search alpha, beta and gamma on a grid, at twice the MACs.")
@click.option("--proxy", type=click.Choice(["params", "macs", "latency"]), default="params", show_default=True,
              help="What --search ranks by; latency is measured here.")  # fmt: skip
@click.option("--explain", is_flag=True, help="Show every number that was scaled: base, raw, result, and the rule.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write the scaled network as a plain spec.")
@json_option
def command(
    file: str, factors: Factors, settings: tuple[str, ...], macs: int | None, params: int | None,
    activation_memory: int | None, search: bool, proxy: str, explain: bool, output: Path | None, as_json: bool,
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
    try:
        if search:
            _search(file, settings, proxy, as_json)
            return
        base = load_or_exit(file, settings)
        if chosen:
            loaded = _solve(file, settings, *next(iter(chosen.items())), quiet=as_json)
        else:
            loaded = load_or_exit(file, settings, factors=factors)
    except SpecError as error:
        print_diagnostics(list(error.diagnostics))
        sys.exit(1)
    _print(base, loaded, explain, as_json)
    if output is not None:
        from cnnspec.files import written_whole

        with written_whole(output) as beside:
            beside.write_text(loaded.expanded, encoding="utf-8")
        click.echo(f"written to {output}", err=as_json)


def _solve(file: str, settings: tuple[str, ...], what: str, budget: int, quiet: bool) -> LoadedSpec:
    from cnnspec.rescale import solve

    best, around = solve(file, what, budget, parse_settings(settings))  # type: ignore[arg-type]  # one of the words
    if not quiet:
        click.echo(f"phi {best.phi:g}: {best.value:,} {what}, {best.value / budget:.1%} of the budget")
        table = Table(["phi", what, "of the budget"], right=(0, 1, 2))
        for fit in sorted([*around, best], key=lambda f: f.phi):
            table.add(f"{fit.phi:g}", f"{fit.value:,}", f"{fit.value / budget:.1%}")
        table.print()
    return best.loaded


def _search(file: str, settings: tuple[str, ...], proxy: str, as_json: bool) -> None:
    from cnnspec.rescale import search

    rank = {"params": None, "macs": lambda loaded: float(-loaded.totals.macs), "latency": _latency}[proxy]
    found = search(file, proxy=rank, settings=parse_settings(settings))
    if as_json:
        click.echo(
            json.dumps(
                [{**c.compound.model_dump(), "macs": c.macs, "params": c.params, "score": c.score} for c in found]
            )
        )
        return
    table = Table(["alpha", "beta", "gamma", "growth", "MACs", "params"], right=range(6))
    for c in found[:20]:
        rule = c.compound
        table.add(
            f"{rule.alpha:g}", f"{rule.beta:g}", f"{rule.gamma:g}", f"{rule.growth:.3f}", f"{c.macs:,}", f"{c.params:,}"
        )
    table.print()
    click.echo(f"{len(found)} candidates, ranked by {proxy}")


def _latency(loaded: LoadedSpec) -> float:
    """Minus the seconds of one image on this machine."""
    import time

    import numpy as np

    from cnnspec.compiled import Compiled

    network = Compiled(loaded)
    prepared = network.prepare(*network.init())
    image = np.zeros((1, *loaded.graph.inputs[0].type.shape), np.float32)
    times = []
    for _ in range(4):
        begin = time.perf_counter()
        for value in network.infer(prepared, image).values():
            value.block_until_ready()
        times.append(time.perf_counter() - begin)
    return -min(times[1:])


def _print(base: LoadedSpec, loaded: LoadedSpec, explain: bool, as_json: bool) -> None:
    scaler = loaded.scaler
    if as_json:
        data = {
            "name": loaded.document.name, "params": loaded.totals.params, "macs": loaded.totals.macs,
            "activation_bytes": loaded.totals.activation_bytes,
            "inputs": {i.name: list(i.type.shape) for i in loaded.graph.inputs},
            "changes": [vars_of(c) for c in scaler.changes] if scaler else [],
        }  # fmt: skip
        click.echo(json.dumps(data, indent=2))
        return
    if explain and scaler is not None:
        table = Table(["node", "field", "base", "raw", "result", "rule"], right=(2, 3, 4))
        for c in scaler.changes:
            table.add(c.path, c.field, c.base, f"{c.raw:g}", c.result, c.rule)
        table.print()
    table = Table(["", "base", "scaled", "ratio"], right=(1, 2, 3))
    a, b = base.totals, loaded.totals
    table.add("input", base.graph.inputs[0].type.plain, loaded.graph.inputs[0].type.plain, "")
    for name, x, y in (("params", a.params, b.params), ("MACs", a.macs, b.macs)):
        table.add(name, f"{x:,}", f"{y:,}", f"{y / x:.3f}" if x else "")
    table.add(
        "activations",
        bytes_text(a.activation_bytes),
        bytes_text(b.activation_bytes),
        f"{b.activation_bytes / a.activation_bytes:.3f}",
    )
    table.print()


def vars_of(change: object) -> dict[str, object]:
    """A change with stable keys."""
    return {name: getattr(change, name) for name in ("path", "field", "base", "raw", "result", "rule")}
