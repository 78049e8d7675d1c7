"""Scopes that differ by parts which are there or not: one class, with a flag for each such part.

A bottleneck with a projection in its shortcut and one without are one class: where the projection is missing, what would
have come into it is used instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cnnspec.eject.scopes import Item, OpItem, Scope
from cnnspec.graph import Ref
from cnnspec.ops.add import Add

#: For each item of the larger scope its position in the smaller one, `None` where it is missing there.
Layout = tuple[int | None, ...]


@dataclass(frozen=True)
class Variant:
    """How a scope is another one without some of its items: where those that it has stand in it, and what its values are."""

    layout: Layout
    means: dict[Ref, Ref]


@dataclass(frozen=True)
class Option:
    """Items in a row that only some instances have; without them, what uses `result` uses `instead`."""

    first: int
    last: int
    result: Ref
    instead: Ref

    @property
    def positions(self) -> range:
        return range(self.first, self.last + 1)


def embedded(large: Scope, small: Scope, alike: Callable[[Item, Item], bool]) -> tuple[Variant, list[Option]] | None:
    """How the small scope is the large one without some of its items; `None` where it is not."""
    layout = _layout(large.items, small.items, alike)
    if layout is None or len(large.inputs) != len(small.inputs):
        return None
    means = _meaning(large, small, layout)
    if means is None:
        return None
    options = []
    for row in _rows(layout):
        option = _option(large, row, means)
        if option is None:
            return None
        options.append(option)
    return Variant(layout, means), options


def flag_name(scope: Scope, option: Option) -> str:
    """`residual` for a sum with what came in, `with_shortcut` for a shortcut."""
    last = scope.items[option.last]
    if isinstance(last, OpItem) and isinstance(last.node.op, Add) and any(ref in scope.inputs for ref in last.inputs):
        return "residual"
    return f"with_{scope.items[option.first].attribute}"


def stands_for(scope: Scope, item: Item, argument: str, variant: Variant, options: Sequence[Option]) -> Ref | None:
    """The value of the variant whose channels an argument of a part that it lacks would be; `None` where there is none.

    What comes into a part is there without it, and what would come out is stood in for.
    """
    position = scope.items.index(item)
    option = next((option for option in options if position in option.positions), None)
    if option is None or not isinstance(item, OpItem):
        return None
    if argument == "in_features":
        return variant.means.get(item.inputs[0]) if item.inputs[0] is not None else None
    after = scope.items[position + 1 : option.last + 1]
    last = all(a.name != "out_features" for other in after if isinstance(other, OpItem) for a in other.piece.arguments)
    leaves = argument in ("out_features", "features") and last and all(isinstance(other, OpItem) for other in after)
    return variant.means.get(option.result) if leaves else None


def _layout(large: Sequence[Item], small: Sequence[Item], alike: Callable[[Item, Item], bool]) -> Layout | None:
    found: list[int | None] = []
    position = 0
    for item in large:
        same = position < len(small) and small[position].attribute == item.attribute and alike(item, small[position])
        found.append(position if same else None)
        position += same
    return tuple(found) if position == len(small) else None


def _meaning(large: Scope, small: Scope, layout: Layout) -> dict[Ref, Ref] | None:
    """For each value of the large scope the one of the small scope that stands in its place."""
    means = dict(zip(large.inputs, small.inputs, strict=True))

    def agree(one: Sequence[Ref | None], other: Sequence[Ref | None]) -> bool:
        for a, b in zip(one, other, strict=True):
            if (a is None) != (b is None) or (a is not None and b is not None and means.setdefault(a, b) != b):
                return False
        return len(one) == len(other)

    for item, position in zip(large.items, layout, strict=True):
        if position is not None:
            other = small.items[position]
            if len(item.inputs) != len(other.inputs) or not agree(item.inputs, other.inputs):
                return None
            means |= dict(zip(item.outputs, other.outputs, strict=True))
    fits = len(large.outputs) == len(small.outputs) and agree(large.outputs, small.outputs)
    return means if fits else None


def _rows(layout: Layout) -> list[range]:
    """The positions that are missing, as rows without a gap."""
    rows: list[range] = []
    for position, other in enumerate(layout):
        if other is None:
            if rows and rows[-1].stop == position:
                rows[-1] = range(rows[-1].start, position + 1)
            else:
                rows.append(range(position, position + 1))
    return rows


def _option(large: Scope, row: range, means: dict[Ref, Ref]) -> Option | None:
    """The row as an option, where just one of its values is used elsewhere, and another value can stand in for it."""
    made = {ref for position in row for ref in large.items[position].outputs}
    elsewhere = [ref for p, item in enumerate(large.items) if p not in row for ref in item.inputs]
    leaving = {ref for ref in (*elsewhere, *large.outputs) if ref in made}
    if len(leaving) != 1 or any(large.items[position].training_only for position in row):
        return None
    (result,) = leaving
    known = [*large.inputs, *(ref for item in large.items[: row.start] for ref in item.outputs)]
    instead = next((ref for ref in known if ref in means and means[ref] == means.get(result)), None)
    return Option(row.start, row.stop - 1, result, instead) if instead is not None else None
