"""Single nodes: an op or a block with random fields that fits what comes in, and the type of what it gives."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from cnnspec.registry import keys, spec_class
from cnnspec.source import dump
from cnnspec.testing.checking import check_text
from cnnspec.testing.fitting import fits, repair
from cnnspec.testing.values import value_of
from cnnspec.types import TensorType

Node = dict[str, Any]

#: Blocks whose fields hold nodes, and ops that merge: `specs` builds them from parts.
COMPOSITE = frozenset({"residual", "add", "concat", "multiply"})


@st.composite
def blocks(draw: st.DrawFn, x: TensorType, key: str | None = None) -> Node:
    """A node `{key: fields}` that is valid behind an input of type `x`; of any key, unless one is given."""
    if key is None:
        key = draw(st.sampled_from(sorted(k for k in keys() - COMPOSITE if fits(k, x))))
    cls = spec_class(key)
    fields: dict[str, Any] = {}
    for attribute, info in cls.model_fields.items():
        name = info.alias or attribute
        values = value_of(name, info, x)
        # Most fields are left at their default, so that those that are given show.
        if values is not None and (info.is_required() or draw(st.integers(0, 3)) == 0):
            fields[name] = draw(values)
    return {key: repair(key, fields, x, draw)}


def output_type(
    node: Node, inputs: tuple[TensorType, ...], *, params: Node | None = None, own_blocks: Node | None = None
) -> tuple[TensorType, ...]:
    """The types of the outputs of a node behind inputs of these types.

    **Errors**: `AssertionError` where the node is not valid, with what the checker says.
    """
    return _output_type(json.dumps(node), inputs, json.dumps(params or {}), json.dumps(own_blocks or {}))


@lru_cache(maxsize=10_000)
def _output_type(node: str, inputs: tuple[TensorType, ...], params: str, own: str) -> tuple[TensorType, ...]:
    spec = {**around(json.loads(node), inputs), "params": json.loads(params), "blocks": json.loads(own)}
    checked = check_text(spec)
    if checked.loaded is None:
        from cnnspec.rendering import render_text

        raise AssertionError(f"not a valid node:\n{dump(spec)}\n{render_text(checked.diagnostics)}")
    graph = checked.loaded.graph
    ref = graph.scopes["node"]
    return graph.by_path[ref.node].types if ref.node in graph.by_path else (graph.type_of(ref),)


def around(node: Node, inputs: tuple[TensorType, ...]) -> Node:
    """A whole spec of one node, called `node`, behind inputs of these types."""
    declared: dict[str, Any] = {}
    layers: list[Node] = []
    names = []
    for number, x in enumerate(inputs):
        name = f"in{number}"
        if x.rank == 3:
            declared[name] = {"height": x.height, "width": x.width, "channels": x.channels}
        elif x.rank == 0:
            declared[name] = {"classes": x.classes}
        else:
            declared[name] = {"features": x.size}
        if x.rank == 2:
            layers.append({"id": f"capsules{number}", "from": name, "reshape": list(x.shape)})
            name = f"capsules{number}"
        if x.dtype == "bfloat16":
            layers.append({"id": f"cast{number}", "from": name, "cast": "bfloat16"})
            name = f"cast{number}"
        names.append(name)
    node = {"id": "node", "from": names, **{k: v for k, v in node.items() if k not in ("id", "from")}}
    spec = {"cnnspec": 1, "name": "one", "inputs": declared, "layers": [*layers, node]}
    return {**spec, "outputs": {"first": "node:0"}} if "split" in node else spec
