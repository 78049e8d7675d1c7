"""How a node is written, and how it names its inputs."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as AnyMapping
from typing import Any

from cnnspec.assembly import UNKNOWN, Assembly, Poisoned
from cnnspec.blocks.base import Value
from cnnspec.diagnostics import Label, Report, did_you_mean, listing
from cnnspec.frames import Frame, NodeParts, UserBlock
from cnnspec.registry import keys
from cnnspec.source import Mapping, Scalar, Sequence, Tree

#: Keys that any node may have beside its block.
RESERVED = ("id", "from", "repeat", "first", "last", "when", "expect", "training_only")

#: Keys that stand for a block but are the language's own.
STRUCTURAL = ("layers", "shared")


def node_parts(
    tree: Tree,
    frame: Frame,
    blocks: AnyMapping[str, UserBlock],
    evaluate: Callable[[Tree, Frame], Any],
    report: Report,
) -> NodeParts | None:
    """The parts of a node, or `None` after reporting what is wrong with it."""
    chain = tuple(Label(f"in {o.what}", o.span) for o in (frame.origin.chain() if frame.origin else ()))
    if isinstance(tree, Scalar) and isinstance(tree.value, str):
        key = _key(tree.value, tree, frame, blocks, evaluate, report, chain)
        return None if key is None else NodeParts(key, tree.span, None, {}, Mapping({}, tree.span))
    if not isinstance(tree, Mapping):
        message = "a node should be a block with its fields, such as `conv: {filters: 64}`"
        report.error("E107", message, tree.span, "begin a line with `- ` and the name of a block", chain)
        return None
    reserved = {name: entry.value for name, entry in tree.entries.items() if name in RESERVED}
    candidates = {name: entry for name, entry in tree.entries.items() if name not in RESERVED}
    if len(candidates) != 1:
        known = {*keys(), *blocks, *STRUCTURAL}
        right = [name for name in candidates if name in known or "$" in name]
        if len(right) == 1:
            for name, entry in candidates.items():
                if name != right[0]:
                    hint = did_you_mean(name, RESERVED) or f"beside its block a node may have {listing(RESERVED)}"
                    report.error("E101", f"unknown key `{name}` in a node", entry.key_span, hint, chain)
            candidates = {right[0]: candidates[right[0]]}
        else:
            if candidates:
                message = f"a node should have one block, and this has {listing(candidates)}"
                hint = "write one node a line: each begins with `- `"
            else:
                message, hint = "a node needs a block", "add one, such as `conv: {filters: 64}`"
            report.error("E107", message, tree.span, hint, chain)
            return None
    name, entry = next(iter(candidates.items()))
    key = _key(name, Scalar(name, entry.key_span), frame, blocks, evaluate, report, chain)
    return None if key is None else NodeParts(key, entry.key_span, entry.value, reserved, Mapping({}, entry.key_span))


def _key(
    text: str, tree: Scalar, frame: Frame, blocks: AnyMapping[str, UserBlock], evaluate: Callable[[Tree, Frame], Any],
    report: Report, chain: tuple[Label, ...],
) -> str | None:  # fmt: skip
    key: Any = text
    if "$" in text:
        try:
            key = evaluate(tree, frame)
        except Poisoned:
            return None
    if key in blocks or key in keys() or key in STRUCTURAL:
        return str(key)
    known = sorted({*keys(), *blocks, *STRUCTURAL})
    hint = did_you_mean(str(key), known)
    if not hint and _is_activation(str(key)):
        hint = f"write `activation: {key}`"
    report.error("E106", f"there is no block `{key}`", tree.span, hint or "`cnnspec list --blocks` shows them", chain)
    return None


def _is_activation(name: str) -> bool:
    from typing import get_args

    from cnnspec.ops.activation import Function

    return name in get_args(Function)


def resolve(tree: Tree, frame: Frame, report: Report, assembly: Assembly) -> tuple[Value, ...]:
    """The values that `from` names: an id, `id:port`, a dotted path, or a list of them."""
    items = tree.items if isinstance(tree, Sequence) else (tree,)
    if not items:
        report.error("E103", "`from` should name at least one node", tree.span, "leave it out to take the node before")
        raise Poisoned
    found, failed = [], False
    for item in items:
        if not isinstance(item, Scalar) or not isinstance(item.value, str):
            report.error("E103", "`from` should be the id of a node, or a list of ids", item.span)
            failed = True
            continue
        value = _lookup(item.value, item, frame, report, assembly)
        failed = failed or value is None
        if value is not None:
            found.append(value)
    if failed:
        raise Poisoned
    return tuple(found)


def _lookup(text: str, tree: Scalar, frame: Frame, report: Report, assembly: Assembly) -> Value | None:
    name, _, port = text.partition(":")
    value: Value | None = None
    for around in frame.enclosing():
        if name in around.ids:
            value = around.ids[name]
            break
        ref = assembly.scopes.get(around.path(name)) if "." in name else None
        if ref is not None:
            value = Value(ref, assembly.nodes[ref.node].types)
            break
    if value is UNKNOWN:
        return UNKNOWN
    if value is None:
        later = next((f.later[name] for f in frame.enclosing() if name in f.later), None)
        labels = tuple(Label(f"in {o.what}", o.span) for o in (frame.origin.chain() if frame.origin else ()))
        if later is not None:
            help, labels = "move this node below it; a network has no cycles", (Label("defined later", later), *labels)
        else:
            known = [n for f in frame.enclosing() for n in f.ids if not _automatic(n, f)]
            help = did_you_mean(name, known) or f"the ids before it are {listing(known) or 'none'}"
        report.error("E301", f"there is no node `{name}` before this one", tree.span, help, labels)
        return None
    return _port(value, name, port, tree, report, assembly) if port else value


def _automatic(name: str, frame: Frame) -> bool:
    return name in frame.written and "id" not in frame.written[name].parts.reserved


def _port(value: Value, name: str, port: str, tree: Scalar, report: Report, assembly: Assembly) -> Value | None:
    named = assembly.scopes.get(f"{value.ref.node}:{port}")
    if named is not None:
        return Value(named, assembly.nodes[named.node].types)
    if port.isdigit() and int(port) < len(value.types):
        return value.port(int(port))
    outputs = ", ".join(f"`{name}:{n}`" for n in range(len(value.types)))
    report.error("E303", f"`{name}` has no output `{port}`", tree.span, f"it has {outputs}")
    return None
