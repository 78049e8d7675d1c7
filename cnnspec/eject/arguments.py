"""The arguments of a class: what differs between the places that are made of it, under names of their own."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from cnnspec.eject.pieces import Argument, Code

#: The value of an argument where the part that it belongs to is missing.
ABSENT = object()
#: What is given for it.
NOTHING = Code("None")


@dataclass
class Parameter:
    """An argument of a class, with its value for each instance of the class."""

    name: str
    group: str
    values: list[Any]
    #: The value that may be left out, where one of the instances has it.
    default: Any = None

    @property
    def positional(self) -> bool:
        return self.group == "features"

    @property
    def annotation(self) -> str:
        kinds = {_annotation(value) for value in self.values}
        return " | ".join(sorted(kinds, key=lambda kind: (kind == "None", kind)))


@dataclass(frozen=True)
class Place:
    """One value in a class: the attribute that is made with it, and the argument."""

    attribute: str
    argument: Argument


def filled(values: list[Any], default: Any) -> tuple[list[Any], Any]:
    """Values of a parameter with those filled in that matter to nobody, and its default, where it has one."""
    known = [value for value in values if value is not ABSENT]
    usual = next((value for value in known if value == default), None) if default is not None else None
    if usual is None and len(known) < len(values):
        usual = NOTHING
    return [usual if value is ABSENT else value for value in values], usual


def parameter_names(groups: list[list[Place]]) -> list[str]:
    """A name for each group of places that always have the same value."""
    plain = []
    for places in groups:
        chosen = next((p for p in places if not p.argument.name.startswith("in_")), places[0])
        name = chosen.argument.name
        if places[0].argument.name == "in_features":  # what comes in, and perhaps goes out
            chosen, name = places[0], "in_features" if name.startswith("in_") else "features"
        plain.append((chosen, name))
    counts = Counter(name for _, name in plain)
    names: list[str] = []
    for place, name in plain:
        wanted = name
        if counts[name] > 1 or name in ("out_features", "step"):
            short = name.removeprefix("out_").removeprefix(f"{place.attribute}_")
            wanted = f"{place.attribute}_{short}"
        names.append(free_name(wanted, set(names)))
    return names


def free_name(name: str, taken: set[str]) -> str:
    unique, number = name, 1
    while unique in taken:
        number += 1
        unique = f"{name}{number}"
    return unique


def _annotation(value: Any) -> str:
    if isinstance(value, tuple):
        return f"tuple[{', '.join(_annotation(item) for item in value)}]"
    if isinstance(value, Code):
        return "None" if value is NOTHING else "nnx.Initializer"
    return type(value).__name__
