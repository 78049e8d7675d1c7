"""Why a network is computed as it is: the form of every node, what was folded into it, loops and tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnnspec.graph import Node
from cnnspec.lower.forms.choose import Choice, choose_library

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
    """The nodes in order, the repeats that run as loops, and how many images of the batch go together on a CPU.

    `library` computes the products of matrices, for the reason in `library_reason`; other platforms have one of their own, and `""`.
    """

    platform: str
    batch: int
    nodes: tuple[NodeForm, ...]
    loops: tuple[str, ...]
    tile: int
    library: str
    library_reason: str


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
    library = choose_library(compiled.product_macs) if platform == "cpu" else Choice("", "")
    return Explanation(platform, batch, tuple(nodes), loops, tile, library.form, library.reason)


def place_of(node: Node) -> str:
    """`file:line` of the node of the spec that a node comes from; empty where it has none."""
    for origin in node.origin.chain() if node.origin is not None else ():
        if origin.span is not None:
            return f"{origin.span.source.name}:{origin.span.line}"
    return ""
