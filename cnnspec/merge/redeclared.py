"""A param that is declared again in a spec that extends another."""

from __future__ import annotations

from typing import Any

from cnnspec.diagnostics import Label, Report
from cnnspec.params import TYPE_NAMES, Declaration, read_declarations
from cnnspec.source import Entry, Mapping, Scalar, Tree, plain
from cnnspec.validation.words import shown


def redeclared(old: Mapping, new: Mapping, report: Report) -> Mapping:
    """The declarations of a child: a bare value is another default, and keeps the type and the bounds of the parent.

    One that the parent's declaration does not allow is reported here, where it is written.
    """
    parents = read_declarations(old, Report())
    entries = dict(new.entries)
    for name, entry in new.entries.items():
        parent = parents.get(name)
        if (
            parent is not None
            and not parent.broken
            and not isinstance(entry.value, Mapping)
            and not _is_type(entry.value)
        ):
            entries[name] = _another_default(parent, old.entries[name].value, entry, report)
    return Mapping(entries, new.span, new.incomplete)


def _is_type(tree: Tree) -> bool:
    return isinstance(tree, Scalar) and tree.value in TYPE_NAMES


def _another_default(parent: Declaration, written: Tree, entry: Entry, report: Report) -> Entry:
    value: Any = plain(entry.value)
    literal = "$" not in str(value)
    if literal and isinstance(value, int) and not isinstance(value, bool) and parent.declared.type == "float":
        value = float(value)
    wrong = parent.check(value) if literal else None
    if wrong is not None:
        code, message = wrong
        report.error(code, f"`{parent.name}` {message}, and is {shown(value)}", entry.value.span,
                     "declare it anew with `{type: ...}`, if this is meant to be another param of the same name",
                     (Label(f"declared as param `{parent.name}`", parent.span),))  # fmt: skip
        return Entry(entry.key_span, written)
    if isinstance(written, Mapping):
        return Entry(entry.key_span, Mapping({**written.entries, "default": entry}, written.span))
    return entry
