"""`cnnspec list`."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from cnnspec.cli.options import json_option
from cnnspec.cli.output import Table
from cnnspec.diagnostics import Report, did_you_mean
from cnnspec.frontend import LoadedSpec, check_spec
from cnnspec.registry import block_keys, op_keys, spec_class
from cnnspec.zoo import zoo_specs

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True)
class Bounds:
    """A range of counts, as `5M`, `1M..5M`, `..5M`, `1G..`."""

    least: float = 0
    most: float = float("inf")

    def holds(self, number: int) -> bool:
        return self.least <= number <= self.most


class BoundsType(click.ParamType[Bounds]):
    """Reads a range of counts."""

    name = "RANGE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Bounds:
        if isinstance(value, Bounds):
            return value
        match = re.fullmatch(r"(?:([\d.]*)([KMGT]?)\.\.)?([\d.]*)([KMGT]?)", str(value).strip(), re.IGNORECASE)
        try:
            if match is None or not str(value).strip("."):
                raise ValueError
            low = float(match[1]) * _UNITS[(match[2] or "").upper()] if match[1] else 0
            high = float(match[3]) * _UNITS[(match[4] or "").upper()] if match[3] else float("inf")
        except ValueError:
            self.fail(f"`{value}` should be a range such as 5M, 1M..5M or 1G..", param, ctx)
        return Bounds(low, high)


@click.command(name="list")
@click.option("--family", help="Only this family (how a word of its name begins, any case).")
@click.option("--params", type=BoundsType(), help="Only with so many parameters: 5M (at most), 1M..5M, 100M.. .")
@click.option("--macs", type=BoundsType(), help="Only with so many multiply-accumulates: 600M, 1G..4G.")
@click.option("--uses", metavar="BLOCK", help="Only those that use this block or op.")
@click.option("--blocks", is_flag=True, help="List the blocks and ops of the language instead.")
@json_option
def command(
    family: str | None, params: Bounds | None, macs: Bounds | None, uses: str | None, blocks: bool, as_json: bool
) -> None:
    """List the zoo, or the blocks of the language.

    \b
    cnnspec list --family resnet
    cnnspec list --params ..5M --macs ..600M
    cnnspec list --uses squeeze_excite --json
    cnnspec list --blocks
    """
    if blocks:
        _list_blocks(as_json)
        return
    found, known = [], block_keys() | op_keys()
    for path in zoo_specs():
        loaded = check_spec(path, Report())
        if loaded is None or (family and not _is_of(loaded.document.family, family)):
            continue
        if (params and not params.holds(loaded.totals.params)) or (macs and not macs.holds(loaded.totals.macs)):
            continue
        if uses and uses not in used_blocks(loaded):
            known = known.union(used_blocks(loaded))  # blocks of a spec's own
            continue
        found.append((path, loaded))
    if uses and not found and uses not in known:
        hint = did_you_mean(uses, known) or "`cnnspec list --blocks` lists them"
        raise click.BadParameter(f"there is no block or op `{uses}`; {hint}", param_hint="--uses")
    if as_json:
        click.echo(json.dumps([_data(path, loaded) for path, loaded in found], indent=2))
        return
    if not found:
        click.echo("no spec of the zoo is like that", err=True)
        sys.exit(1)
    table = Table(["name", "family", "year", "params", "MACs", "input", "description"], right=(3, 4))
    for path, loaded in found:
        row = _data(path, loaded)
        table.add(row["name"], row["family"], row["year"] or "", f"{row['params']:,}", f"{row['macs']:,}",
                  loaded.graph.inputs[0].type.plain, row["description"])  # fmt: skip
    table.print()


def _is_of(family: str, asked: str) -> bool:
    """Whether a word of a family's name begins so: `lenet` is LeNet, and no GoogLeNet."""
    return re.search(rf"\b{re.escape(asked)}", family, re.IGNORECASE) is not None


def _data(path: Path, loaded: LoadedSpec) -> dict[str, object]:
    document = loaded.document
    return {
        "name": path.stem,
        "family": document.family,
        "year": document.source.year if document.source else None,
        "params": loaded.totals.params,
        "macs": loaded.totals.macs,
        "inputs": {i.name: list(i.type.shape) for i in loaded.graph.inputs},
        "description": document.description,
        "blocks": used_blocks(loaded),
        "path": str(path),
    }


def used_blocks(loaded: LoadedSpec) -> list[str]:
    """The blocks and ops that a network is made of."""
    found = {node.op.key for node in loaded.graph.nodes}
    for node in loaded.graph.nodes:
        for origin in node.origin.chain() if node.origin else ():
            found |= {origin.what.partition(" at ")[0].strip("`"), *origin.blocks}
    return sorted(name for name in found if name and name != "shared")


def _list_blocks(as_json: bool) -> None:
    rows = []
    for kind, keys in (("block", block_keys()), ("op", op_keys() - block_keys())):
        for key in sorted(keys):
            cls = spec_class(key)
            rows.append({"key": key, "kind": kind, "fields": [info.alias or name for name, info in cls.model_fields.items()],
                         "doc": (cls.__doc__ or "").strip().split("\n")[0]})  # fmt: skip
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    table = Table(["key", "kind", "what it is"])
    for row in rows:
        table.add(row["key"], row["kind"], row["doc"])
    table.print()
