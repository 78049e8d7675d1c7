"""`cnnspec check`."""

from __future__ import annotations

import sys

import click

from cnnspec.cli.completing import complete_spec
from cnnspec.cli.options import format_option, parse_settings, print_diagnostics, scale_options, set_option
from cnnspec.diagnostics import Diagnostic, Report
from cnnspec.frontend import check_spec
from cnnspec.scaling import Factors

#: Of a file with more mistakes than anybody reads at once the first are shown as text.
_MOST_SHOWN = 50


@click.command(name="check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, shell_complete=complete_spec)
@set_option
@scale_options
@format_option
@click.option("--advice", is_flag=True, help="Note what could be better: ids that are missing, what nothing uses.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing for specs that are right.")
def command(
    files: tuple[str, ...], settings: tuple[str, ...], factors: Factors, output_format: str, advice: bool, quiet: bool
) -> None:
    """Check specs: syntax, fields, shapes, references, and what they expect of themselves.

    All independent mistakes are shown in one run. JAX is not needed and not loaded.

    \b
    cnnspec check my_net.yaml
    cnnspec check specs/*.yaml
    cnnspec check resnet50 --set classes=10
    cnnspec check --advice my_net.yaml
    cnnspec check - < my_net.yaml
    cnnspec check --format github specs/*.yaml      (annotations on a pull request)
    """
    given = parse_settings(settings)
    found: list[Diagnostic] = []
    failed = 0
    for file in files:
        report = Report()
        # A text is told from the name of a file by its line break.
        spec = sys.stdin.read() + "\n" if file == "-" else file
        loaded = check_spec(spec, report, set=given, scale=factors, advice=advice)
        found += report
        if report.failed or loaded is None:
            failed += 1
        elif output_format == "text" and not quiet:
            counts = loaded.totals
            shapes = ", ".join(
                f"{name} {loaded.graph.type_of(ref).plain}" for name, ref in loaded.graph.outputs.items()
            )
            click.echo(f"{file}: ok   {counts.params:,} params   {counts.macs:,} MACs   {shapes}")
    if output_format == "text":
        for diagnostic in found[:_MOST_SHOWN]:
            print_diagnostics([diagnostic])
        if len(found) > _MOST_SHOWN:
            click.echo(f"and {len(found) - _MOST_SHOWN} more: `--format json` has all", err=True)
        if found:
            from cnnspec.rendering import summary_line

            click.echo(summary_line(found), err=True)
    else:
        print_diagnostics(found, output_format)
    sys.exit(1 if failed else 0)
