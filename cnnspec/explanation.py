"""Why a network is computed as it is: the form of every node, what was folded into it, loops and tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnnspec.graph import Node

if TYPE_CHECKING:
    from cnnspec.compiled import Compiled


@dataclass(frozen=True)
class NodeForm:
    """A node of the compiled network: its form, the reason, and which nodes of the spec became part of it."""

    path: str
    op: str
    place: str
    inputs: tuple[str, ...]
    output: str
    form: str
    reason: str
    holds: tuple[str, ...]
    chosen: bool


@dataclass(frozen=True)
class Explanation:
    """The nodes in order, the repeats that run as loops, and how many images of the batch go together on a CPU."""

    platform: str
    batch: int
    nodes: tuple[NodeForm, ...]
    loops: tuple[str, ...]
    tile: int


def explain(compiled: Compiled, platform: str = "cpu", batch: int = 1) -> Explanation:
    """How `infer` computes a batch on a platform: "cpu" (this machine), "cuda" or "tpu"."""
    from cnnspec.lower.forms.measure import candidates

    graph = compiled.infer_graph
    tile = min(batch, compiled.tile(batch)) if platform == "cpu" else batch
    native = platform == "cpu" and compiled.native_tile(batch) is not None
    choices = compiled.choices(platform, tile, native)
    holds: dict[str, list[str]] = {}
    for scope, part_of in (*graph.absorbed.items(), *((scope, ref.node) for scope, ref in graph.scopes.items())):
        if scope in compiled.graph.by_path and scope not in graph.by_path:  # a node of the spec that is one no more
            holds.setdefault(part_of, []).append(scope)
    nodes = []
    for node in graph.nodes:
        types, choice = graph.types_into(node), choices[node.path]
        inputs, output = tuple(t.plain for t in types), ", ".join(t.plain for t in node.types)
        nodes.append(NodeForm(node.path, node.op.key, place_of(node), inputs, output, choice.form, choice.reason,
                              tuple(holds.get(node.path, ())), len(candidates(node, types)) > 1))  # fmt: skip
    loops = tuple(f"{loop.name}: {loop.layers} convolutions" for loop in compiled.inference_program.loops)
    return Explanation(platform, batch, tuple(nodes), loops, tile)


def place_of(node: Node) -> str:
    """`file:line` of the node of the spec that a node comes from; empty where it has none."""
    for origin in node.origin.chain() if node.origin is not None else ():
        if origin.span is not None:
            return f"{origin.span.source.name}:{origin.span.line}"
    return ""
