"""The faults by name: one mistake each, as somebody might make it."""

from __future__ import annotations

from typing import Any

from cnnspec.testing.nodes import Node
from cnnspec.testing.planting import (
    Fault,
    added,
    behind,
    behind_call,
    calling,
    choice,
    extending,
    image,
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
    "part of a split that is not named": behind(
        {"id": "parts", "from": "map", "split": 3}, {"id": "bad", "from": "parts", "flatten": {}}, code="E303", at=("from",)
    ),
    "split before what takes one output": behind(
        {"id": "parts", "from": "map", "split": 3}, {"id": "bad", "flatten": {}}, code="E303", at=("flatten",)
    ),
    "use of what is only in training": behind(
        {"id": "aux", "from": "map", "training_only": True, "flatten": {}},
        {"id": "bad", "from": "aux", "linear": {"features": 2}}, code="E304", at=("linear",),
    ),
    "another shape than expected": behind({**_conv(), "expect": [2, 2, 5]}, code="E601", at=("expect",)),
    "too many parameters": behind(
        {"id": "bad", "from": "start", "linear": {"features": 10**10}}, code="E703", at=("linear", "features")
    ),
    "tensor too large": behind({"id": "bad", "from": "map", "upsample": 10**7}, code="E704", at=("upsample",)),
    "fields that contradict each other": behind(_conv(groups=2, depthwise=True), code="E109", at=("conv", "groups")),
    "fields beside their block": behind({"id": "bad", "from": "map", "conv": None, "kernel": 3}, code="E107", at=("kernel",), of_key=True),
    "merge of nothing": behind({"id": "bad", "concat": {}}, code="E204", at=("concat",), of_key=True),
    "branch of another size": behind(
        {"id": "bad", "from": "map", "add": [{"conv": {"filters": 3, "stride": 2}}, "map"]}, code="E203", at=("add",)
    ),
    "label of other classes": behind(
        {"id": "one", "from": "start", "reshape": [3, 4]}, {"id": "bad", "from": ["one", "target"], "capsule_mask": {}},
        code="E203", at=("capsule_mask",), label=4,
    ),
    "typo in a branch": behind(
        {"id": "bad", "from": "map", "concat": ["map", {"conv": {"filtres": 3}}]}, code="E101",
        at=("concat", 1, "conv", "filtres"), of_key=True,
    ),
    "typo in a body": behind(
        {"id": "bad", "from": "map", "residual": {"body": [{"conv": {"filtres": 3}}]}}, code="E101",
        at=("residual", "body", 0, "conv", "filtres"), of_key=True,
    ),
    "typo in what is left out": behind(
        {"id": "bad", "from": "map", "when": False, "conv": {"filtres": 3}}, code="E101", at=("conv", "filtres"), of_key=True
    ),
    "typo in the first of a repeat": behind(
        {**_conv(), "repeat": 2, "first": {"strid": 2}}, code="E101", at=("first", "strid"), of_key=True
    ),
    "too many nodes": behind(
        {"id": "bad", "from": "map", "repeat": 9000, "layers": ["identity", "identity", "identity"]}, code="E701", at=("repeat",)
    ),
    "word of Python as an id": behind({**_conv(), "id": "lambda"}, code="E110", at=("id",)),
    "argument of an initialiser": behind(
        _conv(kernel_init={"normal": {"std": 1}}), code="E101", at=("conv", "kernel_init", "normal", "std"), of_key=True
    ),
    "field of a norm": behind(
        _conv(norm={"batch": {"epsilon": "small"}}), code="E103", at=("conv", "norm", "batch", "epsilon")
    ),
    "unknown key at the top": top("E101", ("layer",), of_key=True, layer=[]),
    "unknown default": top("E101", ("defaults", "conv", "kernal"), of_key=True, defaults={"conv": {"kernal": 3}}),
    "default of an unknown block": top("E106", ("defaults", "convv"), of_key=True, defaults={"convv": {"kernel": 3}}),
    "param that is not declared": top("E405", ("set", "nothing"), of_key=True, set={"nothing": 3}),
    "param without a value": top("E406", ("params", "needed"), of_key=True, params={"needed": "int"}),
    "param of the wrong type": top("E103", ("params", "n", "default"), params={"n": {"type": "int", "default": "many"}}),
    "param out of range": top("E104", ("params", "n", "default"), params={"n": {"type": "int", "default": 3, "max": 2}}),
    "block with the name of a built-in one": top("E110", ("blocks", "conv"), of_key=True, blocks={"conv": {"layers": ["flatten"]}}),
    "typo in a block that nothing uses": top(
        "E101", ("blocks", "mine", "layers", 0, "conv", "filtres"), of_key=True, blocks={"mine": {"layers": [{"conv": {"filtres": 3}}]}}
    ),
    "block that uses itself": calling({"loop": {"layers": ["loop"]}}, "loop", "E705", ("blocks", "loop", "layers", 0)),
    "block with another output": calling(
        {"mine": {"layers": [{"id": "a", "flatten": {}}], "outputs": "b"}}, "mine", "E301", ("blocks", "mine", "outputs")
    ),
    "block called with another param": behind_call("E101", ("twice", "m"), {"n": 2, "m": 3}, of_key=True),
    "block called without a param": behind_call("E102", ("twice",), {}, of_key=True),
    "param that another needs before it": top("E402", ("params", "early"), params={"early": "$late", "late": 3}),
    "bounds that contradict": top("E109", ("params", "n", "max"), params={"n": {"type": "int", "default": 2, "min": 3, "max": 1}}),
    "name of a param that is taken": top("E110", ("params", "index"), of_key=True, params={"index": 3}),
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
    "edit of what is not there": extending("E503", ("edits", 0, "remove"), {"edits": [{"remove": "nowhere"}]}),
    "edit that is none": extending("E101", ("edits", 0, "delete_after"), {"edits": [{"delete_after": "c1"}]}, of_key=True),
    "param of another type": extending("E103", ("params", "classes"), {"params": {"classes": "ten"}}),
    "import of what is not there": top("E504", ("imports", "lenet5", 0), imports={"lenet5": ["cell"]}),
    "mean of other channels": image("E109", ("preprocess", "mean"), {"mean": [0.5, 0.5]}),
    "crop of more than there is": image("E109", ("preprocess", "crop"), {"resize": 2, "crop": 3}),
    "division by nothing": image("E104", ("preprocess", "std"), {"std": 0.0}),
    "edit without a parent": top("E109", ("edits",), of_key=True, edits=[{"remove": "n1"}]),
}  # fmt: skip
