"""From files to one document: `extends`, `set`, `edits` and `imports` are resolved here, on located trees.

What comes out is a plain spec with none of them left; every value keeps the place where it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from cnnspec.diagnostics import Label, Report, Source, Span, did_you_mean, listing
from cnnspec.source import Entry, Mapping, Scalar, Sequence, Tree, parse, read
from cnnspec.zoo import find_spec

#: Top-level keys, in the order in which `expand` prints them.
KEYS = (
    "cnnspec", "name", "family", "description", "source", "extends", "imports", "set", "params", "input", "inputs",
    "scaling", "scale", "defaults", "blocks", "layers", "edits", "outputs", "expect",
)  # fmt: skip

_MOST_EXTENDS = 16
_DEEP = ("params", "defaults", "blocks", "set", "inputs", "input")
_EDITS = {"insert_before": ("layers",), "insert_after": ("layers",), "replace": ("layers",), "remove": (), "update": ("with",)}


def load_tree(source: Source, report: Report, path: Path | None = None) -> Mapping | None:
    """The document of `source` with everything merged into it; `None` where it cannot be read at all."""
    return _Merger(report).load(source, path, ())


def merge_mappings(base: Mapping, over: Mapping, depth: int = 64) -> Mapping:
    """`base` with the entries of `over`, mappings within mappings merged likewise down to `depth`."""
    entries = dict(base.entries)
    for name, entry in over.entries.items():
        old = entries.get(name)
        if old is not None and depth > 0 and isinstance(old.value, Mapping) and isinstance(entry.value, Mapping):
            entry = Entry(entry.key_span, merge_mappings(old.value, entry.value, depth - 1))
        entries[name] = entry
    return Mapping(entries, over.span)


@dataclass(frozen=True)
class _Merger:
    report: Report

    def load(self, source: Source, path: Path | None, chain: tuple[Path, ...]) -> Mapping | None:
        tree = parse(source, self.report)
        if tree is None:
            return None
        if not isinstance(tree, Mapping):
            self.report.error(
                "E103", "a spec should be a mapping with `cnnspec: 1`, `name`, `input` and `layers`", tree.span,
                "`cnnspec new` writes a starter",
            )
            return None
        self._known_keys(tree)
        folder = path.parent if path is not None else Path()
        tree = self._imports(tree, folder, chain)
        parent = tree.entries.get("extends")
        if parent is None:
            for name in ("edits",):
                if name in tree.entries:
                    self.report.error(
                        "E109", f"`{name}` needs `extends`", tree.entries[name].key_span, "edit the nodes themselves"
                    )
            return tree
        base = self._parent(parent.value, folder, (*chain, path) if path is not None else chain)
        return None if base is None else self._extend(base, tree)

    def _known_keys(self, tree: Mapping) -> None:
        for name, entry in tree.entries.items():
            if name not in KEYS:
                hint = did_you_mean(name, KEYS) or f"the keys are {listing(KEYS, 20)}"
                self.report.error("E101", f"unknown key `{name}` at the top of the spec", entry.key_span, hint)

    def _parent(self, tree: Tree, folder: Path, chain: tuple[Path, ...]) -> Mapping | None:
        found = self._find(tree, folder, chain, "extends")
        if found is None:
            return None
        source = read(found, self.report)
        return None if source is None else self.load(source, found, chain)

    def _find(self, tree: Tree, folder: Path, chain: tuple[Path, ...], word: str) -> Path | None:
        """The file that `extends` or `imports` names: beside this one, or of the zoo."""
        if not isinstance(tree, Scalar) or not isinstance(tree.value, str):
            self.report.error("E103", f"`{word}` should name a file", tree.span)
            return None
        found = find_spec(tree.value, folder)
        if found is None:
            near = did_you_mean(tree.value, sorted(p.name for p in folder.glob("*.yaml")))
            self.report.error(
                "E501", f"`{word}` names `{tree.value}`, and there is no such file", tree.span,
                near or "paths are relative to the file that names them; a bare name is looked up in the zoo",
            )  # fmt: skip
            return None
        if any(_same(found, seen) for seen in chain) or len(chain) > _MOST_EXTENDS:
            names = " -> ".join([*(p.name for p in chain), found.name])
            self.report.error("E502", f"`{word}` goes in a circle or too deep: {names}", tree.span, "break the circle")
            return None
        return found

    def _imports(self, tree: Mapping, folder: Path, chain: tuple[Path, ...]) -> Mapping:
        """`tree` with the blocks of the files that it imports."""
        entry = tree.entries.get("imports")
        if entry is None:
            return tree
        wanted: list[tuple[Tree, Tree | None]] = []
        if isinstance(entry.value, Mapping):
            for name, item in entry.value.entries.items():
                wanted.append((Scalar(name, item.key_span), item.value))
        elif isinstance(entry.value, Sequence):
            wanted = [(item, None) for item in entry.value.items]
        else:
            wanted = [(entry.value, None)]
        blocks: dict[str, Entry] = {}
        for file, names in wanted:
            blocks |= self._imported(file, names, folder, chain)
        own = tree.entries.get("blocks")
        if own is not None and isinstance(own.value, Mapping):
            blocks |= own.value.entries
        entries = {name: item for name, item in tree.entries.items() if name != "imports"}
        if own is None or isinstance(own.value, Mapping):
            entries["blocks"] = Entry(entry.key_span, Mapping(blocks, entry.value.span))
        return Mapping(entries, tree.span)

    def _imported(self, file: Tree, names: Tree | None, folder: Path, chain: tuple[Path, ...]) -> dict[str, Entry]:
        found = self._find(file, folder, chain, "imports")
        source = read(found, self.report) if found is not None else None
        tree = parse(source, self.report) if source is not None else None
        if not isinstance(tree, Mapping) or found is None:
            return {}
        tree = self._imports(tree, found.parent, (*chain, found))
        blocks = tree.get("blocks")
        entries = blocks.entries if isinstance(blocks, Mapping) else {}
        if names is None:
            return dict(entries)
        if not isinstance(names, Sequence):
            self.report.error("E103", "the blocks to import should be a list of names", names.span)
            return {}
        chosen = {}
        for item in names.items:
            name = str(item.value) if isinstance(item, Scalar) else ""
            if name in entries:
                chosen[name] = entries[name]
            else:
                hint = did_you_mean(name, entries) or f"it has {listing(entries) or 'none'}"
                self.report.error("E504", f"there is no block `{name}` in `{found.name}`", item.span, hint)
        return chosen

    def _extend(self, base: Mapping, tree: Mapping) -> Mapping:
        entries = {name: entry for name, entry in base.entries.items() if name not in ("expect", "name", "description")}
        if "input" in tree.entries and "inputs" in entries:
            entries.pop("inputs")
        for name, entry in tree.entries.items():
            old = entries.get(name)
            if name in _DEEP and old is not None and isinstance(old.value, Mapping) and isinstance(entry.value, Mapping):
                depth = 1 if name in ("defaults", "input", "inputs") else 0
                entries[name] = Entry(entry.key_span, merge_mappings(old.value, entry.value, depth))
            elif name not in ("extends", "edits"):
                entries[name] = entry
        edits = tree.entries.get("edits")
        if edits is not None and "layers" in entries and isinstance(entries["layers"].value, Sequence):
            layers = self._edit_all(entries["layers"].value, edits.value)
            entries["layers"] = Entry(entries["layers"].key_span, layers)
        return Mapping(entries, tree.span)

    # --- edits ---------------------------------------------------------------------------------------------

    def _edit_all(self, layers: Sequence, edits: Tree) -> Sequence:
        if not isinstance(edits, Sequence):
            self.report.error("E103", "`edits` should be a list", edits.span)
            return layers
        for edit in edits.items:
            layers = self._edit(layers, edit)
        return layers

    def _edit(self, layers: Sequence, edit: Tree) -> Sequence:
        verbs = [name for name in edit.entries if name in _EDITS] if isinstance(edit, Mapping) else []
        if not isinstance(edit, Mapping) or len(verbs) != 1:
            self.report.error(
                "E103", f"an edit should have one of {listing(_EDITS)}", edit.span,
                "write `{insert_after: conv1, layers: [...]}`",
            )  # fmt: skip
            return layers
        verb = verbs[0]
        argument_names = _EDITS[verb]
        for name, entry in edit.entries.items():
            if name != verb and name not in argument_names:
                hint = did_you_mean(name, argument_names)
                self.report.error("E101", f"unknown field `{name}` in `{verb}`", entry.key_span, hint)
        for name in argument_names:
            if name not in edit.entries:
                self.report.error("E102", f"`{verb}` needs `{name}`", edit.entries[verb].key_span, f"add `{name}: ...`")
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
                self.report.error("E103", "`with` should be a mapping of what to change in the node", argument.span)
                return (node,)
            added = argument.items if isinstance(argument, Sequence) else (argument,)
            return {"replace": (*added,), "insert_before": (*added, node), "insert_after": (node, *added)}[verb]

        changed = _change(layers, path, change)
        if changed is None:
            known = list(_ids(layers))
            hint = did_you_mean(".".join(path), known) or f"the ids are {listing(known)}"
            self.report.error("E503", f"there is no node `{'.'.join(path)}` to {verb.replace('_', ' ')}", target.span, hint)
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


def extends_label(span: Span | None, main: Source) -> tuple[Label, ...]:
    """A label that says the mistake stands in another file than the one that was asked for."""
    if span is None or span.source is main or span.source.name == main.name:
        return ()
    return (Label(f"reached from {main.name}"),)


def _same(a: Path, b: Path) -> bool:
    return a.resolve() == b.resolve()
