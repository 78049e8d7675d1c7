"""Makes one convolution of several 1x1 convolutions that read the same map."""

from __future__ import annotations

from dataclasses import replace

from cnnspec.graph import Derived, Graph, Node, Ref
from cnnspec.ops.conv import Conv
from cnnspec.ops.split import Split
from cnnspec.passes.rewriting import Rewriting

#: Input channels for each pixel of the output from which one wide product is faster than several narrow ones.
CHANNELS_PER_PIXEL = 2


def merge_convs(graph: Graph) -> Graph:
    """The graph in which parallel 1x1 convolutions of one map (inception branches, a shortcut) are one, and a split.

    Their kernels are joined by filters, as a derived parameter. It pays where the map is small and deep, so that the
    kernels are what is read; on a large map the split costs more than it saves (`python -m benchmarks.merging`).
    """
    groups = parallel(graph)
    if not groups:
        return graph
    rewriting = Rewriting(graph)
    first = {nodes[0].path: _merged(rewriting, nodes) for nodes in groups}
    gone = {node.path for nodes in groups for node in nodes}
    nodes = []
    for node in graph.nodes:
        if node.path in first:
            merged, split = first[node.path]
            nodes += [rewriting.rewired(merged), split]
        elif node.path not in gone:
            nodes.append(rewriting.rewired(node))
    return rewriting.result(nodes)


def parallel(graph: Graph, channels_per_pixel: float = CHANNELS_PER_PIXEL) -> list[list[Node]]:
    """The groups of 1x1 convolutions that read one map with one stride, where it is deep enough for its size."""
    alike: dict[object, list[Node]] = {}
    for node in graph.nodes:
        if isinstance(node.op, Conv) and _pays(node.op, graph, node, channels_per_pixel):
            iterations = tuple(
                i for region in graph.regions for i in region.iterations if node.path.startswith(f"{i}.")
            )
            alike.setdefault((node.inputs[0], node.op.stride, iterations), []).append(node)
    return [nodes for nodes in alike.values() if len(nodes) > 1]


def _pays(op: Conv, graph: Graph, node: Node, channels_per_pixel: float) -> bool:
    (x,) = graph.types_into(node)
    plain = op.kernel == (1, 1) and op.resolved_groups(x) == 1
    unpadded = op.padding.resolve((x.height, x.width), op.kernel, op.stride, op.dilation) == ((0, 0), (0, 0))
    return plain and unpadded and x.channels >= channels_per_pixel * node.type.height * node.type.width


def _merged(rewriting: Rewriting, nodes: list[Node]) -> tuple[Node, Node]:
    """The one convolution, and the split that takes its output apart again."""
    sizes = tuple(node.type.channels for node in nodes)
    path = _joined([node.path for node in nodes])
    kernels = [node.parameters["kernel"] for node in nodes]
    biases = {str(i): node.parameters["bias"] for i, node in enumerate(nodes) if "bias" in node.parameters}
    numbers = tuple(map(str, range(len(nodes))))
    shape = (1, 1, nodes[0].op.parameters(*rewriting.graph.types_into(nodes[0]))["kernel"].shape[2], sum(sizes))
    parameters = {"kernel": rewriting.derive(f"{path}.kernel", Derived(
        "concatenate", tuple(kernels), shape, {"roles": numbers, "lengths": sizes}))}  # fmt: skip
    if biases:
        parameters["bias"] = rewriting.derive(f"{path}.bias", Derived(
            "concatenate", tuple(biases.values()), (sum(sizes),), {"roles": tuple(biases), "lengths": sizes}))  # fmt: skip
    op = nodes[0].op.model_copy(update={"filters": sum(sizes), "bias": bool(biases)})
    type_ = nodes[0].type.with_channels(sum(sizes))
    merged = replace(nodes[0], path=path, op=op, types=(type_,), parameters=parameters)
    split = Node(f"{path}.split", Split(sizes=sizes), (Ref(path),), tuple(node.type for node in nodes),
                 origin=nodes[0].origin)  # fmt: skip
    for port, node in enumerate(nodes):
        rewriting.move(Ref(node.path), Ref(split.path, port))
    return merged, split


def _joined(paths: list[str]) -> str:
    """`a.b+c` for `a.b` and `a.c`: the scope that they share, and the names within it."""
    shared, names = "", [path.split(".") for path in paths]
    while all(len(name) > 1 and name[0] == names[0][0] for name in names):
        shared += f"{names[0][0]}."
        names = [name[1:] for name in names]
    return shared + "+".join(".".join(name) for name in names)
