"""Classes as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cnnspec.eject.body import Body, input_names
from cnnspec.eject.classes import Class, Classes, Parameter
from cnnspec.eject.layout import INDENT, Expression, Group, call, lines
from cnnspec.eject.pieces import Argument, literal
from cnnspec.eject.scopes import Item, ListItem, OpItem, Scope, ScopeItem
from cnnspec.graph import Graph

RNGS = "rngs=rngs"
MODULE = "nnx.Module"


class ClassText:
    """The text of one class; the network is the class of `graph`."""

    def __init__(self, classes: Classes, made: Class, graph: Graph | None = None) -> None:
        self.classes = classes
        self.made = made
        self.graph = graph
        self._places: Iterator[Parameter | None] = iter(made.places)

    def text(self) -> list[str]:
        """The lines of the class."""
        found = [f"class {self.made.name}({MODULE}):"]
        found += lines(self._docstring(), 1)
        return [*found, "", *self._init(), "", *self._call()]

    def _docstring(self) -> str:
        if self.graph is not None:
            return f'"""The network `{self.graph.name}`."""'
        paths = [scope.path for scope in self.made.instances]
        shown = ", ".join(paths[:4]) + (f", ... ({len(paths)} of them)" if len(paths) > 4 else "")
        return f'"""At {shown}."""' if len(shown) < 100 else f'"""At {paths[0]} and {len(paths) - 1} other places."""'

    # --- __init__ ------------------------------------------------------------------------------------------

    def _init(self) -> list[str]:
        positional = [p for p in self.made.parameters if p.positional]
        others = [p for p in self.made.parameters if not p.positional]
        given = ["self", *(f"{p.name}: {p.annotation}" for p in positional), "*",
                 *(f"{p.name}: {p.annotation}" for p in others), "rngs: nnx.Rngs"]  # fmt: skip
        found = lines(call("", given), 1, "def __init__", " -> None:")
        for item in self.made.scope.items:
            expression = self._made(item)
            if expression is not None:
                found += lines(expression, 2, f"self.{item.attribute} = ")
        if self.graph is not None and any(item.training_only for item in self.made.scope.items):
            found.append(f"{INDENT * 2}self.deterministic = False")
        return found

    def _made(self, item: Item) -> Expression | None:
        if isinstance(item, OpItem):
            if not item.piece.make:
                return None
            return call(item.piece.make, [*self._arguments(item.piece.arguments), RNGS])
        if isinstance(item, ScopeItem):
            return self._module(item.scope)
        if item.numbered:
            return self._numbered(item)
        made = [self._module(scope) for scope in item.scopes]
        return call("nnx.List", [_row(made)])

    def _module(self, scope: Scope) -> Group:
        made = self.classes.of[id(scope)]
        arguments = [
            Argument(p.name, value, p.group, not p.positional)
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
            text = f"{start} + {step} * i" if grows else start
            parts.append(text if parameter.positional else f"{parameter.name}={text}")
        inner = call(made.name, [*parts, RNGS])
        turn = "i" if uses_number else "_"
        return call("nnx.List", [Group("", (inner,), "[]", comprehension=f"for {turn} in range({count})")])

    def _arguments(self, arguments: tuple[Argument, ...]) -> list[Expression]:
        found: list[Expression] = []
        for argument in arguments:
            parameter = next(self._places)
            if parameter is None and argument.default is not None and argument.value == argument.default:
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
        body = Body(scope, names)
        body.run(scope.items)
        given = ", ".join(f"{name}: jax.Array" for name in names)
        values = [body.value(ref) for ref in scope.outputs]
        kind = "jax.Array" if len(values) == 1 else f"tuple[{', '.join(['jax.Array'] * len(values))}]"
        found = [f"{INDENT}def __call__(self, {given}) -> {kind}:"]
        return [*found, *(f"{INDENT * 2}{line}" for line in body.result(", ".join(values)))]

    def _call_of_network(self, graph: Graph) -> list[str]:
        """Inference returns before what exists only in training; several outputs are a mapping."""
        scope = self.made.scope
        names = [("x" if entry.name == "input" else entry.name) for entry in graph.inputs]
        given = [f"{name}: jax.Array" + (" | None = None" if entry.optional else "")
                 for name, entry in zip(names, graph.inputs, strict=True)]  # fmt: skip
        several = len(graph.outputs) > 1
        kind = "dict[str, jax.Array]" if several else "jax.Array"
        body = Body(scope, names)
        always = [item for item in scope.items if not item.training_only]
        training = [item for item in scope.items if item.training_only]
        found = lines(call("", ["self", *given]), 1, "def __call__", f" -> {kind}:")
        body.run(always)
        late = {ref for item in training for ref in item.outputs}
        if training:
            early = {name: body.value(ref) for name, ref in graph.outputs.items() if ref not in late}
            body.lines += ["if self.deterministic:", f"{INDENT}return {_mapping(early)}"]
            body.run(training)
        values = {name: body.value(ref) for name, ref in graph.outputs.items()}
        result = body.result(_mapping(values) if several else next(iter(values.values())))
        return [*found, *(f"{INDENT * 2}{line}" for line in result)]


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
