"""The faults: each changes a valid spec in place, and says what must be reported and where."""

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


def _put(value: Any, code: str) -> Fault:
    """A count replaced by what it cannot be."""

    def plant(spec: Node, draw: st.DrawFn) -> Planted:
        path, fields, key, name = _fields(spec, draw, _is_count)
        fields[name] = value
        return Planted(code, (*path, key, name))

    return plant


def _typo(spec: Node, draw: st.DrawFn) -> Planted:
    def long(cls: type[Any], name: str, value: Any) -> bool:
        return len(name) > 3 and did_you_mean(name[:-1], [name]) != "" and name[:-1] not in cls.model_fields

    path, fields, key, name = _fields(spec, draw, long)
    rest = dict(fields)
    fields.clear()
    fields.update({(n[:-1] if n == name else n): v for n, v in rest.items()})
    return Planted("E101", (*path, key, name[:-1]), of_key=True)


def _added(spec: Node, draw: st.DrawFn) -> Planted:
    path, fields, key, _ = _fields(spec, draw, lambda cls, name, value: True)
    fields["colour"] = 3
    return Planted("E101", (*path, key, "colour"), of_key=True)


def _missing(spec: Node, draw: st.DrawFn) -> Planted:
    def required(cls: type[Any], name: str, value: Any) -> bool:
        info = cls.model_fields.get(name)
        return info is not None and info.is_required()

    path, fields, key, name = _fields(spec, draw, required)
    # What `defaults` gives is not missing.
    assume(name not in spec.get("defaults", {}).get(key, {}))
    del fields[name]
    return Planted("E102", (*path, key), of_key=True)


def _choice(spec: Node, draw: st.DrawFn) -> Planted:
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


def _unknown_block(spec: Node, draw: st.DrawFn) -> Planted:
    found = [(path, node, key) for path, node in _nodes(spec["layers"], ("layers",)) for key in node if key in keys()]
    assume(found)
    path, node, key = draw(st.sampled_from(found))
    rest = dict(node)
    node.clear()
    node.update({(f"{n}_9" if n == key else n): v for n, v in rest.items()})
    return Planted("E106", (*path, f"{key}_9"), of_key=True)


def _reserved(word: str, value: Any, code: str) -> Fault:
    """A key that any node may have, with a value that it cannot."""

    def plant(spec: Node, draw: st.DrawFn) -> Planted:
        found = list(_nodes(spec["layers"], ("layers",)))
        assume(found)
        path, node = draw(st.sampled_from(found))
        node[word] = value
        return Planted(code, (*path, word))

    return plant


def _unknown_key(spec: Node, draw: st.DrawFn) -> Planted:
    plant = _reserved("form", "n1", "E101")(spec, draw)
    return Planted(plant.code, plant.path, of_key=True)


# --- nodes that are added -------------------------------------------------------------------------------------

_MAP: Node = {"id": "map", "from": "start", "reshape": [2, 2, -1]}


def _behind(*nodes: Node, code: str, at: Path, of_key: bool = False, start: int = 12) -> Fault:
    """Nodes added behind all others that begin with a map of 2x2x(start / 4); the last is at fault at a path in it."""

    def plant(spec: Node, draw: st.DrawFn) -> Planted:
        inputs = spec.setdefault("inputs", {"input": spec.pop("input")} if "input" in spec else {})
        inputs["start"] = {"features": start}
        spec["layers"] += [dict(_MAP), *(dict(node) for node in nodes)]
        return Planted(code, ("layers", len(spec["layers"]) - 1, *at), of_key)

    return plant


_FOUR: Node = {"id": "four", "from": "map", "conv": {"filters": 4}}


def _conv(**fields: Any) -> Node:
    return {"id": "bad", "from": "map", "conv": {"filters": 4, **fields}}


# --- faults at the top ------------------------------------------------------------------------------------------


def _top(code: str, path: Path, of_key: bool = False, **entries: Any) -> Fault:
    """Entries given at the top of the spec."""

    def plant(spec: Node, draw: st.DrawFn) -> Planted:
        for name, value in entries.items():
            spec[name] = (
                {**spec[name], **value} if isinstance(value, dict) and isinstance(spec.get(name), dict) else value
            )
        return Planted(code, path, of_key)

    return plant


def _without(name: str, code: str) -> Fault:
    def plant(spec: Node, draw: st.DrawFn) -> Planted:
        del spec[name]
        return Planted(code, ())

    return plant


FAULTS: dict[str, Fault] = {
    "typo in a field": _typo,
    "field that is not there": _added,
    "missing field": _missing,
    "text for a number": _put("many", "E103"),
    "list for a number": _put([], "E103"),
    "number out of range": _put(0, "E104"),
    "word that is no choice": _choice,
    "unknown block": _unknown_block,
    "unknown key of a node": _unknown_key,
    "unknown id": _reserved("from", "nowhere", "E301"),
    "first without repeat": _behind({**_conv(), "first": {"stride": 2}}, code="E109", at=("first",)),
    "repeat that is no count": _reserved("repeat", -1, "E103"),
    "repeat without end": _reserved("repeat", 10**9, "E702"),
    "when that is no truth": _reserved("when", 3, "E103"),
    "id that is none": _behind({**_conv(), "id": "9th"}, code="E110", at=("id",)),
    "id used twice": _behind({**_conv(), "id": "map"}, code="E302", at=("id",)),
    "node without a block": _behind({"id": "bad", "from": "map"}, code="E107", at=()),
    "two blocks in a node": _behind({**_conv(), "flatten": {}}, code="E107", at=()),
    "syntax of an expression": _put("${1 +}", "E401"),
    "unknown name": _put("$nothing", "E402"),
    "no value": _put("${1 // 0}", "E403"),
    "value too large": _put("${10 ** 30}", "E404"),
    "vector needed": _behind({"id": "bad", "from": "map", "linear": {"features": 2}}, code="E201", at=("linear",)),
    "window too large": _behind(_conv(kernel=9, padding="valid"), code="E202", at=("conv", "kernel")),
    "pool too large": _behind({"id": "bad", "from": "map", "max_pool": 9}, code="E202", at=("max_pool",)),
    "mismatching add": _behind(_FOUR, {"id": "bad", "add": ["map", "four"]}, code="E203", at=("add",)),
    "mismatching concat": _behind(
        {"id": "half", "from": "map", "max_pool": 2}, {"id": "bad", "concat": ["map", "half"]}, code="E203", at=("concat",)
    ),
    "too many inputs": _behind({"id": "bad", "from": ["map", "map"], "flatten": {}}, code="E204", at=("flatten",)),
    "groups that do not divide": _behind(_conv(groups=2), code="E205", at=("conv", "groups")),
    "shared weights of another shape": _behind(
        {**_FOUR, "id": "one"}, {"id": "bad", "from": "one", "shared": "one"}, code="E206", at=("shared",), of_key=True
    ),
    "reshape of another size": _behind({"id": "bad", "from": "map", "reshape": [7]}, code="E207", at=("reshape",)),
    "output that is not there": _behind({"id": "bad", "from": "map:5", "flatten": {}}, code="E303", at=("from",)),
    "use of what is only in training": _behind(
        {"id": "aux", "from": "map", "training_only": True, "flatten": {}},
        {"id": "bad", "from": "aux", "linear": {"features": 2}}, code="E304", at=("linear",),
    ),
    "another shape than expected": _behind({**_conv(), "expect": [2, 2, 5]}, code="E601", at=("expect",)),
    "too many parameters": _behind(
        {"id": "bad", "from": "start", "linear": {"features": 10**10}}, code="E703", at=("linear",)
    ),
    "tensor too large": _behind({"id": "bad", "from": "map", "upsample": 10**7}, code="E704", at=("upsample",)),
    "unknown key at the top": _top("E101", ("layer",), of_key=True, layer=[]),
    "unknown default": _top("E101", ("defaults", "conv", "kernal"), of_key=True, defaults={"conv": {"kernal": 3}}),
    "default of an unknown block": _top("E106", ("defaults", "convv"), of_key=True, defaults={"convv": {"kernel": 3}}),
    "param that is not declared": _top("E405", ("set", "nothing"), of_key=True, set={"nothing": 3}),
    "param without a value": _top("E406", (), params={"needed": "int"}),
    "param of the wrong type": _top("E103", ("params", "n", "default"), params={"n": {"type": "int", "default": "many"}}),
    "param out of range": _top("E104", ("params", "n", "default"), params={"n": {"type": "int", "default": 3, "max": 2}}),
    "block with the name of a built-in one": _top("E110", ("blocks", "conv"), of_key=True, blocks={"conv": {"layers": ["flatten"]}}),
    "block without layers": _top("E102", ("blocks", "mine"), of_key=True, blocks={"mine": {"params": {}}}),
    "unknown output": _top("E301", ("outputs", "y"), outputs={"y": "nowhere"}),
    "another count than expected": _top("E602", ("expect", "params"), expect={"params": 10**12}),
    "other work than expected": _top("E603", ("expect", "macs"), expect={"macs": 10**15}),
    "another output than expected": _top("E604", ("expect", "output"), expect={"output": [99, 98, 97]}),
    "another language": _top("E108", ("cnnspec",), cnnspec=2),
    "no name": _without("name", "E102"),
    "no layers": _without("layers", "E102"),
    "no version": _without("cnnspec", "E108"),
    "parent that is not there": _top("E501", ("extends",), extends="nowhere.yaml"),
    "edit without a parent": _top("E109", ("edits",), of_key=True, edits=[{"remove": "n1"}]),
}  # fmt: skip
