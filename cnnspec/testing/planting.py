"""How a fault is planted: a change of a valid spec in place, and what must be reported and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from cnnspec.blocks.base import nested_fields
from cnnspec.diagnostics import did_you_mean
from cnnspec.registry import keys, spec_class
from cnnspec.testing.nodes import Node
from cnnspec.testing.own_blocks import OWN_BLOCKS

Path = tuple[str | int, ...]
#: A path into the spec, and whether the diagnostic stands at the last key rather than at its value.
Place = tuple[Path, bool]


@dataclass(frozen=True)
class Planted:
    """What was planted: the code that must be reported, and where."""

    code: str
    path: Path
    of_key: bool = False

    @property
    def place(self) -> Place:
        return self.path, self.of_key


Fault = Callable[[Node, st.DrawFn], Planted]


# --- faults in a node that is there ---------------------------------------------------------------------------


def _nodes(layers: list[Any], path: Path) -> Iterator[tuple[Path, Node]]:
    """Every node with fields that is surely walked, with its path; bodies and branches too."""
    for index, node in enumerate(layers):
        here = (*path, index)
        if not isinstance(node, dict) or "when" in node or node.get("repeat") == 0:
            continue
        yield here, node
        if "layers" in node:
            yield from _nodes(node["layers"], (*here, "layers"))
        for merge in ("add", "concat", "multiply"):
            for number, branch in enumerate(node.get(merge) or ()):
                at = (*here, merge, number)
                if isinstance(branch, list):
                    yield from _nodes(branch, at)
                elif isinstance(branch, dict):
                    yield at, branch
        if "residual" in node:
            yield from _nodes(node["residual"]["body"], (*here, "residual", "body"))


def _fields(spec: Node, draw: st.DrawFn, wanted: Callable[[type[Any], str, Any], bool]) -> tuple[Path, Node, str, str]:
    """Some field that is wanted: the path of its node, the fields, the key of the block and the name."""
    found: list[tuple[Path, Node, str, str]] = []
    for path, node in _nodes(spec["layers"], ("layers",)):
        for key in node:
            if key in keys() and isinstance(node[key], dict):
                cls = spec_class(key)
                aliases = {info.alias or name: info for name, info in cls.model_fields.items()}
                for name, value in node[key].items():
                    if name in aliases and name not in nested_fields(cls) and wanted(cls, name, value):
                        found.append((path, node[key], key, name))
    assume(found)
    return draw(st.sampled_from(found))


def _is_count(cls: type[Any], name: str, value: Any) -> bool:
    return (
        isinstance(value, int)
        and not isinstance(value, bool)
        and name in ("filters", "features", "kernel", "stride", "capsules", "window")
    )


def put(value: Any, code: str) -> Fault:
    """A count replaced by what it cannot be."""

    def plant(spec: Node, draw: st.DrawFn) -> Planted:
        path, fields, key, name = _fields(spec, draw, _is_count)
        fields[name] = value
        return Planted(code, (*path, key, name))

    return plant


def typo(spec: Node, draw: st.DrawFn) -> Planted:
    def long(cls: type[Any], name: str, value: Any) -> bool:
        return len(name) > 3 and did_you_mean(name[:-1], [name]) != "" and name[:-1] not in cls.model_fields

    path, fields, key, name = _fields(spec, draw, long)
    rest = dict(fields)
    fields.clear()
    fields.update({(n[:-1] if n == name else n): v for n, v in rest.items()})
    return Planted("E101", (*path, key, name[:-1]), of_key=True)


def added(spec: Node, draw: st.DrawFn) -> Planted:
    path, fields, key, _ = _fields(spec, draw, lambda cls, name, value: True)
    fields["colour"] = 3
    return Planted("E101", (*path, key, "colour"), of_key=True)


def missing(spec: Node, draw: st.DrawFn) -> Planted:
    def required(cls: type[Any], name: str, value: Any) -> bool:
        info = cls.model_fields.get(name)
        return info is not None and info.is_required()

    path, fields, key, name = _fields(spec, draw, required)
    # What `defaults` gives is not missing.
    assume(name not in spec.get("defaults", {}).get(key, {}))
    del fields[name]
    return Planted("E102", (*path, key), of_key=True)


def choice(spec: Node, draw: st.DrawFn) -> Planted:
    names = (
        "shortcut",
        "kind",
        "pool_kind",
        "bypass",
        "order",
        "mode",
        "method",
        "running_variance",
        "per",
        "gate",
        "function",
    )
    path, fields, key, name = _fields(spec, draw, lambda cls, n, v: n in names and isinstance(v, str))
    fields[name] = "neither"
    return Planted("E105", (*path, key, name))


def unknown_block(spec: Node, draw: st.DrawFn) -> Planted:
    found = [(path, node, key) for path, node in _nodes(spec["layers"], ("layers",)) for key in node if key in keys()]
    assume(found)
    path, node, key = draw(st.sampled_from(found))
    rest = dict(node)
    node.clear()
    node.update({(f"{n}_9" if n == key else n): v for n, v in rest.items()})
    return Planted("E106", (*path, f"{key}_9"), of_key=True)


def reserved(word: str, value: Any, code: str) -> Fault:
    """A key that any node may have, with a value that it cannot."""

    def plant(spec: Node, draw: st.DrawFn) -> Planted:
        found = list(_nodes(spec["layers"], ("layers",)))
        assume(found)
        path, node = draw(st.sampled_from(found))
        node[word] = value
        return Planted(code, (*path, word))

    return plant


def unknown_key(spec: Node, draw: st.DrawFn) -> Planted:
    plant = reserved("form", "n1", "E101")(spec, draw)
    return Planted(plant.code, plant.path, of_key=True)


# --- nodes that are added -------------------------------------------------------------------------------------

_MAP: Node = {"id": "map", "from": "start", "reshape": [2, 2, -1]}


def behind(*nodes: Node, code: str, at: Path, of_key: bool = False, start: int = 12, label: int = 0) -> Fault:
    """Nodes added behind all others that begin with a map of 2x2x(start / 4); the last is at fault at a path in it.

    With `label` there is one of so many classes, too.
    """

    def plant(spec: Node, draw: st.DrawFn) -> Planted:
        inputs = spec.setdefault("inputs", {"input": spec.pop("input")} if "input" in spec else {})
        inputs["start"] = {"features": start}
        if label:
            inputs["target"] = {"classes": label, "optional": True}
        spec["layers"] += [dict(_MAP), *(dict(node) for node in nodes)]
        return Planted(code, ("layers", len(spec["layers"]) - 1, *at), of_key)

    return plant


# --- faults at the top ------------------------------------------------------------------------------------------


def top(code: str, path: Path, of_key: bool = False, **entries: Any) -> Fault:
    """Entries given at the top of the spec."""

    def plant(spec: Node, draw: st.DrawFn) -> Planted:
        for name, value in entries.items():
            spec[name] = (
                {**spec[name], **value} if isinstance(value, dict) and isinstance(spec.get(name), dict) else value
            )
        return Planted(code, path, of_key)

    return plant


def without(name: str, code: str) -> Fault:
    def plant(spec: Node, draw: st.DrawFn) -> Planted:
        del spec[name]
        return Planted(code, ())

    return plant


def calling(blocks: Node, name: str, code: str, path: Path) -> Fault:
    """Blocks of one's own, and a node that calls one of them."""

    def plant(spec: Node, draw: st.DrawFn) -> Planted:
        spec["blocks"] = {**spec.get("blocks", {}), **blocks}
        return Planted(
            code, path, of_key=behind({"id": "bad", "from": "map", name: {}}, code=code, at=())(spec, draw).of_key
        )

    return plant


def behind_call(code: str, at: Path, arguments: Node, of_key: bool = False) -> Fault:
    """A block of one's own, called as it cannot be."""

    def plant(spec: Node, draw: st.DrawFn) -> Planted:
        spec["blocks"] = {**spec.get("blocks", {}), "twice": OWN_BLOCKS["twice"][0]}
        return behind({"id": "bad", "from": "map", "twice": arguments}, code=code, at=at, of_key=of_key)(spec, draw)

    return plant


def extending(code: str, path: Path, entries: Node, of_key: bool = False) -> Fault:
    """A spec that extends one of the zoo, instead of the one that was drawn."""

    def plant(spec: Node, draw: st.DrawFn) -> Planted:
        spec.clear()
        spec.update({"cnnspec": 1, "name": "random", "extends": "lenet5_modern", **entries})
        return Planted(code, path, of_key)

    return plant


def image(code: str, path: Path, preprocess: Node) -> Fault:
    """One more input, an image with a preprocessing that cannot be."""

    def plant(spec: Node, draw: st.DrawFn) -> Planted:
        inputs = spec.setdefault("inputs", {"input": spec.pop("input")} if "input" in spec else {})
        inputs["picture"] = {"height": 3, "width": 3, "channels": 3, "preprocess": preprocess}
        return Planted(code, ("inputs", "picture", *path))

    return plant
