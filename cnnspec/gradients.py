"""The gradient at every node of a network at initialisation: whether it vanishes, explodes, or arrives.

Every output of every node gets a tap, an array of zeros that is added to it. The gradient of the loss with respect to a
tap is the gradient with respect to that output, and one backward pass gives all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from cnnspec.cache import enable_compilation_cache
from cnnspec.files import written_whole
from cnnspec.frontend import LoadedSpec
from cnnspec.graph import Graph, Node, Ref
from cnnspec.lower.initialise import initial_values
from cnnspec.lower.program import Program
from cnnspec.ops.base import Op, Run
from cnnspec.passes.pipeline import run_passes
from cnnspec.types import TensorType


@dataclass(frozen=True)
class NodeGradient:
    """The gradient at one node: norms over the whole batch, of a loss that is a mean over the batch.

    `output` is with respect to what the node gives, `params` with respect to its own parameters (`None` without any).
    """

    path: str
    op: str
    output: float
    params: float | None


@dataclass(frozen=True)
class Gradients:
    """The gradients of one network, in the order of its nodes."""

    name: str
    loss: float
    nodes: tuple[NodeGradient, ...]

    @property
    def growth(self) -> float | None:
        """The factor by which a layer changes the gradient on its way back, as a mean over all layers.

        Below 1 it vanishes, above 1 it explodes; `None` where fewer than two layers get any.
        """
        reached = [n.output for n in self.weighted if n.output > 0]
        return float((reached[0] / reached[-1]) ** (1 / (len(reached) - 1))) if len(reached) > 1 else None

    @property
    def weighted(self) -> tuple[NodeGradient, ...]:
        """The layers in the narrow sense: nodes with a kernel."""
        return tuple(n for n in self.nodes if n.op in _LAYERS and n.params is not None)


_LAYERS = frozenset({"conv", "conv_transpose", "connection_conv", "linear", "capsule_prediction"})


class Tap(Op):
    """Adds an array of zeros, so that a gradient can be taken with respect to it."""

    key: ClassVar[str] = "tap"

    def infer(self, *inputs: TensorType) -> TensorType:
        return inputs[0]

    def lower(self, run: Run, *inputs: Any) -> Any:
        return inputs[0] + run.param("tap").astype(inputs[0].dtype)


def tapped(graph: Graph) -> tuple[Graph, dict[str, Ref]]:
    """The graph with a tap behind every output of every node, and the output that each tap stands behind."""
    nodes: list[Node] = []
    taps: dict[str, Ref] = {}
    behind: dict[Ref, Ref] = {}

    def moved(ref: Ref | None) -> Ref | None:
        return behind.get(ref, ref) if ref is not None else None

    for node in graph.nodes:
        nodes.append(Node(node.path, node.op, tuple(map(moved, node.inputs)), node.types, node.parameters,
                          node.training_only, node.origin))  # fmt: skip
        for port, type_ in enumerate(node.types):
            if type_.dtype == "float32":
                path, ref = f"{node.path}:{port}:tap", Ref(node.path, port)
                nodes.append(Node(path, Tap(), (ref,), (type_,), {"tap": path}, node.training_only))
                taps[path], behind[ref] = ref, Ref(path)
    outputs = {name: behind.get(ref, ref) for name, ref in graph.outputs.items()}
    return graph.with_nodes(tuple(nodes), outputs=outputs, regions=()), taps


def gradients(loaded: LoadedSpec, batch: int = 8, seed: int = 0) -> Gradients:
    """The gradients of a batch of random images with random classes, at the initial weights of a seed.

    The loss is the cross-entropy of the first output where that is a vector (of the negative distances of a
    radial-basis output), and half the mean square of anything else; auxiliary outputs have no part in it.
    """
    enable_compilation_cache()
    graph = run_passes(loaded.graph, "train")[-1].graph
    tapped_graph, taps = tapped(graph)
    params, state = initial_values(graph, seed)
    random = np.random.default_rng(seed)
    inputs: dict[str, Any] = {}
    for entry in graph.inputs:
        if entry.type.dtype == "int32":
            classes = loaded.document.inputs[entry.name].classes or 2
            inputs[entry.name] = random.integers(0, classes, (batch, *entry.type.shape)).astype(np.int32)
        else:
            inputs[entry.name] = random.standard_normal((batch, *entry.type.shape), np.float32)
    name, ref = next(iter(graph.outputs.items()))
    producer = graph.by_path.get(ref.node)
    sign = -1.0 if producer is not None and producer.op.key == "radial_basis_output" else 1.0
    labels = random.integers(0, graph.type_of(ref).shape[-1], batch)
    program = Program(tapped_graph)

    def loss(arrays: Mapping[str, Any]) -> Any:
        outputs, _ = program.apply(arrays, state, inputs, rng=jax.random.key(seed), train=True)
        value = outputs[name].astype(jnp.float32)
        if value.ndim == 2:
            return -jnp.take_along_axis(jax.nn.log_softmax(sign * value), labels[:, None], 1).mean()
        return 0.5 * jnp.square(value).reshape(batch, -1).mean(-1).mean()

    zeros = {path: jnp.zeros((batch, *graph.type_of(source).shape)) for path, source in taps.items()}
    # Not jitted: the layers of a deep network are alike, and each is compiled once, where the whole would take minutes.
    value, found = jax.value_and_grad(loss)({**{p: jnp.asarray(v) for p, v in params.items()}, **zeros})
    squares = {path: float(jnp.square(array).sum()) for path, array in found.items()}
    return Gradients(loaded.document.name, float(value), tuple(_nodes(graph, taps, squares)))


def _nodes(graph: Graph, taps: Mapping[str, Ref], squares: Mapping[str, float]) -> list[NodeGradient]:
    outputs: dict[str, float] = {}
    for path, ref in taps.items():
        outputs[ref.node] = outputs.get(ref.node, 0.0) + squares[path]
    found = []
    for node in graph.nodes:
        own = [squares[path] for path in node.parameters.values() if path in squares]
        output = outputs.get(node.path, 0.0)
        found.append(NodeGradient(node.path, node.op.key, output**0.5, sum(own) ** 0.5 if own else None))
    return found


def draw(path: Path, networks: list[Gradients]) -> None:
    """A picture (PNG): for every layer in order, the norm with respect to its output and to its parameters."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(12, 4.2), layout="tight")
    for place, (title, what) in enumerate((("output of a layer", "output"), ("parameters of a layer", "params"))):
        axes = figure.add_subplot(1, 2, place + 1)
        for network in networks:
            values = [getattr(n, what) or np.nan for n in network.weighted]  # a logarithm has no zero
            axes.plot(range(1, len(values) + 1), values, marker=".", markersize=4, linewidth=1, label=network.name)
        axes.set(title=f"gradient with respect to the {title}", xlabel="layer", ylabel="norm", yscale="log")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3, which="both")
        axes.legend()
    with written_whole(path) as beside:
        figure.savefig(beside, format="png", dpi=110)
