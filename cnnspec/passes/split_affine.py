"""Gives the parts of a concatenation the normalisation that follows it, so that it can be folded into them."""

from __future__ import annotations

from dataclasses import replace

from cnnspec.graph import Derived, Graph, Node, Ref
from cnnspec.ops.concat import Concat
from cnnspec.passes.fold_affine import LAYERS, is_affine
from cnnspec.passes.rewriting import Rewriting


def split_affine(graph: Graph) -> Graph:
    """The graph with every affine op behind a concatenation of layers taken apart: each layer gets its channels of it.

    Exact, since an affine op treats every channel by itself. Done only where every part is a layer (or again such a
    concatenation) that nothing else uses, since only then can `fold_affine` make the parts vanish.
    """
    while True:
        found = _one(graph)
        if found is None:
            return graph
        graph = found


def _one(graph: Graph) -> Graph | None:
    """The graph with one affine op taken apart; `None` where there is none to take apart."""
    rewriting = Rewriting(graph)
    for node in graph.nodes:
        ref = node.inputs[0] if len(node.inputs) == 1 else None
        if ref is not None and is_affine(node.op) and _is_concat(graph, ref) and _of_layers(rewriting, ref):
            return _apart(rewriting, node, graph.by_path[ref.node])
    return None


def _is_concat(graph: Graph, ref: Ref) -> bool:
    source = graph.by_path.get(ref.node)
    return source is not None and isinstance(source.op, Concat)


def _of_layers(rewriting: Rewriting, ref: Ref | None) -> bool:
    """Whether an output that nothing else uses is that of a layer, or of a concatenation of such."""
    source = rewriting.graph.by_path.get(ref.node) if ref is not None else None
    if source is None or not rewriting.alone(ref):
        return False
    if isinstance(source.op, Concat):
        return all(_of_layers(rewriting, part) for part in source.inputs)
    return isinstance(source.op, LAYERS)


def _apart(rewriting: Rewriting, affine: Node, concat: Node) -> Graph:
    graph = rewriting.graph
    parts, start = [], 0
    for number, ref in enumerate(concat.inputs):
        assert ref is not None
        type_ = graph.type_of(ref)
        stop = start + type_.channels
        parameters = {
            name: _slice(rewriting, path, f"{affine.path}.{number}.{name}", start, stop)
            for name, path in affine.parameters.items()
        }
        parts.append(
            replace(affine, path=f"{affine.path}.{number}", inputs=(ref,), types=(type_,), parameters=parameters)
        )
        start = stop
    rewriting.lose(Ref(concat.path), affine.path)
    rewriting.move(Ref(affine.path), Ref(concat.path))
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.path == concat.path:
            nodes += [*parts, replace(node, inputs=tuple(Ref(part.path) for part in parts))]
        elif node.path != affine.path:
            nodes.append(rewriting.rewired(node))
    return rewriting.result(nodes)


def _slice(rewriting: Rewriting, path: str, new: str, start: int, stop: int) -> str:
    """The path of a parameter's share; a single number is for all channels."""
    if rewriting.shape(path) == (1,):
        return path
    arguments = {"roles": ("whole",), "start": start, "stop": stop}
    return rewriting.derive(new, Derived("slice", (path,), (stop - start,), arguments))
