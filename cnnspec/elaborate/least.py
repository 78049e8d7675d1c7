"""The least number of nodes that a part of a spec stands for, told before it is walked.

What repeats a million times, or doubles thirty times over, is refused at once, at the number that asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping

from cnnspec.elaborate.user_blocks import UserBlock
from cnnspec.source import Mapping, Scalar, Sequence, Tree

#: Larger numbers mean the same.
_ENOUGH = 10**15
_MERGES = ("add", "concat", "multiply")


class LeastNodes:
    """A lower bound on nodes: conditions count as false, and numbers that are expressions as nothing."""

    def __init__(self, blocks: AnyMapping[str, UserBlock]) -> None:
        self._blocks = blocks
        self._known: dict[str, int] = {}

    def applied(self, key: str, arguments: Tree | None) -> int:
        """The nodes that one application of a block stands for."""
        if key in self._blocks:
            return self._block(key)
        if key == "layers":
            return self._list(arguments)
        if key in _MERGES and isinstance(arguments, Sequence):
            # A word among branches is the id of a node that is there already.
            return 1 + self._list(
                Sequence(tuple(b for b in arguments.items if not isinstance(b, Scalar)), arguments.span)
            )
        return 0 if key == "shared" else 1

    def _block(self, name: str) -> int:
        if name not in self._known:
            self._known[name] = 0  # of a block that uses itself nothing is known
            self._known[name] = self._list(self._blocks[name].layers)
        return self._known[name]

    def _list(self, tree: Tree | None) -> int:
        items = tree.items if isinstance(tree, Sequence) else ()
        return min(sum(map(self._node, items)), _ENOUGH)

    def _node(self, tree: Tree) -> int:
        if isinstance(tree, Sequence):
            return self._list(tree)
        if isinstance(tree, Scalar):
            return self.applied(tree.value, None) if isinstance(tree.value, str) else 0
        if "when" in tree.entries:
            return 0
        times = 1
        repeat = tree.get("repeat")
        if repeat is not None:
            times = repeat.value if isinstance(repeat, Scalar) and type(repeat.value) is int else 0
        return min(times * self._block_of(tree), _ENOUGH)

    def _block_of(self, tree: Mapping) -> int:
        for key, entry in tree.entries.items():
            if key in self._blocks or key in ("layers", *_MERGES):
                return self.applied(key, entry.value)
        return 1
