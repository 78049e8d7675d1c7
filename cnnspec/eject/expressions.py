"""An item as an expression: the call of its module or function, with its operands put in."""

from __future__ import annotations

import re

from cnnspec.eject.scopes import Item, OpItem, ScopeItem
from cnnspec.ops.add import Add

#: An expression that needs no brackets around it: a name, a call, an index.
_ATOM = re.compile(r"[\w.]+(\(.*\)|\[[^\]]*\])?")
_PRODUCT = re.compile(r"[\w.]+(\([^()]*\))? \* [\d.e-]+")


def length(item: Item) -> int:
    """About how long the expression of an item is."""
    if isinstance(item, OpItem) and not item.piece.make:
        return len(item.piece.use)
    return len(f"self.{item.attribute}(x)")


def expression(item: Item, operands: list[str]) -> str:
    if isinstance(item, ScopeItem):
        return f"self.{item.attribute}({', '.join(operands)})"
    assert isinstance(item, OpItem)
    use = item.piece.use
    if use == "{0}":
        return operands[0]
    for number, operand in enumerate(operands):
        alone = re.search(rf"[(\[]\{{{number}\}}[,)\]]", use) or _ATOM.fullmatch(operand)
        within = alone or (isinstance(item.node.op, Add) and _PRODUCT.fullmatch(operand))
        use = use.replace(f"{{{number}}}", operand if within else f"({operand})")
    return use.replace("{self}", f"self.{item.attribute}")


def input_names(count: int) -> list[str]:
    """`x`, or `x1`, `x2`, ... where there are several."""
    return ["x"] if count == 1 else [f"x{number}" for number in range(1, count + 1)]
