"""How a node is written: one block key with its fields, and the keys that any node may have beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from collections.abc import Mapping as AnyMapping
from typing import Any

from cnnspec.diagnostics import Report, listing
from cnnspec.elaborate.frames import Frame, NodeParts
from cnnspec.ops.activation import FUNCTIONS
from cnnspec.params import FAILED
from cnnspec.registry import keys, spec_class
from cnnspec.source import UNREADABLE, Entry, Mapping, Scalar, Sequence, Tree, dump, plain
from cnnspec.synonyms import meant_block, meant_field

#: Keys that any node may have beside its block.
RESERVED = ("id", "from", "repeat", "first", "last", "when", "expect", "training_only")

#: Keys that stand for a block but are the language's own.
STRUCTURAL = ("layers", "shared")

#: The fields of a block written in YAML, by its name.
OwnBlocks = AnyMapping[str, Collection[str]]


def node_parts(
    tree: Tree, frame: Frame, blocks: OwnBlocks, evaluate: Callable[[Tree, Frame], Any], report: Report
) -> NodeParts | None:
    """The parts of a node, or `None` after reporting what is wrong with it."""
    if isinstance(tree, Scalar) and tree.value is UNREADABLE:
        return None
    if isinstance(tree, Scalar) and isinstance(tree.value, str):
        key = _key(tree.value, tree, frame, blocks, evaluate, report)
        return None if key is None else NodeParts(key, tree.span, None, {}, Mapping({}, tree.span))
    if not isinstance(tree, Mapping):
        message = "a node should be a block with its fields, such as `conv: {filters: 64}`"
        grouped = isinstance(tree, Sequence)
        hint = "nodes are grouped by `layers: [...]`" if grouped else "begin a line with `- ` and the name of a block"
        report.error("E107", message, tree.span, hint, frame.chain())
        return None
    chosen = _block_entry(tree, frame, blocks, report)
    if chosen is None:
        return None
    name, entry = chosen
    key = _key(name, Scalar(name, entry.key_span), frame, blocks, evaluate, report)
    if key is None:
        return None
    reserved = {word: item.value for word, item in tree.entries.items() if word in RESERVED}
    return NodeParts(key, entry.key_span, entry.value, reserved, Mapping({}, entry.key_span))


def _block_entry(tree: Mapping, frame: Frame, blocks: OwnBlocks, report: Report) -> tuple[str, Entry] | None:
    """The one entry of a node that is its block; keys that are none are reported, and left out."""
    candidates = {name: entry for name, entry in tree.entries.items() if name not in RESERVED}
    if len(candidates) == 1:
        return next(iter(candidates.items()))
    if not candidates:
        if not tree.incomplete:
            report.error(
                "E107", "a node needs a block", tree.span, "add one, such as `conv: {filters: 64}`", frame.chain()
            )
        return None
    known = {*keys(), *blocks, *STRUCTURAL}
    right = [name for name in candidates if name in known or "$" in name]
    if len(right) != 1:
        message = f"a node should have one block, and this has {listing(candidates)}"
        report.error("E107", message, tree.span, "write one node a line: each begins with `- `", frame.chain())
        return None
    block = right[0]
    others = {name: entry for name, entry in candidates.items() if name != block}
    fields = _fields_of(block, blocks)
    if plain(candidates[block].value) is None and all(name in fields for name in others):
        _beside(block, others, frame, report)
        return None
    for name, entry in others.items():
        near = meant_field(name, RESERVED)
        hint = f"did you mean `{near}`?" if near else f"beside its block a node may have {listing(RESERVED)}"
        hint = f"it is a field of `{block}`: put it there" if name in fields else hint
        report.error("E101", f"unknown key `{name}` in a node", entry.key_span, hint, frame.chain())
    return block, candidates[block]


def _fields_of(block: str, blocks: OwnBlocks) -> Collection[str]:
    if block in blocks:
        return blocks[block]
    return spec_class(block).model_fields if block in keys() else ()


def _beside(block: str, fields: AnyMapping[str, Entry], frame: Frame, report: Report) -> None:
    """The fields of a block stand at its own indentation: one mistake, however many fields there are."""
    written = dump({block: {name: plain(entry.value) for name, entry in fields.items()}}).strip()
    verb = "stands" if len(fields) == 1 else "stand"
    first = next(iter(fields.values()))
    report.error("E107", f"{listing(fields)} {verb} beside `{block}`, not inside it", first.key_span,
                 f"indent {'it' if len(fields) == 1 else 'them'} below `{block}:`" + (f", or write `{written}`" if "\n" not in written else ""),
                 frame.chain())  # fmt: skip


def _key(
    text: str,
    tree: Scalar,
    frame: Frame,
    blocks: OwnBlocks,
    evaluate: Callable[[Tree, Frame], Any],
    report: Report,
) -> str | None:
    """The block that a key means, an expression evaluated; `None` after reporting that there is none."""
    key: Any = evaluate(tree, frame) if "$" in text else text
    if key is FAILED:
        return None
    if key in blocks or key in keys() or key in STRUCTURAL:
        return str(key)
    known = sorted({*keys(), *blocks, *STRUCTURAL})
    report.error("E106", f"there is no block `{key}`", tree.span, _help(str(key), known), frame.chain())
    return None


def _help(key: str, known: list[str]) -> str:
    bare = key.split(":", maxsplit=1)[0].split("{", maxsplit=1)[0].strip()
    if bare != key and bare in known:
        return f"put a space behind `{bare}:`"
    if key.lower() in FUNCTIONS:
        return f"write `activation: {key.lower()}`"
    if key in RESERVED:
        return f"`{key}` stands beside a block: `{{{key}: ..., conv: {{filters: 64}}}}`"
    near = meant_block(key, known)
    return f"did you mean `{near}`?" if near else "`cnnspec list --blocks` shows them"


def not_a_list(tree: Tree | None, report: Report, word: str = "layers") -> None:
    """Report something that stands where a list of nodes should."""
    hint = "begin each with `- `"
    if isinstance(tree, Mapping) and any(name.startswith("-") for name in tree.entries):
        hint = "put a space behind each `-`"
    report.error(
        "E103", f"`{word}` should be a list of nodes, one a line", tree.span if tree is not None else None, hint
    )
