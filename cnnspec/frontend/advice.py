"""Advice on a spec that is right: ids that are missing, and what nothing uses."""

from __future__ import annotations

from collections.abc import Iterator

from cnnspec.diagnostics import Diagnostic, Report, Span
from cnnspec.elaborate import Elaborator, names_in
from cnnspec.graph import Graph
from cnnspec.passes.prune import prune
from cnnspec.source import Mapping


def advise(tree: Mapping, walk: Elaborator, graph: Graph, report: Report) -> None:
    """Add notes on what could be better; none of them makes a spec wrong."""
    for found in (*_without_ids(walk, graph), *_unused_params(tree), *_unused_blocks(walk), *_unused_nodes(graph)):
        report.add(found)


def _note(code: str, message: str, span: Span | None, help: str) -> Diagnostic:
    return Diagnostic(code, message, span, help, severity="note")


def _without_ids(walk: Elaborator, graph: Graph) -> Iterator[Diagnostic]:
    """Nodes with weights whose path has a number that changes when a node is put before them."""
    owners = {path.rsplit(".", 1)[0] for path in graph.parameters}
    prefixes = {".".join(owner.split(".")[:n]) for owner in owners for n in range(1, owner.count(".") + 2)}
    seen: set[Span] = set()
    for path, key, span in walk.unnamed:
        if path in prefixes and span not in seen:
            seen.add(span)
            message = (
                f"`{key}` has weights and no id: they are called `{path}`, and otherwise where a node is put before it"
            )
            yield _note("E121", message, span, "give the node an `id`")


def _unused_params(tree: Mapping) -> Iterator[Diagnostic]:
    declared = tree.get("params")
    if not isinstance(declared, Mapping):
        return
    used = set(names_in(tree))
    for name, entry in declared.entries.items():
        if name not in used:
            yield _note(
                "E122",
                f"nothing uses the param `{name}`",
                entry.key_span,
                f"write `${name}` where it is meant, or delete it",
            )


def _unused_blocks(walk: Elaborator) -> Iterator[Diagnostic]:
    for name, block in walk.blocks.items():
        if name not in walk.used:
            yield _note("E123", f"nothing uses the block `{name}`", block.span, "delete it, or use it in `layers`")


def _unused_nodes(graph: Graph) -> Iterator[Diagnostic]:
    """Nodes that no output depends on; one note for all that stands in one node of the spec."""
    needed = prune(graph).by_path
    seen: set[Span | None] = set()
    for node in graph.nodes:
        written = list(node.origin.chain())[-1] if node.origin is not None else None
        if node.path in needed or written is None or written.span in seen:
            continue
        seen.add(written.span)
        yield _note("E124", f"no output depends on {written.what}", written.span, "name it in `outputs`, or delete it")
