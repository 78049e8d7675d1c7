"""Names of variables for the branches of a fork, after the layers that a branch consists of."""

from __future__ import annotations

import keyword
import os
import re

from cnnspec.eject.scopes import Item, OpItem, Scope
from cnnspec.graph import Ref

#: What stands for something else in every ejected file.
_TAKEN = frozenset({"self", "jax", "jnp", "nnx", "x", "y"})


def branch_name(scope: Scope, item: Item) -> str:
    """What the branch that an item is part of is called: what the names of its layers have in common.

    `branch7x7` for `branch7x7_1`, `branch7x7_2`, ...; the last layer's own name where they have little in common.
    """
    names = _layers(_branch(scope, item))
    common = os.path.commonprefix(names).rstrip("_")  # noqa: RUF071  of characters, as it does
    name = common if len(common) > 1 else names[-1]
    return f"{name}_" if keyword.iskeyword(name) or name in _TAKEN else name


def _branch(scope: Scope, item: Item) -> list[Item]:
    """The items of the branch around an item: from a fork to where its value is joined with another, or forks again."""
    users: dict[Ref, list[Item]] = {}
    maker: dict[Ref, Item] = {}
    for other in scope.items:
        maker |= dict.fromkeys(other.outputs, other)
        for ref in other.inputs:
            if ref is not None:
                users.setdefault(ref, []).append(other)
    found = [item]
    while len(found[0].inputs) == 1:
        entering = found[0].inputs[0]
        if entering not in maker or len(users[entering]) > 1 or len(maker[entering].outputs) > 1:
            break
        found.insert(0, maker[entering])
    while len(found[-1].outputs) == 1:
        output = found[-1].outputs[0]
        following = users.get(output, [])
        if len(following) != 1 or len(following[0].inputs) != 1 or output in scope.outputs:
            break
        found.append(following[0])
    return found


def _layers(items: list[Item]) -> list[str]:
    """The attributes of those that have weights; where none has, of all, without the names of their ops."""
    weighted = [item.attribute for item in items if not isinstance(item, OpItem) or item.node.parameters]
    return weighted or [_short(item) for item in items]


def _short(item: Item) -> str:
    assert isinstance(item, OpItem)
    return re.sub(rf"(?<=\w)_{item.node.op.key}(_\d+)?$", "", item.attribute)
