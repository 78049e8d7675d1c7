"""Surgical edits of an extended spec: insert, replace, remove and update nodes by id."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from cnnspec.diagnostics import Report, did_you_mean, listing
from cnnspec.source import Entry, Mapping, Scalar, Sequence, Tree

#: What an edit may be, and the fields that it takes beside its target.
EDITS = {
    "insert_before": ("layers",),
    "insert_after": ("layers",),
    "replace": ("layers",),
    "remove": (),
    "update": ("with",),
}


def merge_mappings(base: Mapping, over: Mapping, depth: int = 64) -> Mapping:
    """`base` with the entries of `over`, mappings within mappings merged likewise down to `depth`."""
    entries = dict(base.entries)
    for name, entry in over.entries.items():
        old = entries.get(name)
        if old is not None and depth > 0 and isinstance(old.value, Mapping) and isinstance(entry.value, Mapping):
            entry = Entry(entry.key_span, merge_mappings(old.value, entry.value, depth - 1))
        entries[name] = entry
    return Mapping(entries, over.span)


def edit_all(layers: Sequence, edits: Tree, report: Report) -> Sequence:
    """`layers` after every edit, in order; what does not fit is reported and left out."""
    if not isinstance(edits, Sequence):
        report.error("E103", "`edits` should be a list", edits.span)
        return layers
    for edit in edits.items:
        layers = _edit(layers, edit, report)
    return layers


def _edit(layers: Sequence, edit: Tree, report: Report) -> Sequence:
    verbs = [name for name in edit.entries if name in EDITS] if isinstance(edit, Mapping) else []
    if not isinstance(edit, Mapping) or len(verbs) != 1:
        report.error(
            "E103", f"an edit should have one of {listing(EDITS)}", edit.span,
            "write `{insert_after: conv1, layers: [...]}`",
        )  # fmt: skip
        return layers
    verb = verbs[0]
    argument_names = EDITS[verb]
    for name, entry in edit.entries.items():
        if name != verb and name not in argument_names:
            hint = did_you_mean(name, argument_names)
            report.error("E101", f"unknown field `{name}` in `{verb}`", entry.key_span, hint)
    for name in argument_names:
        if name not in edit.entries:
            report.error("E102", f"`{verb}` needs `{name}`", edit.entries[verb].key_span, f"add `{name}: ...`")
            return layers
    target = edit.entries[verb].value
    path = str(target.value).split(".") if isinstance(target, Scalar) else []

    def change(node: Tree) -> Iterable[Tree]:
        if verb == "remove":
            return ()
        argument = edit.entries[argument_names[0]].value
        if verb == "update":
            if isinstance(argument, Mapping) and isinstance(node, Mapping):
                return (replace(merge_mappings(node, argument), span=node.span),)
            report.error("E103", "`with` should be a mapping of what to change in the node", argument.span)
            return (node,)
        added = argument.items if isinstance(argument, Sequence) else (argument,)
        return {"replace": (*added,), "insert_before": (*added, node), "insert_after": (node, *added)}[verb]

    changed = _change(layers, path, change)
    if changed is None:
        known = list(_ids(layers))
        hint = did_you_mean(".".join(path), known) or f"the ids are {listing(known)}"
        report.error("E503", f"there is no node `{'.'.join(path)}` to {verb.replace('_', ' ')}", target.span, hint)
        return layers
    return changed


def _change(layers: Sequence, path: list[str], change: Callable[[Tree], Iterable[Tree]]) -> Sequence | None:
    """`layers` with the node at the dotted `path` of ids changed; `None` where there is no such node."""
    for index, node in enumerate(layers.items):
        if not path or node_id(node) != path[0]:
            continue
        if len(path) == 1:
            new = tuple(change(node))
        else:
            inner = node.get("layers") if isinstance(node, Mapping) else None
            if not isinstance(inner, Sequence) or not isinstance(node, Mapping):
                return None
            edited = _change(inner, path[1:], change)
            if edited is None:
                return None
            entry = Entry(node.entries["layers"].key_span, edited)
            new = (Mapping({**node.entries, "layers": entry}, node.span),)
        return Sequence((*layers.items[:index], *new, *layers.items[index + 1 :]), layers.span)
    return None


def _ids(layers: Sequence, prefix: str = "") -> Iterable[str]:
    for node in layers.items:
        name = node_id(node)
        if name is not None:
            yield prefix + name
            inner = node.get("layers") if isinstance(node, Mapping) else None
            if isinstance(inner, Sequence):
                yield from _ids(inner, f"{prefix}{name}.")


def node_id(node: Tree) -> str | None:
    """The id that is written on a node."""
    value = node.get("id") if isinstance(node, Mapping) else None
    return value.value if isinstance(value, Scalar) and isinstance(value.value, str) else None
