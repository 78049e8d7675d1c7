"""`imports`: blocks from other files."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from pathlib import Path

from cnnspec.diagnostics import Label, Report, Span, did_you_mean, listing
from cnnspec.merge.files import find, open_tree
from cnnspec.source import Entry, Mapping, Scalar, Sequence, Tree


def with_imports(tree: Mapping, folder: Path, chain: tuple[Path, ...], report: Report) -> Mapping:
    """`tree` with the blocks of the files that it imports; two of one name are reported."""
    entry = tree.entries.get("imports")
    if entry is None:
        return tree
    blocks: dict[str, Entry] = {}
    places: dict[str, Span] = {}
    for file, names in _wanted(entry.value):
        imported = _imported(file, names, folder, chain, report)
        _check_names(imported, blocks, places, file.span, report)
        blocks |= imported
        places = {**dict.fromkeys(imported, file.span), **places}
    own = tree.entries.get("blocks")
    if own is not None and isinstance(own.value, Mapping):
        _check_names(own.value.entries, blocks, places, None, report)
        blocks |= own.value.entries
    entries = {name: item for name, item in tree.entries.items() if name != "imports"}
    if own is None or isinstance(own.value, Mapping):
        entries["blocks"] = Entry(entry.key_span, Mapping(blocks, entry.value.span))
    return Mapping(entries, tree.span, tree.incomplete)


def _check_names(
    new: AnyMapping[str, Entry],
    old: AnyMapping[str, Entry],
    places: AnyMapping[str, Span],
    file: Span | None,
    report: Report,
) -> None:
    """Report blocks of one name, `new` ones (of the import at `file`, or else of the spec itself) beside `old` ones.

    A block that comes twice from one place of one file, by way of two others, is one block.
    """
    for name, entry in new.items():
        if name not in old or _place(entry.key_span) == _place(old[name].key_span):
            continue
        labels = [Label("the other is imported", places[name]), Label("and written there", old[name].key_span)]
        if file is not None:
            labels.append(Label("this one is written there", entry.key_span))
        others = list(new) if file else [other for other in old if places[other] == places[name]]
        wanted = ", ".join(other for other in others if other != name)
        only = (
            f", or import only what is wanted: `{{{(file or places[name]).raw.strip()}: [{wanted}]}}`" if wanted else ""
        )
        report.error(
            "E302", f"two blocks are called `{name}`", file or entry.key_span, f"rename one of them{only}", labels
        )


def _place(span: Span) -> tuple[str, int, int]:
    return span.source.text, span.line, span.column


def _wanted(tree: Tree) -> list[tuple[Tree, Tree | None]]:
    """The files, each with the names of the blocks that are wanted of it (`None`: all)."""
    if isinstance(tree, Mapping):
        return [(Scalar(name, item.key_span), item.value) for name, item in tree.entries.items()]
    if isinstance(tree, Sequence):
        return [(item, None) for item in tree.items]
    return [(tree, None)]


def _imported(
    file: Tree, names: Tree | None, folder: Path, chain: tuple[Path, ...], report: Report
) -> dict[str, Entry]:
    """The blocks of one file; what is wrong is reported, and left out."""
    path = find(file, folder, chain, "imports", report)
    opened = open_tree(path, report, Label(f"imported by {file.span.source.name}", file.span)) if path else None
    if opened is None or path is None:
        return {}
    blocks = with_imports(opened[1], path.parent, (*chain, path), report).get("blocks")
    entries = blocks.entries if isinstance(blocks, Mapping) else {}
    if not entries:
        report.error("E504", f"there are no blocks in `{path.name}`", file.span, "a file to import has `blocks:`")
        return {}
    if names is None:
        return dict(entries)
    if not isinstance(names, Sequence):
        report.error("E103", "the blocks to import should be a list of names", names.span,
                     f"write `{{{path.name}: [{next(iter(entries))}]}}`")  # fmt: skip
        return {}
    chosen = {}
    for item in names.items:
        name = str(item.value) if isinstance(item, Scalar) else ""
        if name in entries:
            chosen[name] = entries[name]
        else:
            hint = did_you_mean(name, entries) or f"it has {listing(entries)}"
            report.error("E504", f"there is no block `{name}` in `{path.name}`", item.span, hint)
    return chosen
