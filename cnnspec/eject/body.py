"""The `__call__` of a class: its items as statements, with few variables and in the order of the graph."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from cnnspec.eject.layout import INDENT, WIDTH
from cnnspec.eject.scopes import Item, ListItem, OpItem, Scope, ScopeItem
from cnnspec.graph import Ref
from cnnspec.ops.activation import Activation

#: An expression that needs no brackets around it: a name, a call, an index.
_ATOM = re.compile(r"[\w.]+(\(.*\)|\[[^\]]*\])?")


class Body:
    """Writes the statements of one scope.

    A variable is used again when what it held is needed no more, so that a chain reads `x = ...` throughout; an
    activation or a normalisation is written around what it follows.
    """

    def __init__(self, scope: Scope, inputs: list[str]) -> None:
        self.scope = scope
        self.left = Counter(r for item in scope.items for r in item.inputs if r is not None)
        self.left.update(scope.outputs)
        self.names: dict[Ref, str] = dict(zip(scope.inputs, inputs, strict=True))
        self.lines: list[str] = []
        self._inline: dict[Ref, str] = {}
        self._free: list[str] = []

    def run(self, items: list[Item]) -> None:
        """Add the statements of items, in order."""
        for position, item in enumerate(items):
            following = items[position + 1] if position + 1 < len(items) else None
            self._item(item, following)

    def value(self, ref: Ref) -> str:
        """The variable, or the expression, of an output."""
        return self._inline.get(ref) or self.names[ref]

    def result(self, text: str) -> list[str]:
        """The statements, and the one that returns `text`: the last value is returned without a name."""
        last = self.lines[-1] if self.lines else ""
        if last.startswith(f"{text} = "):
            return [*self.lines[:-1], f"return {last.removeprefix(f'{text} = ')}"]
        return [*self.lines, f"return {text}"]

    def _item(self, item: Item, following: Item | None) -> None:
        present = [ref for ref in item.inputs if ref is not None]
        operands = ["None" if ref is None else self.value(ref) for ref in item.inputs]
        self.left.subtract(present)
        live = {self.names[ref] for ref, count in self.left.items() if count > 0 and ref in self.names}
        used = [self.names[ref] for ref in dict.fromkeys(present) if ref in self.names]
        self._free = [name for name in dict.fromkeys([*self._free, *used]) if name not in live]
        if isinstance(item, ListItem):
            self._loop(item, operands[0], live)
            return
        expression = _expression(item, operands)
        (first, *others) = item.outputs
        if expression in self.names.values() and not others:  # nothing happens: another name for the same
            self.names[first] = expression
            return
        if not others and self._goes_in(item, first, expression, following):
            self._inline[first] = expression
            return
        targets: list[str] = []
        for ref in item.outputs:
            self.names[ref] = self._target(item, live | set(targets))
            targets.append(self.names[ref])
        self.lines.append(f"{', '.join(targets)} = {expression}")
        self._free = []

    def _goes_in(self, item: Item, output: Ref, expression: str, following: Item | None) -> bool:
        """Whether the value is written within the statement that follows, instead of getting a name."""
        if not isinstance(following, OpItem) or self.left[output] != 1 or output not in following.inputs:
            return False
        together = isinstance(item, OpItem) and item.unit == following.unit
        alone = following.piece.use.count("{0}") == 1 and len(following.inputs) == 1
        fits = len(f"{INDENT * 2}classifier = nnx.relu(self.{following.attribute}({expression}))") < WIDTH - 10
        return alone and fits and (together or isinstance(following.node.op, Activation))

    def _loop(self, item: ListItem, operand: str, live: set[str]) -> None:
        target = operand if operand in self._free else self._target(item, live)
        if target != operand:
            self.lines.append(f"{target} = {operand}")
        turn = "layer" if item.numbered else "block"
        turn = turn if turn != target else "module"
        self.lines += [f"for {turn} in self.{item.attribute}:", f"{INDENT}{target} = {turn}({target})"]
        self.names[item.outputs[0]] = target
        self._free = []

    def _target(self, item: Item, live: set[str]) -> str:
        """The name for a new value: one that is free, else `x` or `y`, else the attribute's."""
        candidates = [*self._free, "x", "y", item.attribute, *(f"{item.attribute}_{n}" for n in range(2, 100))]
        return next(name for name in candidates if name not in live)


def _expression(item: Item, operands: list[str]) -> str:
    if isinstance(item, ScopeItem):
        return f"self.{item.attribute}({', '.join(operands)})"
    assert isinstance(item, OpItem)
    use = item.piece.use
    if use == "{0}":
        return operands[0]
    for number, operand in enumerate(operands):
        within = re.search(rf"[(\[]\{{{number}\}}[,)\]]", use) or _ATOM.fullmatch(operand)
        use = use.replace(f"{{{number}}}", operand if within else f"({operand})")
    return use.replace("{self}", f"self.{item.attribute}")


def input_names(count: int) -> list[str]:
    """`x`, or `x1`, `x2`, ... where there are several."""
    return ["x"] if count == 1 else [f"x{number}" for number in range(1, count + 1)]


def joined(names: Iterable[str]) -> str:
    """Names between commas."""
    return ", ".join(names)
