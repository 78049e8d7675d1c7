"""The `__call__` of a class: its items as statements, with few variables and in the order of the graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from cnnspec.eject.expressions import expression, length
from cnnspec.eject.layout import INDENT, WIDTH
from cnnspec.eject.naming import branch_name
from cnnspec.eject.scopes import Item, ListItem, OpItem, Scope
from cnnspec.eject.variants import Option
from cnnspec.graph import Ref
from cnnspec.ops.activation import Activation
from cnnspec.ops.add import Add
from cnnspec.ops.multiply import Multiply

#: Users of a value from which what they make of it is named after them.
BRANCHES = 3
#: Columns for the expressions that are written within a sum or a product.
ROOM = 98


class Body:
    """Writes the statements of one scope.

    A variable is used again when what it held is needed no more, so that a chain reads `x = ...` throughout; an
    activation or a normalisation is written around what it follows, and short operands within a sum. The branches of a
    fork are named after their layers.
    """

    def __init__(self, scope: Scope, inputs: list[str], options: Mapping[str, Option] | None = None) -> None:
        self.scope = scope
        #: Names that a reader knows, and that are not used again for something else.
        self._kept = {name for name in inputs if not name.startswith("x")}
        self.options = {option.first: (flag, option) for flag, option in (options or {}).items()}
        self.left = Counter(r for item in scope.items for r in item.inputs if r is not None)
        self.left.update(scope.outputs)
        self.users = Counter(r for item in scope.items for r in {*item.inputs} if r is not None)
        self.names: dict[Ref, str] = dict(zip(scope.inputs, inputs, strict=True))
        self.lines: list[str] = []
        self._inline: dict[Ref, str] = {}
        self._forked: set[Ref] = set()
        self._free: list[str] = []
        #: Values that must have a name, and the names that some must have.
        self._named = {ref for _, option in self.options.values() for ref in (option.result, option.instead)}
        self._given: dict[Ref, str] = {}
        self._preferred: list[str] = []

    def run(self, items: Sequence[Item]) -> None:
        """Add the statements of items, in order."""
        position = 0
        while position < len(items):
            place = self.scope.items.index(items[position])
            count = self._stages(items[position:])
            if place in self.options:
                flag, option = self.options.pop(place)
                part = items[position : position + len(option.positions)]
                self._optional(flag, option, part)
                position += len(part)
            elif count > 1:
                self._loops(items[position : position + count])
                position += count
            else:
                self._item(items[position], items[position + 1 :])
                position += 1

    def name(self, given: Mapping[Ref, str]) -> None:
        """From now on these values get names of their own."""
        self._named |= {*given}
        self._given |= given

    def guarded(self, condition: str, items: Sequence[Item], given: Mapping[Ref, str]) -> None:
        """Add items that are computed only under a condition; what they give gets names of its own."""
        self.name(given)
        self._within(condition, items)

    def value(self, ref: Ref) -> str:
        """The variable, or the expression, of an output."""
        return self._inline.get(ref) or self.names[ref]

    def result(self, text: str) -> list[str]:
        """The statements, and the one that returns `text`: the last value is returned without a name."""
        last = self.lines[-1] if self.lines else ""
        if last.startswith(f"{text} = "):
            return [*self.lines[:-1], f"return {last.removeprefix(f'{text} = ')}"]
        return [*self.lines, f"return {text}"]

    # --- one item ------------------------------------------------------------------------------------------

    def _item(self, item: Item, following: Sequence[Item]) -> None:
        operands = self._operands(item)
        live = self._live()
        if isinstance(item, ListItem):
            self._loop(item, operands[0], live)
            return
        text = expression(item, operands)
        (first, *others) = item.outputs
        self._note_forks(item)
        if text in self.names.values() and not others and first not in self._named:
            self.names[first] = text  # nothing happens: another name for the same
            return
        if not others and self._goes_in(item, first, text, following):
            self._inline[first] = text
            return
        targets: list[str] = []
        for ref in item.outputs:
            if not self.left[ref]:
                targets.append("_")
                continue
            self.names[ref] = self._given.get(ref) or self._target(item, ref, live | set(targets))
            targets.append(self.names[ref])
        self.lines.append(f"{', '.join(targets)} = {text}")
        self._free = []

    def _operands(self, item: Item) -> list[str]:
        """The inputs as text; variables that are needed no more become free."""
        present = [ref for ref in item.inputs if ref is not None]
        operands = ["None" if ref is None else self.value(ref) for ref in item.inputs]
        self.left.subtract(present)
        live = self._live()
        used = [self.names[ref] for ref in dict.fromkeys(present) if ref in self.names]
        self._free = [name for name in dict.fromkeys([*self._free, *used]) if name not in live | self._kept]
        return operands

    def _live(self) -> set[str]:
        return {self.names[ref] for ref, count in self.left.items() if count > 0 and ref in self.names}

    def _note_forks(self, item: Item) -> None:
        """A value of a fork is one that is made of something that several others use too."""
        present = {ref for ref in item.inputs if ref is not None}
        goes_on = len(present) == 1 and present <= self._forked
        within = goes_on or any(ref in self._forked and (ref in self._inline or self.users[ref] > 1) for ref in present)
        if within or any(self.users[ref] >= BRANCHES for ref in present):
            self._forked |= {*item.outputs}

    def _goes_in(self, item: Item, output: Ref, text: str, following: Sequence[Item]) -> bool:
        """Whether the value is written within the statement that follows, instead of getting a name."""
        if output in self._named or not following or self.left[output] != 1:
            return False
        if self._into_join(item, output, following):
            return True
        after = following[0]
        if not isinstance(after, OpItem) or output not in after.inputs:
            return False
        together = isinstance(item, OpItem) and item.unit == after.unit
        alone = after.piece.use.count("{0}") == 1 and len(after.inputs) == 1
        fits = len(f"{INDENT * 2}{after.attribute} = nnx.relu({text})") + length(after) < WIDTH
        return alone and fits and (together or isinstance(after.node.op, Activation))

    def _into_join(self, item: Item, output: Ref, following: Sequence[Item]) -> bool:
        """Whether it is a short operand of a sum or product that follows, with nothing but such between them."""
        place = next((i for i, other in enumerate(following) if output in other.inputs), None)
        join = following[place] if place is not None else None
        if place is None or not isinstance(join, OpItem) or not isinstance(join.node.op, Add | Multiply):
            return False
        if len(join.inputs) != 2 or any(
            ref in self._named for ref in join.inputs if ref != output and ref not in self.names
        ):
            return False
        between = [item, *following[:place]]
        own = all(len(one.outputs) == 1 and one.outputs[0] in join.inputs and self.left[one.outputs[0]] == 1
                  and not isinstance(one, ListItem) for one in between)  # fmt: skip
        starts = {self.scope.items.index(one) for one in (*between, join)} & self.options.keys()
        return own and not starts and sum(map(length, between)) <= ROOM

    def _target(self, item: Item, ref: Ref, live: set[str]) -> str:
        """The name for a new value: one that is free, else `x` or `y`; in a fork that of the branch."""
        branch = branch_name(self.scope, item)
        own = [branch, *(f"{branch}_{n}" for n in range(2, 100))]
        joins = len({r for r in item.inputs if r is not None}) > 1
        usual = [*self._preferred, *(["x", "y"] if joins else []), *self._free, "x", "y", *own]
        return next(name for name in (own if ref in self._forked else usual) if name not in live)

    # --- rows of blocks, and parts that are not always there --------------------------------------------------

    def _stages(self, items: Sequence[Item]) -> int:
        """How many lists of blocks follow one another, each fed by the one before it alone."""
        count = 0
        for item in items:
            chained = count == 0 or (item.inputs[0] == items[count - 1].outputs[0] and self.left[item.inputs[0]] == 1)
            if not isinstance(item, ListItem) or item.numbered or not chained:
                break
            count += 1
        return count

    def _loops(self, stages: Sequence[Item]) -> None:
        """Lists of blocks as one loop over all of them."""
        (operand,) = self._operands(stages[0])
        live = self._live()
        for before in stages[:-1]:
            self.left.subtract([before.outputs[0]])
        target = self._loop_target(stages[-1], operand, live)
        names = [f"self.{stage.attribute}" for stage in stages]
        self.lines += [f"for stage in ({', '.join(names)}):", f"{INDENT}for block in stage:",
                       f"{INDENT * 2}{target} = block({target})"]  # fmt: skip
        self.names[stages[-1].outputs[0]] = target
        self._free = []

    def _loop(self, item: ListItem, operand: str, live: set[str]) -> None:
        target = self._loop_target(item, operand, live)
        turn = "layer" if item.numbered else "block"
        turn = turn if turn != target else "module"
        self.lines += [f"for {turn} in self.{item.attribute}:", f"{INDENT}{target} = {turn}({target})"]
        self.names[item.outputs[0]] = target
        self._free = []

    def _loop_target(self, item: Item, operand: str, live: set[str]) -> str:
        target = operand if operand in self._free else self._target(item, item.outputs[0], live)
        if target != operand:
            self.lines.append(f"{target} = {operand}")
        return target

    def _optional(self, flag: str, option: Option, items: Sequence[Item]) -> None:
        """A part that only some instances have: without it, the variable of its result holds what stands in for it."""
        stand_in = self.names[option.instead]
        inside = sum(ref == option.instead for item in items for ref in item.inputs)
        target = stand_in
        if self.left[option.instead] > inside:
            live = self._live()
            target = next(name for name in ("y", "x", items[0].attribute) if name not in live)
            self.lines.append(f"{target} = {stand_in}")
        self._given[option.result] = target
        self._preferred = [target]
        self._within(f"self.{flag}", items)
        self._preferred = []

    def _within(self, condition: str, items: Sequence[Item]) -> None:
        before, self.lines = self.lines, []
        self.run(items)
        self.lines = [*before, f"if {condition}:", *(f"{INDENT}{line}" for line in self.lines)]
        self._free = []
