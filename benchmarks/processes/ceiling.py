"""`python -m benchmarks.processes.ceiling SPEC BATCH`: what a network's time is made of, against what the machine can do.

Prints JSON: the `images` that are computed at a time, the seconds of the `whole` as one program, and by kind of layer the
seconds that its steps take by themselves (`steps`) and that they would take at the ceiling of the machine (`least`).
"""

from __future__ import annotations

import json
import sys

import cnnspec
from cnnspec.graph import Node
from cnnspec.ops.conv import Conv
from cnnspec.pooling import Pool
from cnnspec.profiling import profile
from cnnspec.types import TensorType

KINDS = ("1x1", "larger kernels", "grouped", "depthwise", "pools", "the rest")


def kind_of(node: Node, inputs: tuple[TensorType, ...]) -> str:
    """The kind of layer that a node is, of `KINDS`."""
    op = node.op
    if isinstance(op, Pool):
        return "pools"
    if not isinstance(op, Conv):
        return "the rest"
    groups = op.resolved_groups(inputs[0])
    if groups > 1:
        return "depthwise" if groups == inputs[0].channels else "grouped"
    return "1x1" if op.kernel == (1, 1) else "larger kernels"


def main() -> None:
    name, batch = sys.argv[1:]
    compiled = cnnspec.compile(name).usual()
    found = profile(compiled, int(batch))
    graph = compiled.infer_graph
    steps, least = dict.fromkeys(KINDS, 0.0), dict.fromkeys(KINDS, 0.0)
    for step in found.steps:
        kind = kind_of(graph.by_path[step.path], graph.types_into(graph.by_path[step.path]))
        steps[kind] += step.seconds
        least[kind] += step.least
    print(json.dumps({"images": found.batch, "whole": found.network, "steps": steps, "least": least}))


if __name__ == "__main__":
    main()
