"""Classes as text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from types import MappingProxyType
from typing import Any

from cnnspec.eject.arguments import Parameter
from cnnspec.eject.body import Body
from cnnspec.eject.classes import Class, Classes
from cnnspec.eject.expressions import input_names
from cnnspec.eject.layout import INDENT, Expression, Group, call, lines, parsed
from cnnspec.eject.pieces import Argument, literal
from cnnspec.eject.scopes import Item, ListItem, OpItem, Scope, ScopeItem
from cnnspec.eject.shared import Shared
from cnnspec.graph import Graph

RNGS = "rngs=rngs"
MODULE = "nnx.Module"


class ClassText:
    """The text of one class; the network is the class of `graph`, and `about` says what it is."""

    def __init__(
        self, classes: Classes, made: Class, shared: Mapping[str, Shared], graph: Graph | None = None, about: str = ""
    ) -> None:
        self.classes = classes
        self.made = made
        self.shared = shared
        self.graph = graph
        self.about = about
        self._places: Iterator[Parameter | None] = iter(made.places)

    def text(self) -> list[str]:
        """The lines of the class."""
        found = [f"class {self.made.name}({MODULE}):"]
        found += lines(self._docstring(), 1)
        return [*found, "", *self._init(), "", *self._call()]

    def _docstring(self) -> str:
        if self.graph is not None:
            return f'"""{self.about or f"The network `{self.graph.name}`."}"""'
        paths = sorted((scope.path for scope in self.made.instances), key=lambda path: self.classes.tree.under[path][0])
        shown = ", ".join(paths[:4]) + (f", ... ({len(paths)} of them)" if len(paths) > 4 else "")
        return f'"""At {shown}."""' if len(shown) < 100 else f'"""At {paths[0]} and {len(paths) - 1} other places."""'

    # --- __init__ ------------------------------------------------------------------------------------------

    def _init(self) -> list[str]:
        positional = [p for p in self.made.parameters if p.positional]
        others = [p for p in self.made.parameters if not p.positional]
        given = ["self", *(f"{p.name}: {p.annotation}" for p in positional), "*",
                 *(_keyword(p) for p in others), "rngs: nnx.Rngs"]  # fmt: skip
        found = lines(call("", given), 1, "def __init__", " -> None:")
        found += [f"{INDENT * 2}self.{flag} = {flag}" for flag in self.made.options]
        for position, item in enumerate(self.made.scope.items):
            flag = next((f for f, option in self.made.options.items() if position in option.positions), None)
            expression = self._made(item)
            if expression is None:
                continue
            if flag is not None and f"{INDENT * 2}if {flag}:" not in found:
                found.append(f"{INDENT * 2}if {flag}:")
            found += lines(expression, 2 if flag is None else 3, f"self.{item.attribute} = ")
        if self.graph is not None and any(item.training_only for item in self.made.scope.items):
            found.append(f"{INDENT * 2}self.deterministic = False")
        return found if found[-1].startswith(INDENT * 2) else [*found, f"{INDENT * 2}pass"]

    def _made(self, item: Item) -> Expression | None:
        if isinstance(item, OpItem):
            if not item.piece.make:
                return None
            shared = self.shared.get(item.piece.make)
            usual = shared.values if shared is not None else {}
            name = shared.name if shared is not None else item.piece.make
            return call(name, [*self._arguments(item.piece.arguments, usual), RNGS])
        if isinstance(item, ScopeItem):
            return self._module(item.scope)
        if item.numbered:
            return self._numbered(item)
        made = [self._module(scope) for scope in item.scopes]
        return call("nnx.List", [_row(made)])

    def _module(self, scope: Scope) -> Group:
        made = self.classes.of[id(scope)]
        arguments = [
            Argument(p.name, value, p.group, not p.positional, p.default)
            for p, value in zip(made.parameters, made.values_for(scope), strict=True)
        ]
        return call(made.name, [*self._arguments(tuple(arguments)), RNGS])

    def _numbered(self, item: ListItem) -> Expression:
        """A comprehension over the layers, whose arguments may grow with the number."""
        made = self.classes.of[id(item.scopes[0])]
        count = self._written(len(item.scopes))
        first, second = (made.values_for(scope) for scope in item.scopes[:2])
        parts, uses_number = [], False
        for parameter, one, other in zip(made.parameters, first, second, strict=True):
            start = self._written(one)
            step = self._written(0 if one == other else other - one)
            grows = step != "0"
            uses_number |= grows
            if not grows and parameter.default is not None and start == literal(parameter.default):
                continue
            text = f"{start} + {step} * i" if grows else start
            parts.append(text if parameter.positional else f"{parameter.name}={text}")
        inner = call(made.name, [*parts, RNGS])
        turn = "i" if uses_number else "_"
        return call("nnx.List", [Group("", (inner,), "[]", comprehension=f"for {turn} in range({count})")])

    def _arguments(
        self, arguments: tuple[Argument, ...], usual: Mapping[str, Any] = MappingProxyType({})
    ) -> list[Expression]:
        """Arguments as text, without those that have the `usual` value, or the layer's own where there is none."""
        found: list[Expression] = []
        for argument in arguments:
            parameter = next(self._places)
            default = usual.get(argument.name, argument.default)
            if parameter is None and default is not None and argument.value == default:
                continue
            head = f"{argument.name}=" if argument.keyword else ""
            found.append(_literal(argument.value, head) if parameter is None else f"{head}{parameter.name}")
        return found

    def _written(self, value: Any) -> str:
        parameter = next(self._places)
        return literal(value) if parameter is None else parameter.name

    # --- __call__ ------------------------------------------------------------------------------------------

    def _call(self) -> list[str]:
        scope = self.made.scope
        if self.graph is not None:
            return self._call_of_network(self.graph)
        names = input_names(len(scope.inputs))
        body = Body(scope, names, self.made.options)
        body.run(scope.items)
        given = ", ".join(f"{name}: jax.Array" for name in names)
        values = [body.value(ref) for ref in scope.outputs]
        kind = "jax.Array" if len(values) == 1 else f"tuple[{', '.join(['jax.Array'] * len(values))}]"
        found = [f"{INDENT}def __call__(self, {given}) -> {kind}:"]
        return [*found, *statements(body.result(", ".join(values)))]

    def _call_of_network(self, graph: Graph) -> list[str]:
        """What exists only in training is computed where it stands, or behind the return of inference."""
        scope = self.made.scope
        names = [("x" if entry.name == "input" else entry.name) for entry in graph.inputs]
        given = [f"{name}: jax.Array" + (" | None = None" if entry.optional else "")
                 for name, entry in zip(names, graph.inputs, strict=True)]  # fmt: skip
        several = len(graph.outputs) > 1
        kind = "dict[str, jax.Array]" if several else "jax.Array"
        body = Body(scope, names)
        found = lines(call("", ["self", *given]), 1, "def __call__", f" -> {kind}:")
        parts = [(only, list(items)) for only, items in groupby(scope.items, lambda item: item.training_only)]
        late = parts.pop()[1] if parts and parts[-1][0] else []
        for only, items in parts:
            if only:
                body.guarded(
                    "not self.deterministic", items, {r: item.attribute for item in items for r in item.outputs}
                )
            else:
                body.run(items)
        training = {ref for item in scope.items if item.training_only for ref in item.outputs}
        if training:
            early = {name: body.value(ref) for name, ref in graph.outputs.items() if ref not in training}
            body.lines += ["if self.deterministic:", f"{INDENT}return {_mapping(early)}"]
            body.name(
                {
                    ref: name
                    for name, ref in graph.outputs.items()
                    if ref in training and name not in body.names.values()
                }
            )
        body.run(late)
        values = {name: body.value(ref) for name, ref in graph.outputs.items()}
        return [*found, *statements(body.result(_mapping(values) if several else next(iter(values.values()))))]


def _keyword(parameter: Parameter) -> str:
    default = "" if parameter.default is None else f" = {literal(parameter.default)}"
    return f"{parameter.name}: {parameter.annotation}{default}"


def statements(body: list[str]) -> list[str]:
    """The statements of a method as lines, long ones broken within their brackets."""
    found = []
    for line in body:
        inner = line.lstrip(" ")
        head, text = re.fullmatch(r"(return |[\w, ]+ = |)(.*)", inner).groups()  # type: ignore[union-attr]
        found += lines(parsed(text), 2 + (len(line) - len(inner)) // len(INDENT), head)
    return found


def _literal(value: Any, head: str = "") -> Expression:
    """A value that can be broken over lines where it is a long table."""
    if isinstance(value, tuple) and len(value) > 1:
        return Group(head, tuple(_literal(item) for item in value))
    return f"{head}{literal(value)}"


def _mapping(values: dict[str, str]) -> str:
    return "{" + ", ".join(f'"{name}": {value}' for name, value in values.items()) + "}"


def _row(made: list[Group]) -> Group:
    """A list of modules; three or more that are made alike are a comprehension."""
    runs: list[tuple[Group, int]] = []
    for one in made:
        if runs and runs[-1][0] == one:
            runs[-1] = (one, runs[-1][1] + 1)
        else:
            runs.append((one, 1))
    if len(runs) == 1 and runs[0][1] > 1:
        return Group("", (runs[0][0],), "[]", comprehension=f"for _ in range({runs[0][1]})")
    parts: list[Expression] = []
    for one, count in runs:
        if count > 2:
            parts.append(Group("*", (one,), "()", comprehension=f"for _ in range({count})"))
        else:
            parts += [one] * count
    return Group("", tuple(parts), "[]")
