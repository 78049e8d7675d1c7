"""The tree of a text: scalars, lists and mappings, in which every key and value knows its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnnspec.diagnostics import Span

Value = str | int | float | bool | None


class _Unreadable:
    """What stands for a value that was refused while it was read; whatever uses it stays silent."""

    def __repr__(self) -> str:
        return "unreadable"


UNREADABLE: Any = _Unreadable()


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A single value."""

    value: Value
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A value of a mapping, and where its key stands."""

    key_span: Span
    value: Tree


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """A list."""

    items: tuple[Tree, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """Keys and values, in the order written."""

    entries: dict[str, Entry]
    span: Span
    #: Whether a key was refused while it was read, so that what seems to be missing may be what it meant.
    incomplete: bool = False

    def get(self, key: str) -> Tree | None:
        """The value of `key`, if it is there."""
        entry = self.entries.get(key)
        return None if entry is None else entry.value


Tree = Scalar | Sequence | Mapping


def plain(tree: Tree) -> Any:
    """The tree as dicts, lists and values."""
    if isinstance(tree, Scalar):
        return None if tree.value is UNREADABLE else tree.value
    if isinstance(tree, Sequence):
        return [plain(item) for item in tree.items]
    return {name: plain(entry.value) for name, entry in tree.entries.items()}


def tree_of(value: Any, span: Span) -> Tree:
    """Dicts, lists and values as a tree in which all stands at one place."""
    if isinstance(value, dict):
        return Mapping({str(name): Entry(span, tree_of(item, span)) for name, item in value.items()}, span)
    if isinstance(value, list | tuple):
        return Sequence(tuple(tree_of(item, span) for item in value), span)
    return Scalar(value, span)
