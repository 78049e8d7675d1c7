"""Why a scaled network is as it is: for every number its base, exact product, rounded and final value, and the rule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from cnnspec.frontend import LoadedSpec
from cnnspec.scaling.scaler import Follower

#: A path in the first iteration of a repeat.
_FIRST = re.compile(r"\.0(?=\.|$)")


@dataclass(frozen=True, slots=True)
class Row:
    """One number; `count` places that are alike (the iterations of a repeat) are one row.

    `raw` and `rounded` are empty for what is not multiplied: params that a variant gives, widths that an expression gives,
    or a block to one of its parts. `base` is empty for what the base lacks.
    """

    node: str
    field: str
    base: Any
    raw: float | None
    rounded: int | None
    final: Any
    rule: str
    count: int = 1


def explanation(base: LoadedSpec, scaled: LoadedSpec) -> list[Row]:
    """The rows of a scaled network: its input, its params, and then its nodes in their order."""
    return _folded([*_inputs(base, scaled), *_params(base, scaled), *_nodes(base, scaled)])


def _inputs(base: LoadedSpec, scaled: LoadedSpec) -> Iterator[Row]:
    scaler = scaled.scaler
    for before, after in zip(base.graph.inputs, scaled.graph.inputs, strict=True):
        if before.type == after.type or after.type.rank != 3:
            continue
        for name in ("height", "width"):
            old, new = getattr(before.type, name), getattr(after.type, name)
            raw = old * scaler.stretch if scaler.stretch != 1 else new
            yield Row(after.name, name, old, raw, new, new, scaler.resolution_rule)


def _params(base: LoadedSpec, scaled: LoadedSpec) -> Iterator[Row]:
    scaler = scaled.scaler
    declared = {c.field.partition("[")[0]: c for c in scaler.changes if c.path == "params"}
    before, after = base.document.params, scaled.document.params
    for name, value in after.items():
        for change in scaler.changes:
            if change.path == "params" and change.field.partition("[")[0] == name:
                yield Row("params", change.field, change.base, change.raw, change.rounded, change.result, change.rule)
        if name not in declared and value != before.get(name):
            rule = "the variant gives it" if name in scaler.params else "a function of the scale"
            yield Row("params", name, before.get(name), None, None, value, rule)


def _nodes(base: LoadedSpec, scaled: LoadedSpec) -> Iterator[Row]:
    """Numbers that were multiplied, and those that follow from expressions or from others, in the order of the nodes."""
    order: dict[str, int] = {}
    for number, path in enumerate(scaled.graph.scopes):
        parts = path.split(".")
        for end in range(1, len(parts) + 1):
            order.setdefault(".".join(parts[:end]), number)
    followers = _Earlier(base.scaler.followers)
    of_parts = _Earlier([f for f in base.scaler.derived if not _FIRST.search(f.path)], base.scaler.derived)
    rows = [
        Row(c.path, c.field, c.base, c.raw, c.rounded, c.result, c.rule)
        for c in scaled.scaler.changes if c.path != "params"
    ]  # fmt: skip
    for f in scaled.scaler.followers:
        before = followers.value(f)
        verb = "stays" if before == f.value else "follows"
        rows.append(Row(f.path, f.field, before, None, None, f.value, f"{verb}: {f.expression}"))
    said = {(row.node, row.field) for row in rows}
    for f in scaled.scaler.derived:
        before = of_parts.value(f)
        if before != f.value and (f.path, f.field) not in said and not _repeats_a_field(f):
            rows.append(Row(f.path, f.field, before, None, None, f.value, f"follows: {f.expression}"))
    yield from sorted(rows, key=lambda row: (order.get(row.node, len(order)), len(row.node)))


class _Earlier:
    """The values that numbers had in the base.

    An iteration that the base lacks is compared with the others, where they are all alike; for parts of blocks, whose widths
    depend on what comes in, with those behind the first.
    """

    def __init__(self, others: Iterable[Follower], known: Iterable[Follower] | None = None) -> None:
        self._known = {(f.path, f.field): f.value for f in (others if known is None else known)}
        self._others: dict[tuple[str, str], set[Any]] = {}
        for f in others:
            self._others.setdefault((_pattern(f.path), f.field), set()).add(f.value)

    def value(self, follower: Follower) -> Any:
        """The value, or `None` where there is none to compare with."""
        others = self._others.get((_pattern(follower.path), follower.field), set())
        return self._known.get((follower.path, follower.field), next(iter(others)) if len(others) == 1 else None)


def _repeats_a_field(follower: Follower) -> bool:
    """Whether a part has the number of a field as it is, `growth_rate 32`: the field has a row."""
    return follower.expression.split(" ")[1:] == [str(follower.value)]


def _pattern(path: str) -> str:
    """A path with every iteration of a repeat alike: `stage1.*`."""
    return re.sub(r"\.\d+(?=\.|$)", ".*", path)


def _folded(rows: Iterable[Row]) -> list[Row]:
    """What is alike as one row: the iterations of a repeat, and what one expression gives inside a cell."""
    return _cells(_iterations(rows))


def _iterations(rows: Iterable[Row]) -> list[Row]:
    """Iterations of a repeat that are alike as one row, under `stage1.*`."""
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = (_pattern(row.node), row.field, repr(row.base), row.raw, row.rounded, repr(row.final), row.rule)
        found.setdefault(key, []).append(row)
    return [
        alike[0] if len(alike) == 1 else
        Row(key[0], key[1], alike[0].base, key[3], key[4], alike[0].final, key[6], len(alike))
        for key, alike in found.items()
    ]  # fmt: skip


def _cells(rows: Iterable[Row]) -> list[Row]:
    """Places inside a node at which one expression gives the same number as one row, under what they have in common."""
    found: dict[tuple[Any, ...], list[Row]] = {}
    for number, row in enumerate(rows):
        cell, dot, _ = row.node.partition(".")
        # A number that is written stands for itself, even where another one is equal to it.
        apart = None if dot and row.raw is None and row.node != _pattern(f"{cell}.0") else number
        found.setdefault((cell, row.field, repr(row.base), repr(row.final), row.rule, apart), []).append(row)
    return [
        alike[0] if len(alike) == 1 else
        replace(alike[0], node=f"{_common([row.node for row in alike])}.*", count=sum(row.count for row in alike))
        for alike in found.values()
    ]  # fmt: skip


def _common(paths: list[str]) -> str:
    """The node that encloses all of them, with the iterations of a repeat alike."""
    parts = zip(*(_pattern(path).split(".") for path in paths), strict=False)
    return ".".join(names[0] for names in takewhile(lambda names: len({*names}) == 1, parts))
