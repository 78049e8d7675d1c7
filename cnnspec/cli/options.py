"""Options that several commands share, and what they do with a spec."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from cnnspec.diagnostics import Diagnostic, Problem, Report, Source, Span
from cnnspec.frontend import LoadedSpec, check_spec
from cnnspec.scaling import Factors
from cnnspec.scaling.factors import read_factors
from cnnspec.source import Scalar, Tree, parse, plain

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

file_argument: Decorator = click.argument("file", metavar="FILE")

set_option: Decorator = click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE",
    help="Give a param of the spec a value, or an input its size (--set classes=10 --set input.height=192); repeatable.",
)  # fmt: skip

format_option: Decorator = click.option(
    "--format", "output_format", type=click.Choice(["text", "json", "github"]), default="text", show_default=True,
    help="How diagnostics are printed.",
)  # fmt: skip

json_option: Decorator = click.option("--json", "as_json", is_flag=True, help="Print JSON with stable keys.")


def scale_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that scale a network; the command gets them as one `factors`."""
    import functools

    @functools.wraps(function)
    def with_factors(*args: Any, **kwargs: Any) -> Any:
        names = ("width", "depth", "resolution", "phi", "variant")
        given = {name: kwargs.pop(name) for name in names}
        return function(*args, factors=parse_factors(given), **kwargs)

    options = (
        click.option("--width", type=float, help="Factor on channels."),
        click.option("--depth", type=float, help="Factor on repeats."),
        click.option("--resolution", type=int, help="Height of the input, in pixels."),
        click.option("--phi", type=float, help="Exponent of the compound rule."),
        click.option("--variant", help="A variant that the spec names (b3)."),
    )
    wrapped: Callable[..., Any] = with_factors
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped


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
            raise click.BadParameter(f"`{value}` is not a YAML value", param_hint="--set")
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
        click.echo(rendering.render_text(found, color=use_color(sys.stderr)), err=True)


def use_color(stream: Any) -> bool:
    """Colour in a terminal, unless NO_COLOR says otherwise."""
    import os

    return not os.environ.get("NO_COLOR") and bool(getattr(stream, "isatty", lambda: False)())
