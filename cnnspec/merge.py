"""From files to one document: `extends`, `set`, `edits` and `imports` are resolved here, on located trees.

What comes out is a plain spec with none of them left; every value keeps the place where it was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cnnspec.diagnostics import Label, Report, Source, did_you_mean, listing
from cnnspec.edits import edit_all, merge_mappings
from cnnspec.source import Entry, Mapping, Scalar, Sequence, Tree, parse, read
from cnnspec.zoo import find_spec

#: Top-level keys, in the order in which `expand` prints them.
KEYS = (
    "cnnspec", "name", "family", "description", "source", "extends", "imports", "set", "params", "input", "inputs",
    "scaling", "scale", "defaults", "blocks", "layers", "edits", "outputs", "expect",
)  # fmt: skip

_MOST_EXTENDS = 16
_DEEP = ("params", "defaults", "blocks", "set", "inputs", "input")


def load_tree(source: Source, report: Report, path: Path | None = None) -> Mapping | None:
    """The document of `source` with everything merged into it; `None` where it cannot be read at all."""
    return _Merger(report).load(source, path, ())


@dataclass(frozen=True)
class _Merger:
    report: Report

    def load(self, source: Source, path: Path | None, chain: tuple[Path, ...]) -> Mapping | None:
        tree = parse(source, self.report)
        if tree is None:
            return None
        if not isinstance(tree, Mapping):
            self.report.error(
                "E103",
                "a spec should be a mapping with `cnnspec: 1`, `name`, `input` and `layers`",
                tree.span,
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
        if source is None:
            return None
        self.report.reached(source, Label(f"extended by {tree.span.source.name}", tree.span))
        return self.load(source, found, chain)

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
        if source is not None:
            self.report.reached(source, Label(f"imported by {file.span.source.name}", file.span))
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
            if (
                _merged(name, entry.value)
                and old is not None
                and isinstance(old.value, Mapping)
                and isinstance(entry.value, Mapping)
            ):
                depth = 1 if name in ("defaults", "input", "inputs") else 0
                entries[name] = Entry(entry.key_span, merge_mappings(old.value, entry.value, depth))
            elif name not in ("extends", "edits"):
                entries[name] = entry
        edits = tree.entries.get("edits")
        if edits is not None and "layers" in entries and isinstance(entries["layers"].value, Sequence):
            layers = edit_all(entries["layers"].value, edits.value, self.report)
            entries["layers"] = Entry(entries["layers"].key_span, layers)
        return Mapping(entries, tree.span)


def _merged(name: str, value: Tree) -> bool:
    """Whether a mapping adds to that of the parent; a source without a title is another place of the same paper."""
    return name in _DEEP or (name == "source" and isinstance(value, Mapping) and "title" not in value.entries)


def _same(a: Path, b: Path) -> bool:
    return a.resolve() == b.resolve()
