"""Blocks written in YAML that random specs use."""

from __future__ import annotations

from cnnspec.testing.nodes import Node

#: Blocks of one's own that specs may use: name -> (declaration, number of inputs).
OWN_BLOCKS: dict[str, tuple[Node, int]] = {
    "twice": (
        {"params": {"n": "int", "act": {"choice": ["relu", "tanh"], "default": "relu"}},
         "layers": [{"id": "a", "conv": {"filters": "$n", "act": "$act"}}, {"id": "b", "conv": {"filters": "${input.channels}"}}]}, 1,
    ),
    "cross": (
        {"inputs": ["left", "right"], "params": {"n": {"type": "int", "default": 3, "min": 1}},
         "layers": [{"id": "l", "from": "left", "conv": {"filters": "$n", "kernel": 1}},
                    {"id": "r", "from": "right", "conv": {"filters": "${n}", "kernel": 1}},
                    {"id": "sum", "from": ["l", "r"], "add": {}}, {"id": "rest", "conv": {"filters": 2}}],
         "outputs": "sum"}, 2,
    ),
    "fork": (
        {"params": {"n": "int"},
         "layers": [{"id": "a", "conv": {"filters": "$n"}}, {"id": "b", "from": "input", "conv": {"filters": "${2 * n}", "kernel": 1}}],
         "outputs": {"narrow": "a", "wide": "b"}}, 1,
    ),
    # Repeated, each turn takes the last two maps.
    "weave": (
        {"inputs": ["left", "right"], "params": {"n": "int"},
         "layers": [{"id": "l", "from": "left", "conv": {"filters": "$n", "kernel": 1}},
                    {"id": "r", "from": "right", "conv": {"filters": "$n", "kernel": 1}}, {"id": "sum", "add": ["l", "r"]}],
         "outputs": {"left": "sum", "right": "left"}}, 2,
    ),
}  # fmt: skip
