"""What most layers of a kind are made with, written once: `Conv = partial(nnx.Conv, use_bias=False)`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cnnspec.eject.classes import Class, Classes
from cnnspec.eject.pieces import Argument, literal
from cnnspec.eject.scopes import OpItem

#: Layers of a kind from which it is worth a line of its own.
LEAST = 3
#: What a reader looks for where the layer is made.
AT_THE_LAYER = frozenset({"kernel_size", "strides", "padding", "kernel_dilation", "feature_group_count"})


@dataclass(frozen=True)
class Shared:
    """A layer of Flax with values of its own for some keywords."""

    name: str
    make: str
    values: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The line that defines it."""
        given = ", ".join(f"{name}={literal(value)}" for name, value in self.values.items())
        return f"{self.name} = partial({self.make}, {given})"


def find_shared(classes: Classes) -> dict[str, Shared]:
    """By the layer of Flax, what is shared; layers of which few are made, or no two alike, are left as they are."""
    sites: dict[str, list[dict[str, Argument]]] = {}
    for made in classes.found:
        for make, arguments in _literals(made, classes):
            sites.setdefault(make, []).append(arguments)
    taken = {made.name for made in classes.found}
    found = {}
    for make, rows in sites.items():
        name = make.removeprefix("nnx.")
        values = dict(_usual(rows)) if len(rows) >= LEAST and make != name and name not in taken else {}
        if values:
            found[make] = Shared(name, make, values)
    return found


def _literals(made: Class, classes: Classes) -> Iterator[tuple[str, dict[str, Argument]]]:
    """For each layer in a class, the keywords that are given as literals."""
    places = iter(zip(classes.places(made.scope), made.places, strict=True))
    for item in made.scope.items:
        if isinstance(item, OpItem):
            given = [next(places) for _ in item.piece.arguments]
            if item.piece.make:
                yield (
                    item.piece.make,
                    {p.argument.name: p.argument for p, parameter in given if parameter is None and p.argument.keyword},
                )
        else:
            for _ in classes.places_of(item):
                next(places)


def _usual(rows: list[dict[str, Argument]]) -> Iterator[tuple[str, Any]]:
    """The keywords whose most frequent value is not Flax's own, in the order of the layer's arguments."""
    for name in dict.fromkeys(name for row in rows for name in row if name not in AT_THE_LAYER):
        counts = Counter(row[name].value for row in rows if name in row)
        value, count = counts.most_common(1)[0]
        default = next(row[name].default for row in rows if name in row)
        if value != default and count >= LEAST and 2 * count > len(rows):
            yield name, value
