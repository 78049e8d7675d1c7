"""From scopes to classes: scopes of one form are one class, and what differs between them is its arguments."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from cnnspec.eject.pieces import Argument
from cnnspec.eject.scopes import Item, ListItem, OpItem, Scope, ScopeItem, ScopeTree, camel
from cnnspec.graph import Ref


@dataclass
class Parameter:
    """An argument of a class, with its value for each instance of the class."""

    name: str
    group: str
    values: list[Any]

    @property
    def positional(self) -> bool:
        return self.group == "features"

    @property
    def annotation(self) -> str:
        kinds = {_annotation(value) for value in self.values}
        return " | ".join(sorted(kinds))


@dataclass
class Class:
    """One class of the file, made from all scopes of its form."""

    name: str
    instances: list[Scope]
    parameters: list[Parameter] = field(default_factory=list)
    #: For every argument within the class, in order: which of its parameters it is, or `None` for a literal.
    places: list[Parameter | None] = field(default_factory=list)

    @property
    def scope(self) -> Scope:
        """One of its scopes; the others are of the same form."""
        return self.instances[0]

    def values_for(self, scope: Scope) -> list[Any]:
        """The arguments that make it `scope`."""
        index = next(i for i, other in enumerate(self.instances) if other is scope)
        return [parameter.values[index] for parameter in self.parameters]


@dataclass(frozen=True)
class Place:
    """One value in a class: the attribute that is made with it, and the argument."""

    attribute: str
    argument: Argument


class Classes:
    """The classes of a file, inner ones first; the last one is the network."""

    def __init__(self, root: Scope, tree: ScopeTree) -> None:
        self.tree = tree
        self.of: dict[int, Class] = {}
        self.found: list[Class] = []
        by_height: dict[int, list[Scope]] = {}
        for scope in [*root.inner(), root]:
            by_height.setdefault(_height(scope), []).append(scope)
        for _, scopes in sorted(by_height.items()):
            forms: dict[object, Class] = {}
            for scope in scopes:
                if scope is not root:
                    scope.items = self._numbered(scope.items)
                made = forms.setdefault(self._form(scope), Class(scope.name, []))
                made.instances.append(scope)
                self.of[id(scope)] = made
            for made in forms.values():
                self._find_parameters(made)
                self.found.append(made)
        self._name_apart()

    def places(self, scope: Scope) -> list[Place]:
        """Every value that the class of a scope makes its attributes with, in the order of the text."""
        found: list[Place] = []
        for item in scope.items:
            if isinstance(item, OpItem):
                found += [Place(item.attribute, argument) for argument in item.piece.arguments]
            elif isinstance(item, ScopeItem):
                found += self._arguments(item.attribute, item.scope)
            elif item.numbered:
                found.append(Place(item.attribute, Argument("layers", len(item.scopes))))
                first = self._arguments(item.attribute, item.scopes[0])
                second = self._arguments(item.attribute, item.scopes[1])
                for one, other in zip(first, second, strict=True):
                    found.append(one)
                    found.append(Place(item.attribute, Argument("step", _step(one, other))))
            else:
                for inner in item.scopes:
                    found += self._arguments(item.attribute, inner)
        return found

    def _arguments(self, attribute: str, scope: Scope) -> list[Place]:
        made = self.of[id(scope)]
        return [
            Place(attribute, Argument(p.name, value, p.group, not p.positional))
            for p, value in zip(made.parameters, made.values_for(scope), strict=True)
        ]

    def _numbered(self, items: list[Item]) -> list[Item]:
        """Items with `layer1`, `layer2`, ... as one list, where they are of one class and their arguments grow evenly."""
        found: list[Item] = []
        for item in items:
            last = found[-1] if found else None
            match = re.fullmatch(r"(\D*[A-Za-z])(\d+)", item.attribute)
            if not isinstance(item, ScopeItem) or match is None:
                found.append(item)
            elif match[2] == "1":
                found.append(ListItem(f"{match[1]}s", [item.scope], numbered=True))
            elif isinstance(last, ListItem) and self._goes_on(last, match, item.scope):
                last.scopes.append(item.scope)
            else:
                found.append(item)
        return [_single(item) for item in found]

    def _goes_on(self, row: ListItem, match: re.Match[str], scope: Scope) -> bool:
        if not row.numbered or row.attribute != f"{match[1]}s" or int(match[2]) != len(row.scopes) + 1:
            return False
        if self.of[id(scope)] is not self.of[id(row.scopes[0])] or not self.tree.chained([*row.scopes, scope]):
            return False
        made = self.of[id(scope)]
        rows = [made.values_for(s) for s in [*row.scopes, scope]]
        return all(_even(list(column)) for column in zip(*rows, strict=True))

    def _form(self, scope: Scope) -> object:
        """What scopes of one class have in common: everything but the values of arguments."""
        numbers: dict[Ref, int] = {ref: index for index, ref in enumerate(scope.inputs)}
        parts: list[object] = [scope.name, len(scope.inputs)]
        for item in scope.items:
            parts.append((item.attribute, self._form_of(item), item.training_only))
            parts.append(tuple(None if ref is None else numbers[ref] for ref in item.inputs))
            for ref in item.outputs:
                numbers[ref] = len(numbers)
        parts.append(tuple(numbers[ref] for ref in scope.outputs))
        return tuple(parts)

    def _form_of(self, item: Item) -> object:
        if isinstance(item, OpItem):
            return (item.piece.make, item.piece.use, tuple(a.name for a in item.piece.arguments))
        if isinstance(item, ScopeItem):
            return id(self.of[id(item.scope)])
        if item.numbered:
            return ("numbered", id(self.of[id(item.scopes[0])]))
        return tuple(id(self.of[id(scope)]) for scope in item.scopes)

    def _find_parameters(self, made: Class) -> None:
        rows = [self.places(scope) for scope in made.instances]
        found: dict[tuple[str, tuple[Any, ...]], list[int]] = {}
        for index, places in enumerate(zip(*rows, strict=True)):
            values = [place.argument.value for place in places]
            if any(value != values[0] for value in values):
                found.setdefault((places[0].argument.group, tuple(values)), []).append(index)
        made.places = [None] * len(rows[0])
        names = _names([[rows[0][i] for i in indices] for indices in found.values()])
        for ((group, equal), indices), name in zip(found.items(), names, strict=True):
            parameter = Parameter(name, group, list(equal))
            made.parameters.append(parameter)
            for index in indices:
                made.places[index] = parameter
        made.parameters.sort(key=lambda parameter: not parameter.positional)

    def _name_apart(self) -> None:
        """Classes of one name get what sets them apart from the most frequent one behind it."""
        for name in {made.name for made in self.found}:
            alike = [made for made in self.found if made.name == name]
            usual = max(alike, key=lambda made: len(made.instances))
            taken = {made.name for made in self.found}
            for made in alike:
                if made is not usual:
                    made.name = _free(name + _difference(made.scope, usual.scope), taken)
                    taken.add(made.name)


def _height(scope: Scope) -> int:
    inner = [
        s
        for item in scope.items
        for s in ([item.scope] if isinstance(item, ScopeItem) else getattr(item, "scopes", []))
    ]
    return 1 + max(map(_height, inner), default=0)


def _single(item: Item) -> Item:
    """A list of one as what it was."""
    if isinstance(item, ListItem) and item.numbered and len(item.scopes) == 1:
        return ScopeItem(f"{item.attribute[:-1]}1", item.scopes[0])
    return item


def _even(values: list[Any]) -> bool:
    if all(value == values[0] for value in values):
        return True
    whole = all(isinstance(value, int) and not isinstance(value, bool) for value in values)
    return whole and all(b - a == values[1] - values[0] for a, b in pairwise(values))


def _step(one: Place, other: Place) -> int:
    same = one.argument.value == other.argument.value
    return 0 if same else int(other.argument.value) - int(one.argument.value)


def _names(groups: list[list[Place]]) -> list[str]:
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
        names.append(_free(wanted, set(names)))
    return names


def _free(name: str, taken: set[str]) -> str:
    unique, number = name, 1
    while unique in taken:
        number += 1
        unique = f"{name}{number}"
    return unique


def _difference(scope: Scope, usual: Scope) -> str:
    """`WithShortcut`, `WithoutExpandAndAdd`; nothing where the attributes are the same."""
    mine, theirs = ([item.attribute for item in s.items] for s in (scope, usual))
    more = _heads([name for name in mine if name not in theirs])
    less = _heads([name for name in theirs if name not in mine])
    text = "".join(
        word + "And".join(camel(name) for name in names) for word, names in (("With", more), ("Without", less)) if names
    )
    return text if len(more) <= 2 and len(less) <= 2 else ""


def _heads(names: list[str]) -> list[str]:
    """Names without those that belong to another: `shortcut` for `shortcut` and `shortcut_norm`."""
    return [name for name in names if not any(name.startswith(f"{other}_") for other in names)]


def _annotation(value: Any) -> str:
    if isinstance(value, tuple):
        return f"tuple[{', '.join(_annotation(item) for item in value)}]"
    return "nnx.Initializer" if type(value).__name__ == "Code" else type(value).__name__
