"""Options that several commands share, and what they do with a spec."""

from __future__ import annotations

import functools
import re
import shutil
import sys
from collections.abc import Callable
from typing import Any

import click

from cnnspec.cli.completing import complete_spec
from cnnspec.diagnostics import Diagnostic, Problem, Report, Source, Span, SpecError
from cnnspec.frontend import LoadedSpec, check_spec
from cnnspec.scaling import Factors
from cnnspec.scaling.factors import BUDGETS, read_factors
from cnnspec.source import Scalar, Tree, parse, plain

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

file_argument: Decorator = click.argument("file", metavar="FILE", shell_complete=complete_spec)

set_option: Decorator = click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE",
    help="Give a param of the spec a value, or an input its size (--set classes=10 --set input.height=192); repeatable.",
)  # fmt: skip

format_option: Decorator = click.option(
    "--format", "output_format", type=click.Choice(["text", "json", "github"]), default="text", show_default=True,
    help="How diagnostics are printed.",
)  # fmt: skip

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?(?:e\d{1,2})?)\s*([A-Za-z]*)")


class Amount(click.ParamType[int]):
    """A number such as 400M, 1.5G, 20MiB, 4e8."""

    name = "AMOUNT"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = _AMOUNT.fullmatch(str(value).strip())
        if match is None or match[2].upper() not in _UNITS or float(match[1]) <= 0:
            self.fail(f"`{value}` should be an amount above 0, such as 400M, 1.5G or 20MiB", param, ctx)
        return max(1, int(float(match[1]) * _UNITS[match[2].upper()]))


BUDGET_OPTIONS: tuple[Decorator, ...] = (
    click.option("--macs", type=Amount(), help="Scale to at most so many multiply-accumulates (400M)."),
    click.option("--params", type=Amount(), help="Scale to at most so many parameters (5M)."),
    click.option("--activation-memory", type=Amount(), help="Scale to at most so much memory for activations (20MiB)."),
)

json_option: Decorator = click.option("--json", "as_json", is_flag=True, help="Print JSON with stable keys.")


_FACTOR_OPTIONS: tuple[Decorator, ...] = (
    click.option("--width", type=float, help="Factor on channels."),
    click.option("--depth", type=float, help="Factor on repeats."),
    click.option("--resolution", type=int, help="Height of the input, in pixels."),
    click.option("--phi", type=float, help="Exponent of the compound rule."),
    click.option("--variant", help="A variant that the spec names (b3)."),
)


def factor_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that scale a network by factors; the command gets them as one `factors`."""

    @functools.wraps(function)
    def with_factors(*args: Any, **kwargs: Any) -> Any:
        given = {name: kwargs.pop(name) for name in Factors.model_fields}
        return function(*args, factors=parse_factors(given), **kwargs)

    return decorated(with_factors, _FACTOR_OPTIONS)


def scale_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that scale a network by factors or to a budget; the command gets the factors either way."""

    @functools.wraps(function)
    def with_budget(*args: Any, factors: Factors, **kwargs: Any) -> Any:
        budget = chosen_budget(kwargs, factors)
        if budget is not None:
            factors = _solved(kwargs, *budget)
        return function(*args, factors=factors, **kwargs)

    return factor_options(decorated(with_budget, BUDGET_OPTIONS))


def chosen_budget(given: dict[str, Any], factors: Factors) -> tuple[str, int] | None:
    """The one budget that was given; the options of all are taken out of `given`."""
    budgets = {name: amount for name in BUDGETS if (amount := given.pop(name)) is not None}
    if len(budgets) > 1:
        given_ones = " and ".join(f"--{name.replace('_', '-')}" for name in budgets)
        raise click.UsageError(f"{given_ones} contradict each other: give one budget")
    if budgets and not factors.nothing:
        raise click.UsageError("give factors or a budget: they contradict each other")
    return next(iter(budgets.items()), None)


def _solved(given: dict[str, Any], what: str, amount: int) -> Factors:
    """The factors of the network that keeps within a budget, said on standard error."""
    from cnnspec.scaling.budget import solve

    files = given["files"] if "files" in given else (given["file"],)
    if len(files) != 1:
        raise click.UsageError("a budget is met for one FILE at a time")
    try:
        solution = solve(files[0], what, amount, parse_settings(given["settings"]), alone=True)
    except SpecError as error:
        print_diagnostics(list(error.diagnostics), given.get("output_format", "text"))
        sys.exit(1)
    best = solution.best
    said = f"{best.value:,} {BUDGETS[what]}, {solution.share(best):.1%} of the budget"
    scale = "as it stands" if best.factors.nothing else f"scaled by {best.factors.plain}"
    click.echo(f"{scale}: {said}", err=True)
    return best.factors


def decorated(function: Callable[..., Any], options: tuple[Decorator, ...]) -> Callable[..., Any]:
    for option in reversed(options):
        function = option(function)
    return function


def parse_factors(given: dict[str, Any]) -> Factors:
    """The factors of the command line; a wrong one is a mistake in calling the command."""
    try:
        return read_factors(given)
    except Problem as problem:
        text = f"{problem.message}; {problem.help}" if problem.help else problem.message
        raise click.BadParameter(text, param_hint=f"--{problem.field}") from None


def parse_settings(settings: tuple[str, ...]) -> dict[str, Any]:
    """`NAME=VALUE` pairs, with values read as YAML."""
    found: dict[str, Any] = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"`{text}` should be NAME=VALUE", param_hint="--set")
        report = Report()
        tree: Tree | None = parse(Source("--set", value), report) if value.strip() else Scalar("", _nowhere(value))
        if report.failed or tree is None:
            why = next((d.message for d in report), "it is no YAML value")
            raise click.BadParameter(f"`{value}` cannot be read: {why}", param_hint="--set")
        found[name.strip()] = plain(tree)
    return found


def _nowhere(text: str) -> Span:
    return Span(Source("--set", text), 1, 1, 1, 1)


def load_or_exit(
    file: str, settings: tuple[str, ...], output_format: str = "text", factors: Factors | None = None
) -> LoadedSpec:
    """The checked spec; prints the diagnostics and exits with 1 where it is wrong."""
    report = Report()
    loaded = check_spec(file, report, set=parse_settings(settings), scale=factors)
    if report.failed or loaded is None:
        print_diagnostics(report, output_format)
        sys.exit(1)
    print_diagnostics([d for d in report if d.severity != "error"], output_format)
    return loaded


def print_diagnostics(diagnostics: Report | list[Diagnostic], output_format: str = "text") -> None:
    """Print diagnostics: as text on standard error, for machines on standard output."""
    from cnnspec import rendering

    found = list(diagnostics)
    if output_format == "json":
        click.echo(rendering.render_json(found))
    elif output_format == "github":
        if found:
            click.echo(rendering.render_github(found))
    elif found:
        color, width = use_color(sys.stderr), rendering.MOST_COLUMNS
        if sys.stderr.isatty():
            # A line that is broken by the terminal would leave its caret behind.
            width = min(width, shutil.get_terminal_size().columns - len("12345 | ") - 2 * len("..."))
        click.echo(rendering.render_text(found, color=color, width=width), err=True)


def use_color(stream: Any) -> bool:
    """Colour in a terminal, unless NO_COLOR says otherwise."""
    import os

    return not os.environ.get("NO_COLOR") and bool(getattr(stream, "isatty", lambda: False)())
