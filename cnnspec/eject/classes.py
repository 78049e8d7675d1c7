"""From scopes to classes: scopes of one form are one class, and what differs between them is its arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import combinations, pairwise
from typing import Any

from cnnspec.eject.arguments import ABSENT, Parameter, Place, filled, free_name, parameter_names
from cnnspec.eject.pieces import Argument
from cnnspec.eject.scopes import Item, ListItem, OpItem, Scope, ScopeItem, ScopeTree, camel
from cnnspec.eject.variants import Option, Variant, embedded, flag_name, stands_for
from cnnspec.graph import Ref

#: Layers `conv1`, `conv2`, ... from which they are a list.
LEAST_NUMBERED = 3


@dataclass
class Class:
    """One class of the file, made from all scopes of its form."""

    name: str
    instances: list[Scope]
    parameters: list[Parameter] = field(default_factory=list)
    #: For every argument within the class, in order: which of its parameters it is, or `None` for a literal.
    places: list[Parameter | None] = field(default_factory=list)
    #: Parts that only some instances have, by the flag that says so.
    options: dict[str, Option] = field(default_factory=dict)
    #: The instances that lack some, by their identity.
    variants: dict[int, Variant] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        """One of its scopes, with all parts; the others are of the same form, or lack some."""
        return self.instances[0]

    def values_for(self, scope: Scope) -> list[Any]:
        """The arguments that make it `scope`."""
        index = next(i for i, other in enumerate(self.instances) if other is scope)
        return [parameter.values[index] for parameter in self.parameters]


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
            for made in self._with_variants(list(forms.values())):
                self._find_parameters(made)
                self.found.append(made)
        self._name_apart()

    def _with_variants(self, classes: list[Class]) -> list[Class]:
        """The classes, those left out that are another one without some of its parts."""
        kept: list[Class] = []
        for made in sorted(classes, key=lambda made: -len(made.scope.items)):
            larger = next((other for other in kept if other.name == made.name and self._take_up(other, made)), None)
            if larger is None:
                kept.append(made)
        return [made for made in classes if made in kept]

    def _take_up(self, large: Class, small: Class) -> bool:
        """Make the instances of `small` instances of `large`, where they are that without some parts."""
        found = embedded(large.scope, small.scope, lambda one, other: self._form_of(one) == self._form_of(other))
        if found is None:
            return False
        variant, options = found
        named = {flag_name(large.scope, option): option for option in options}
        both = {**large.options, **named}
        rows = [option.positions for option in both.values()]
        apart = all(not set(one) & set(other) for one, other in combinations(rows, 2))
        same = all(large.options.get(flag, option) == option for flag, option in named.items())
        if len(named) < len(options) or not apart or not same or not self._known(large, variant, options):
            return False
        large.options = both
        for scope in small.instances:
            large.instances.append(scope)
            large.variants[id(scope)] = self._variant(large, scope)
            self.of[id(scope)] = large
        return True

    def _variant(self, large: Class, scope: Scope) -> Variant:
        found = embedded(large.scope, scope, lambda one, other: self._form_of(one) == self._form_of(other))
        assert found is not None
        return found[0]

    def _known(self, large: Class, variant: Variant, options: list[Option]) -> bool:
        """Whether every number of channels that the class is made with is known without the parts that are missing."""
        known: set[tuple[Any, ...]] = set()
        lacking: set[tuple[Any, ...]] = set()
        whole = [scope for scope in large.instances if id(scope) not in large.variants]
        for position, item in enumerate(large.scope.items):
            columns = zip(*(self.places_of(scope.items[position]) for scope in whole), strict=True)
            for places in columns:
                if places[0].argument.group == "features":
                    missing = (
                        variant.layout[position] is None
                        and stands_for(large.scope, item, places[0].argument.name, variant, options) is None
                    )
                    (lacking if missing else known).add(tuple(place.argument.value for place in places))
        return lacking <= known

    def places(self, scope: Scope) -> list[Place]:
        """Every value that the class of a scope makes its attributes with, in the order of the text."""
        return [place for item in scope.items for place in self.places_of(item)]

    def places_of(self, item: Item) -> list[Place]:
        """The values that one attribute is made with."""
        if isinstance(item, OpItem):
            return [Place(item.attribute, argument) for argument in item.piece.arguments]
        if isinstance(item, ScopeItem):
            return self._arguments(item.attribute, item.scope)
        if not item.numbered:
            return [place for inner in item.scopes for place in self._arguments(item.attribute, inner)]
        found = [Place(item.attribute, Argument("layers", len(item.scopes)))]
        first, second = (self._arguments(item.attribute, inner) for inner in item.scopes[:2])
        for one, other in zip(first, second, strict=True):
            found += [one, Place(item.attribute, Argument("step", _step(one, other)))]
        return found

    def _arguments(self, attribute: str, scope: Scope) -> list[Place]:
        made = self.of[id(scope)]
        return [
            Place(attribute, Argument(p.name, value, p.group, not p.positional, p.default))
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
        return [single for item in found for single in _worth_a_list(item)]

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
        """What differs between the instances becomes parameters; places that always have one value share one."""
        rows = [self._row(made, scope) for scope in made.instances]
        found: list[tuple[str, list[Any], list[int]]] = []
        for index, places in enumerate(zip(*rows, strict=True)):
            values = [place.argument.value if place is not None else ABSENT for place in places]
            if all(value is ABSENT or value == values[0] for value in values):
                continue
            group = rows[0][index].argument.group  # type: ignore[union-attr]  # the first instance lacks nothing
            for other, known, indices in found:
                if other == group and all(ABSENT in (a, b) or a == b for a, b in zip(known, values, strict=True)):
                    known[:] = [b if a is ABSENT else a for a, b in zip(known, values, strict=True)]
                    indices.append(index)
                    break
            else:
                found.append((group, values, [index]))
        made.places = [None] * len(rows[0])
        names = parameter_names([[rows[0][i] for i in indices] for _, _, indices in found])  # type: ignore[misc]
        for (group, values, indices), name in zip(found, names, strict=True):
            default = rows[0][indices[0]].argument.default  # type: ignore[union-attr]
            parameter = Parameter(name, group, *filled(values, default))
            made.parameters.append(parameter)
            for index in indices:
                made.places[index] = parameter
        for flag, option in made.options.items():
            lacking = {i for i, v in made.variants.items() if v.layout[option.first] is None}
            has = [id(scope) not in lacking for scope in made.instances]
            made.parameters.append(Parameter(flag, "flag", has, 2 * sum(has) >= len(has)))
        made.parameters.sort(key=lambda parameter: not parameter.positional)

    def _row(self, made: Class, scope: Scope) -> list[Place | None]:
        """The places of an instance in the order of the class; `None` for those that it lacks."""
        variant = made.variants.get(id(scope))
        if variant is None:
            return list(self.places(scope))
        found: list[Place | None] = []
        for item, position in zip(made.scope.items, variant.layout, strict=True):
            if position is not None:
                found += self.places_of(scope.items[position])
                continue
            for place in self.places_of(item):
                ref = stands_for(made.scope, item, place.argument.name, variant, list(made.options.values()))
                channels = self.tree.graph.type_of(ref).channels if ref is not None else None
                found.append(replace(place, argument=replace(place.argument, value=channels)) if channels else None)
        return found

    def _name_apart(self) -> None:
        """Classes of one name get what sets them apart from the most frequent one behind it."""
        for name in {made.name for made in self.found}:
            alike = [made for made in self.found if made.name == name]
            usual = max(alike, key=lambda made: len(made.instances))
            taken = {made.name for made in self.found}
            for made in alike:
                if made is not usual:
                    made.name = free_name(name + _difference(made.scope, usual.scope), taken)
                    taken.add(made.name)


def _height(scope: Scope) -> int:
    inner = [
        s
        for item in scope.items
        for s in ([item.scope] if isinstance(item, ScopeItem) else getattr(item, "scopes", []))
    ]
    return 1 + max(map(_height, inner), default=0)


def _worth_a_list(item: Item) -> list[Item]:
    """A short list of numbered layers as what it was."""
    if isinstance(item, ListItem) and item.numbered and len(item.scopes) < LEAST_NUMBERED:
        return [ScopeItem(f"{item.attribute[:-1]}{i}", scope) for i, scope in enumerate(item.scopes, 1)]
    return [item]


def _even(values: list[Any]) -> bool:
    if all(value == values[0] for value in values):
        return True
    whole = all(isinstance(value, int) and not isinstance(value, bool) for value in values)
    return whole and all(b - a == values[1] - values[0] for a, b in pairwise(values))


def _step(one: Place, other: Place) -> int:
    same = one.argument.value == other.argument.value
    return 0 if same else int(other.argument.value) - int(one.argument.value)


def _difference(scope: Scope, usual: Scope) -> str:
    """`WithShortcut`, or `WithoutExpandAndAdd`; nothing where the attributes are the same."""
    mine, theirs = ([item.attribute for item in s.items] for s in (scope, usual))
    more = _heads([name for name in mine if name not in theirs])
    less = _heads([name for name in theirs if name not in mine])
    word, names = ("With", more) if more else ("Without", less)
    return word + "And".join(camel(name) for name in names) if 0 < len(names) <= 2 else ""


def _heads(names: list[str]) -> list[str]:
    """Names without those that belong to another: `shortcut` for `shortcut` and `shortcut_norm`."""
    return [name for name in names if not any(name.startswith(f"{other}_") for other in names)]
