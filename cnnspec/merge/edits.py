"""Surgical edits of an extended spec: insert, replace, remove and update nodes by id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from cnnspec.diagnostics import Report, did_you_mean, listing
from cnnspec.merge.mappings import merge_mappings
from cnnspec.source import Entry, Mapping, Scalar, Sequence, Tree
from cnnspec.synonyms import meant_field

#: What an edit may be, and the fields that it takes beside its target.
EDITS = {
    "insert_before": ("layers",),
    "insert_after": ("layers",),
    "replace": ("layers",),
    "remove": (),
    "update": ("with",),
}

_EXAMPLES = {
    "insert_before": "{insert_before: conv1, layers: [...]}", "insert_after": "{insert_after: conv1, layers: [...]}",
    "replace": "{replace: conv1, layers: [...]}", "remove": "{remove: conv1}", "update": "{update: conv1, with: {...}}",
}  # fmt: skip


def edit_all(layers: Sequence, edits: Tree, report: Report) -> Sequence:
    """`layers` after every edit, in order; what does not fit is reported and left out."""
    if not isinstance(edits, Sequence):
        report.error("E103", "`edits` should be a list", edits.span, "begin each edit with `- `")
        return layers
    for edit in edits.items:
        layers = _edit(layers, edit, report)
    return layers


def _edit(layers: Sequence, edit: Tree, report: Report) -> Sequence:
    verb = _verb(edit, report)
    if verb is None or not isinstance(edit, Mapping):
        return layers
    names = EDITS[verb]
    strange = [name for name in edit.entries if name != verb and name not in names]
    for name in strange:
        near = meant_field(name, names)
        hint = f"did you mean `{near}`?" if near else f"write `{_EXAMPLES[verb]}`"
        report.error("E101", f"unknown field `{name}` in `{verb}`", edit.entries[name].key_span, hint)
    for name in names:
        if name not in edit.entries:
            if not any(meant_field(word, [name]) for word in strange):
                hint = f"write `{_EXAMPLES[verb]}`"
                report.error("E102", f"`{verb}` needs `{name}`", edit.entries[verb].key_span, hint)
            return layers
    target = edit.entries[verb].value
    if not isinstance(target, Scalar) or not isinstance(target.value, str):
        report.error("E103", f"`{verb}` should name the id of a node", target.span, f"write `{_EXAMPLES[verb]}`")
        return layers
    return _changed(layers, verb, target, edit.entries[names[0]].value if names else None, report)


def _verb(edit: Tree, report: Report) -> str | None:
    """What an edit does; `None` after reporting."""
    verbs = [name for name in edit.entries if name in EDITS] if isinstance(edit, Mapping) else []
    if len(verbs) == 1:
        return verbs[0]
    message = f"an edit should have one of {listing(EDITS)}"
    if verbs:
        report.error("E103", f"{message}, and this has {listing(verbs)}", edit.span, "make two edits of it")
        return None
    if isinstance(edit, Mapping):
        for name, entry in edit.entries.items():
            near = did_you_mean(name, EDITS)
            if near:
                report.error("E101", f"unknown edit `{name}`", entry.key_span, near)
                return None
    report.error("E103", message, edit.span, f"write `{_EXAMPLES['insert_after']}`")
    return None


def _changed(layers: Sequence, verb: str, target: Scalar, argument: Tree | None, report: Report) -> Sequence:
    path = str(target.value).split(".")

    def change(node: Tree) -> Iterable[Tree]:
        if verb == "remove":
            report.removed[path[-1]] = target.span
            return ()
        if verb == "update":
            if isinstance(argument, Mapping) and isinstance(node, Mapping):
                return (replace(merge_mappings(node, argument), span=node.span),)
            if argument is not None:
                report.error("E103", "`with` should be a mapping of what to change in the node", argument.span,
                             "write `with: {conv: {kernel: 5}}`")  # fmt: skip
            return (node,)
        added = argument.items if isinstance(argument, Sequence) else (argument,) if argument is not None else ()
        if verb == "replace":
            report.removed[path[-1]] = target.span
        return {"replace": (*added,), "insert_before": (*added, node), "insert_after": (node, *added)}[verb]

    changed = _in_list(layers, path, change)
    if changed is None:
        known = list(_ids(layers))
        hint = did_you_mean(".".join(path), known) or f"the ids are {listing(known, 20)}"
        report.error("E503", f"there is no node `{'.'.join(path)}` to {verb.replace('_', ' ')}", target.span, hint)
        return layers
    return changed


def _in_list(layers: Sequence, path: list[str], change: Callable[[Tree], Iterable[Tree]]) -> Sequence | None:
    """A list with the node at the dotted `path` of ids changed; `None` where there is no such node in it.

    What has no id is looked through: lists in lists, branches, bodies.
    """
    for index, node in enumerate(layers.items):
        name = node_id(node)
        new: tuple[Tree, ...] | None = None
        if name == path[0] and len(path) == 1:
            new = tuple(change(node))
        elif name is None or name == path[0]:
            inner = _inside(node, path[1:] if name else path, change)
            new = None if inner is None else (inner,)
        if new is not None:
            return Sequence((*layers.items[:index], *new, *layers.items[index + 1 :]), layers.span)
    return None


def _inside(tree: Tree, path: list[str], change: Callable[[Tree], Iterable[Tree]]) -> Tree | None:
    """A tree with the node at `path` somewhere in it changed, or `None`."""
    if isinstance(tree, Sequence):
        return _in_list(tree, path, change)
    if isinstance(tree, Mapping):
        for name, entry in tree.entries.items():
            inner = _inside(entry.value, path, change)
            if inner is not None:
                return replace(tree, entries={**tree.entries, name: Entry(entry.key_span, inner)})
    return None


def _ids(tree: Tree, prefix: str = "") -> Iterator[str]:
    """The paths of all nodes that have an id."""
    if isinstance(tree, Mapping):
        name = node_id(tree)
        if name is not None:
            yield prefix + name
            prefix = f"{prefix}{name}."
        for entry in tree.entries.values():
            yield from _ids(entry.value, prefix)
    elif isinstance(tree, Sequence):
        for item in tree.items:
            yield from _ids(item, prefix)


def node_id(node: Tree) -> str | None:
    """The id that is written on a node."""
    value = node.get("id") if isinstance(node, Mapping) else None
    return value.value if isinstance(value, Scalar) and isinstance(value.value, str) else None
