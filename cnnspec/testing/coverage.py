"""What a spec uses of the language: for the test that random specs reach all of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cnnspec.registry import keys

#: Every kind of edge and every form of a node that specs are drawn with.
KINDS = frozenset(
    {
        "previous", "from", "several inputs", "port", "named port", "network inputs", "branch node", "branch list", "branch id",
        "repeat", "repeat none", "index", "first", "last", "when true", "when false", "shared", "nested layers",
        "own block", "own block of two inputs", "carried", "training only", "residual body", "shortcut of its own", "param",
        "expression", "defaults", "outputs", "expect", "label",
    }
)  # fmt: skip


def kinds_of(spec: dict[str, Any]) -> set[str]:
    """The kinds of edges and nodes in a spec, as they are called in `KINDS`."""
    found = {"network inputs"} if "inputs" in spec else set()
    found |= {name for name in ("defaults", "outputs") if name in spec}
    for node in _nodes(spec["layers"]):
        found |= _kinds_of_node(node, spec)
    return found


def keys_of(spec: dict[str, Any]) -> set[str]:
    """The ops and blocks that a spec names."""
    return {key for node in _nodes([*spec["layers"], *_own(spec)]) for key in _mapping(node) if key in keys()}


def _own(spec: dict[str, Any]) -> list[Any]:
    return [node for block in spec.get("blocks", {}).values() for node in block["layers"]]


def _mapping(node: Any) -> dict[str, Any]:
    return node if isinstance(node, dict) else {node: {}}


def _kinds_of_node(node: Any, spec: dict[str, Any]) -> set[str]:
    node = _mapping(node)
    sources = node.get("from")
    found = {"previous"} if sources is None else {"from"}
    if isinstance(sources, list) and len(sources) > 1:
        found.add("several inputs")
    if isinstance(sources, list) and "label" in sources:
        found.add("label")
    if isinstance(sources, str) and ":" in sources:
        found.add("port" if sources[-1].isdecimal() else "named port")
    if "repeat" in node:
        found.add("repeat" if node["repeat"] else "repeat none")
    found |= {word for word in ("first", "last", "shared", "expect") if word in node}
    if "when" in node:
        found.add("when true" if spec["params"][node["when"].strip("$")] else "when false")
    if "training_only" in node:
        found.add("training only")
    if "layers" in node:
        found.add("nested layers")
    for name, block in spec.get("blocks", {}).items():
        if name in node:
            found.add("own block of two inputs" if len(block.get("inputs", ())) == 2 else "own block")
            found |= {"carried"} if node.get("repeat", 0) > 1 else set()
    fields = str([value for key, value in node.items() if key in keys()])
    found |= {"expression"} if "${" in fields else set()
    found |= {"param"} if "$p" in fields else set()
    found |= {"index"} if "index" in fields else set()
    if "residual" in node:
        found |= {"residual body"} | ({"shortcut of its own"} if "shortcut_layers" in node["residual"] else set())
    for merge in ("add", "concat", "multiply"):
        for branch in node.get(merge) or ():
            found.add("branch list" if isinstance(branch, list) else "branch id" if _is_id(branch) else "branch node")
    return found


def _is_id(branch: Any) -> bool:
    return isinstance(branch, str)


def _nodes(layers: list[Any]) -> Iterator[Any]:
    """Every node of a list, with those inside it."""
    for node in layers:
        yield node
        for inner in _inside(node):
            yield from _nodes(inner)


def _inside(node: Any) -> Iterator[list[Any]]:
    node = _mapping(node)
    if isinstance(node.get("layers"), list):
        yield node["layers"]
    for merge in ("add", "concat", "multiply"):
        for branch in node.get(merge) or ():
            if not _is_id(branch):
                yield branch if isinstance(branch, list) else [branch]
    residual = node.get("residual") or {}
    for name in ("body", "shortcut_layers"):
        if name in residual:
            yield residual[name]
