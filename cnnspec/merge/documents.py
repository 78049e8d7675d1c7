"""One document from the chain of files that it extends."""

from __future__ import annotations

from pathlib import Path

from cnnspec.diagnostics import Label, Report, Source, listing
from cnnspec.merge.edits import edit_all
from cnnspec.merge.files import find, open_tree
from cnnspec.merge.imports import with_imports
from cnnspec.merge.mappings import merge_mappings
from cnnspec.merge.redeclared import redeclared
from cnnspec.registry import keys
from cnnspec.source import Entry, Mapping, Sequence, Tree, parse
from cnnspec.synonyms import meant_field

#: Top-level keys, in the order in which `expand` prints them.
KEYS = (
    "cnnspec", "name", "family", "description", "source", "extends", "imports", "set", "params", "input", "inputs",
    "scaling", "scale", "defaults", "blocks", "layers", "edits", "outputs", "expect",
)  # fmt: skip

#: Keys whose mappings add to those of the parent, and how deep mappings within them do.
_MERGED = {"params": 0, "defaults": 1, "blocks": 0, "set": 0, "inputs": 1, "input": 1}

#: What belongs to one network, and is not taken over by those that extend it.
_OWN = ("expect", "name", "description")


def load_tree(source: Source, report: Report, path: Path | None = None) -> Mapping | None:
    """The document of `source` with everything merged into it; `None` where it cannot be read at all."""
    tree = parse(source, report)
    if tree is None:
        return None
    if not isinstance(tree, Mapping):
        report.error("E103", "a spec should be a mapping with `cnnspec: 1`, `name`, `input` and `layers`", tree.span,
                     "`cnnspec new` writes a starter")  # fmt: skip
        return None
    return _merged(tree, path, (), report)


def _merged(tree: Mapping, path: Path | None, chain: tuple[Path, ...], report: Report) -> Mapping | None:
    """A document with what it imports and extends."""
    _check_keys(tree, report)
    folder, chain = (path.parent, (*chain, path)) if path is not None else (Path(), chain)
    tree = with_imports(tree, folder, chain, report)
    parent = tree.entries.get("extends")
    if parent is None:
        if "edits" in tree.entries:
            report.error("E109", "`edits` needs `extends`", tree.entries["edits"].key_span, "edit the nodes themselves")
        return tree
    found = find(parent.value, folder, chain, "extends", report)
    label = Label(f"extended by {tree.span.source.name}", parent.value.span)
    opened = open_tree(found, report, label) if found is not None else None
    base = _merged(opened[1], found, chain, report) if opened is not None else None
    return None if base is None else _extended(base, tree, report)


def _check_keys(tree: Mapping, report: Report) -> None:
    for name, entry in tree.entries.items():
        if name not in KEYS:
            near = meant_field(name, KEYS)
            hint = f"did you mean `{near}`?" if near else f"the keys are {listing(KEYS, 20)}"
            hint = "nodes stand under `layers:`, each behind `- `" if name in keys() else hint
            report.error("E101", f"unknown key `{name}` at the top of the spec", entry.key_span, hint)


def _extended(base: Mapping, tree: Mapping, report: Report) -> Mapping:
    """`tree` on top of what it extends."""
    entries = {name: entry for name, entry in base.entries.items() if name not in _OWN}
    for one, other in (("input", "inputs"), ("inputs", "input")):
        if one in tree.entries and other not in tree.entries:
            entries.pop(other, None)
    for name, entry in tree.entries.items():
        old = entries.get(name)
        if (
            old is not None
            and _adds(name, entry.value)
            and isinstance(old.value, Mapping)
            and isinstance(entry.value, Mapping)
        ):
            over = redeclared(old.value, entry.value, report) if name == "params" else entry.value
            entries[name] = Entry(entry.key_span, merge_mappings(old.value, over, _MERGED.get(name, 0)))
        elif name not in ("extends", "edits"):
            entries[name] = entry
    edits = tree.entries.get("edits")
    if edits is not None and "layers" in entries and isinstance(entries["layers"].value, Sequence):
        layers = edit_all(entries["layers"].value, edits.value, report)
        entries["layers"] = Entry(entries["layers"].key_span, layers)
    return Mapping(entries, tree.span, base.incomplete or tree.incomplete)


def _adds(name: str, value: Tree) -> bool:
    """Whether a mapping adds to that of the parent; a source without a title is another place of the same paper."""
    return name in _MERGED or (name == "source" and isinstance(value, Mapping) and "title" not in value.entries)
