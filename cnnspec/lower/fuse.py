"""What follows a convolution becomes part of it, for a library that computes all of it in one call (`cnnspec.lower.onednn`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from cnnspec.graph import Graph, Node, Ref
from cnnspec.lower.onednn import ACTIVATIONS, convolve
from cnnspec.ops.activation import Activation
from cnnspec.ops.add import Add
from cnnspec.ops.base import Cost, Inputs, Op, Parameter, Run
from cnnspec.ops.conv import Conv
from cnnspec.passes.rewriting import Rewriting
from cnnspec.types import TensorType


class FusedConv(Op):
    """A convolution, then a sum with a second input, then an activation. No spec can name it.

    The last input is what the fused convolution before it gave, which is waited for: while oneDNN computes, it holds a
    thread of the pool that its own work needs, so that two at a time could wait for each other for ever.

    **Shape**: that of the convolution; the second input has the shape of the result.
    **Params**: those of the convolution.
    """

    key: ClassVar[str] = "fused_conv"
    arity: ClassVar[tuple[int, int | None]] = (1, 3)

    conv: Conv = Field(description="the convolution")
    adds: bool = Field(False, description="whether the second input is added")
    function: str | None = Field(None, description="the activation")
    waits: bool = Field(False, description="whether the last input is waited for")

    def infer(self, *inputs: TensorType) -> TensorType:
        return self.conv.infer(inputs[0])

    def parameters(self, *inputs: TensorType) -> dict[str, Parameter]:
        return self.conv.parameters(inputs[0])

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        return self.conv.cost(inputs[:1], output)

    def lower(self, run: Run, *inputs: Any) -> Any:
        import jax.numpy as jnp

        x, kernel, bias = inputs[0], run.param("kernel"), run.param("bias") if self.conv.bias else None
        if self.waits:
            zero = jnp.minimum(jnp.abs(inputs[-1].ravel()[0]), 0)
            bias = zero + (jnp.zeros(kernel.shape[-1], x.dtype) if bias is None else bias)
        summand = inputs[1] if self.adds else None
        return convolve(x, kernel, self.conv.geometry(x, kernel), bias, summand, self.function)


def fuse(graph: Graph, paths: Collection[str]) -> Graph:
    """The graph in which the convolutions at `paths` compute the sum and the activation behind them as well, where
    nothing else sees what comes between."""
    rewriting = Rewriting(graph)
    users = {ref: node for node in graph.nodes for ref in node.inputs if ref is not None}
    made: dict[str, Node] = {}
    taken: set[str] = set()

    def behind(node: Node) -> Node | None:
        """The one node that uses the output of `node`, if it is not part of another convolution."""
        user = users.get(Ref(node.path)) if rewriting.alone(Ref(node.path)) else None
        return user if user is not None and user.path not in taken else None

    for node in graph.nodes:
        if node.path not in paths or not isinstance(node.op, Conv):
            continue
        chain, inputs, function = [node], node.inputs, None
        add = behind(node)
        adds = add is not None and isinstance(add.op, Add) and len(add.inputs) == 2
        if add is not None and adds:
            inputs += tuple(ref for ref in add.inputs if ref != Ref(node.path))
            chain.append(add)
        act = behind(chain[-1])
        if act is not None and isinstance(act.op, Activation) and act.op.function in ACTIVATIONS:
            function = act.op.function
            chain.append(act)
        own = {name: path for name, path in node.parameters.items() if "@" not in name}  # no layouts of our forms
        op = FusedConv(conv=node.op, adds=adds, function=function)
        fused = replace(node, op=op, inputs=inputs, parameters=own)
        made[chain[-1].path] = fused  # where everything that comes in is known
        taken |= {part.path for part in chain}
        if len(chain) > 1:
            rewriting.move(Ref(chain[-1].path), Ref(node.path))
    nodes = (made.get(node.path, node) for node in graph.nodes if node.path in made or node.path not in taken)
    return rewriting.result(_one_by_one(map(rewriting.rewired, nodes)))


def _one_by_one(nodes: Iterable[Node]) -> Iterator[Node]:
    """The nodes, of which every fused convolution waits for the one before it."""
    before: Ref | None = None
    for node in nodes:
        if not isinstance(node.op, FusedConv):
            yield node
            continue
        waits = before is not None and before not in node.inputs
        op = node.op.model_copy(update={"waits": waits})
        yield replace(node, op=op, inputs=(*node.inputs, before) if waits else node.inputs)
        before = Ref(node.path)
