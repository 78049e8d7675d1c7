"""Counts over a graph: parameters, multiply-accumulates, operations, memory, receptive field.

What counts as what is written down in `ops.base.Cost`; parts that exist only in training are counted apart.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, fields
from math import prod

from cnnspec.graph import Graph, Node, Ref


@dataclass(frozen=True, slots=True)
class Totals:
    """The counts of a network, for one image."""

    params: int = 0
    state: int = 0
    macs: int = 0
    flops: int = 0
    activation_bytes: int = 0
    training_params: int = 0
    training_state: int = 0
    training_macs: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Totals)))

    @property
    def weight_bytes(self) -> int:
        """Bytes of what inference needs, in float32: parameters and running statistics."""
        return 4 * (self.params + self.state)


@dataclass(frozen=True, slots=True)
class Row:
    """The counts of one node. Parameters that an earlier node owns are not counted again."""

    node: Node
    params: int
    state: int
    macs: int
    flops: int
    activation_bytes: int
    #: Pixels of the input (height, width) that one output position sees; `None` for all of it, or none.
    receptive_field: tuple[int, int] | None


def rows(graph: Graph, with_fields: bool = True, without: Container[str] = ()) -> list[Row]:
    """The counts of every node but those `without`, in order; the receptive fields, too, where they are wanted."""
    seen: set[str] = set()
    fields = receptive_fields(graph) if with_fields else {}
    found = []
    for node in graph.nodes:
        if node.path in without:
            continue
        trained = state = 0
        for path in node.parameters.values():
            if path not in seen:
                seen.add(path)
                parameter = graph.parameters[path]
                if parameter.trainable:
                    trained += prod(parameter.shape)
                else:
                    state += prod(parameter.shape)
        cost = node.op.cost(graph.types_into(node), node.type)
        memory = sum(t.bytes for t in node.types)
        found.append(Row(node, trained, state, cost.macs, cost.flops, memory, fields.get(node.path)))
    return found


def totals(graph: Graph, apart: Mapping[str, Totals] | None = None) -> Totals:
    """The counts of the whole network; those of the nodes in `apart`, which stand for many, are known already."""
    known = apart or {}
    found = rows(graph, with_fields=False, without=known)
    own = [row for row in found if not row.node.training_only]
    extra = [row for row in found if row.node.training_only]
    counts = Totals(
        params=sum(r.params for r in own),
        state=sum(r.state for r in own),
        macs=sum(r.macs for r in own),
        flops=sum(r.flops for r in own),
        activation_bytes=sum(r.activation_bytes for r in own),
        training_params=sum(r.params for r in extra),
        training_state=sum(r.state for r in extra),
        training_macs=sum(r.macs for r in extra),
    )
    return sum((known[node.path] for node in graph.nodes if node.path in known), counts)


def receptive_fields(graph: Graph) -> dict[str, tuple[int, int]]:
    """The receptive field of every node that still has one (feature maps), in pixels of the input.

    **Source**: Araujo, Norris and Sim 2019, "Computing receptive fields of convolutional neural networks", equation 2.
    """
    reach: dict[Ref, tuple[tuple[int, int], tuple[int, int]]] = {}
    for entry in graph.inputs:
        if entry.type.rank == 3:
            reach[Ref(entry.name)] = ((1, 1), (1, 1))
    fields: dict[str, tuple[int, int]] = {}
    for node in graph.nodes:
        sources = [reach[ref] for ref in node.inputs if ref is not None and ref in reach]
        if not sources or node.type.rank != 3:
            continue
        field = (max(s[0][0] for s in sources), max(s[0][1] for s in sources))
        jump = (max(s[1][0] for s in sources), max(s[1][1] for s in sources))
        window = node.op.sliding_window(*graph.types_into(node))
        if window is not None:
            extent = [(k - 1) * d for k, d in zip(window.kernel, window.dilation, strict=True)]
            field = (field[0] + extent[0] * jump[0], field[1] + extent[1] * jump[1])
            jump = (jump[0] * window.stride[0], jump[1] * window.stride[1])
        fields[node.path] = field
        for port in range(len(node.types)):
            reach[Ref(node.path, port)] = (field, jump)
    return fields
