"""The faults by name: one mistake each, as somebody might make it."""

from __future__ import annotations

from typing import Any

from cnnspec.testing.nodes import Node
from cnnspec.testing.planting import (
    Fault,
    added,
    behind,
    choice,
    missing,
    put,
    reserved,
    top,
    typo,
    unknown_block,
    unknown_key,
    without,
)

_FOUR: Node = {"id": "four", "from": "map", "conv": {"filters": 4}}


def _conv(**fields: Any) -> Node:
    return {"id": "bad", "from": "map", "conv": {"filters": 4, **fields}}


FAULTS: dict[str, Fault] = {
    "typo in a field": typo,
    "field that is not there": added,
    "missing field": missing,
    "text for a number": put("many", "E103"),
    "list for a number": put([], "E103"),
    "number out of range": put(0, "E104"),
    "word that is no choice": choice,
    "unknown block": unknown_block,
    "unknown key of a node": unknown_key,
    "unknown id": reserved("from", "nowhere", "E301"),
    "first without repeat": behind({**_conv(), "first": {"stride": 2}}, code="E109", at=("first",)),
    "repeat that is no count": reserved("repeat", -1, "E103"),
    "repeat without end": reserved("repeat", 10**9, "E702"),
    "when that is no truth": reserved("when", 3, "E103"),
    "id that is none": behind({**_conv(), "id": "9th"}, code="E110", at=("id",)),
    "id used twice": behind({**_conv(), "id": "map"}, code="E302", at=("id",)),
    "node without a block": behind({"id": "bad", "from": "map"}, code="E107", at=()),
    "two blocks in a node": behind({**_conv(), "flatten": {}}, code="E107", at=()),
    "syntax of an expression": put("${1 +}", "E401"),
    "unknown name": put("$nothing", "E402"),
    "no value": put("${1 // 0}", "E403"),
    "value too large": put("${10 ** 30}", "E404"),
    "vector needed": behind({"id": "bad", "from": "map", "linear": {"features": 2}}, code="E201", at=("linear",)),
    "window too large": behind(_conv(kernel=9, padding="valid"), code="E202", at=("conv", "kernel")),
    "pool too large": behind({"id": "bad", "from": "map", "max_pool": 9}, code="E202", at=("max_pool",)),
    "mismatching add": behind(_FOUR, {"id": "bad", "add": ["map", "four"]}, code="E203", at=("add",)),
    "mismatching concat": behind(
        {"id": "half", "from": "map", "max_pool": 2}, {"id": "bad", "concat": ["map", "half"]}, code="E203", at=("concat",)
    ),
    "too many inputs": behind({"id": "bad", "from": ["map", "map"], "flatten": {}}, code="E204", at=("flatten",)),
    "groups that do not divide": behind(_conv(groups=2), code="E205", at=("conv", "groups")),
    "shared weights of another shape": behind(
        {**_FOUR, "id": "one"}, {"id": "bad", "from": "one", "shared": "one"}, code="E206", at=("shared",), of_key=True
    ),
    "reshape of another size": behind({"id": "bad", "from": "map", "reshape": [7]}, code="E207", at=("reshape",)),
    "output that is not there": behind({"id": "bad", "from": "map:5", "flatten": {}}, code="E303", at=("from",)),
    "use of what is only in training": behind(
        {"id": "aux", "from": "map", "training_only": True, "flatten": {}},
        {"id": "bad", "from": "aux", "linear": {"features": 2}}, code="E304", at=("linear",),
    ),
    "another shape than expected": behind({**_conv(), "expect": [2, 2, 5]}, code="E601", at=("expect",)),
    "too many parameters": behind(
        {"id": "bad", "from": "start", "linear": {"features": 10**10}}, code="E703", at=("linear", "features")
    ),
    "tensor too large": behind({"id": "bad", "from": "map", "upsample": 10**7}, code="E704", at=("upsample",)),
    "unknown key at the top": top("E101", ("layer",), of_key=True, layer=[]),
    "unknown default": top("E101", ("defaults", "conv", "kernal"), of_key=True, defaults={"conv": {"kernal": 3}}),
    "default of an unknown block": top("E106", ("defaults", "convv"), of_key=True, defaults={"convv": {"kernel": 3}}),
    "param that is not declared": top("E405", ("set", "nothing"), of_key=True, set={"nothing": 3}),
    "param without a value": top("E406", ("params", "needed"), of_key=True, params={"needed": "int"}),
    "param of the wrong type": top("E103", ("params", "n", "default"), params={"n": {"type": "int", "default": "many"}}),
    "param out of range": top("E104", ("params", "n", "default"), params={"n": {"type": "int", "default": 3, "max": 2}}),
    "block with the name of a built-in one": top("E110", ("blocks", "conv"), of_key=True, blocks={"conv": {"layers": ["flatten"]}}),
    "block without layers": top("E102", ("blocks", "mine"), of_key=True, blocks={"mine": {"params": {}}}),
    "unknown output": top("E301", ("outputs", "y"), outputs={"y": "nowhere"}),
    "another count than expected": top("E602", ("expect", "params"), expect={"params": 10**12}),
    "other work than expected": top("E603", ("expect", "macs"), expect={"macs": 10**15}),
    "another output than expected": top("E604", ("expect", "output"), expect={"output": [99, 98, 97]}),
    "another language": top("E108", ("cnnspec",), cnnspec=2),
    "no name": without("name", "E102"),
    "no layers": without("layers", "E102"),
    "no version": without("cnnspec", "E108"),
    "parent that is not there": top("E501", ("extends",), extends="nowhere.yaml"),
    "edit without a parent": top("E109", ("edits",), of_key=True, edits=[{"remove": "n1"}]),
}  # fmt: skip
