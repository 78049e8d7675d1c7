"""`python -m benchmarks.merging`: parallel 1x1 convolutions one by one and as one, on this machine.

Beside the ratio stands what `cnnspec.passes.merge_convs` decides by the channels for each pixel.
"""

from __future__ import annotations

import argparse
from functools import partial
from itertools import accumulate
from typing import Any

import jax
import jax.numpy as jnp

from cnnspec.cli.output import Table
from cnnspec.frontend import load_spec
from cnnspec.graph import Graph, Node
from cnnspec.lower.forms.conv import Geometry, dot
from cnnspec.lower.forms.measure import in_turns, random_array
from cnnspec.passes.merge_convs import CHANNELS_PER_PIXEL, parallel
from cnnspec.passes.pipeline import run_passes

NETWORKS = ["googlenet", "inception_v3", "resnet50", "densenet121", "squeezenet1_1", "nasnet_a_mobile"]


def measure(graph: Graph, nodes: list[Node], batch: int) -> dict[str, float]:
    """Seconds of the convolutions with bias and ReLU, each by itself and joined."""
    (kind,) = graph.types_into(nodes[0])
    x = jax.device_put(random_array((batch, *kind.shape)))
    sizes = [node.type.channels for node in nodes]
    kernels = [jax.device_put(random_array((1, 1, kind.channels, size))) for size in sizes]
    biases = [jax.device_put(random_array((size,))) for size in sizes]
    geometry = Geometry(nodes[0].op.stride, ((0, 0), (0, 0)), (1, 1), 1)  # type: ignore[attr-defined]

    @jax.jit
    def apart(x: Any, kernels: Any, biases: Any) -> Any:
        return [jax.nn.relu(dot(x, k, geometry) + b) for k, b in zip(kernels, biases, strict=True)]

    @jax.jit
    def joined(x: Any, kernel: Any, bias: Any) -> Any:
        y = dot(x, kernel, geometry) + bias
        return [jax.nn.relu(part) for part in jnp.split(y, list(accumulate(sizes))[:-1], -1)]

    one = (jnp.concatenate(kernels, -1), jnp.concatenate(biases))
    return in_turns({"apart": partial(apart, x, kernels, biases), "joined": partial(joined, x, *one)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--batch", type=int, default=1)
    arguments = parser.parse_args()
    table = Table(
        ["map", "filters", "channels a pixel", "apart ms", "joined ms", "apart / joined", "joined"], right=range(2, 6)
    )
    seen: set[tuple[Any, ...]] = set()
    for name in arguments.networks:
        stages = run_passes(load_spec(name).graph, "infer")
        graph = next(stage.graph for stage in stages if stage.name == "fold_pads")
        for nodes in parallel(graph, 0):
            (kind,) = graph.types_into(nodes[0])
            key = (kind.shape, nodes[0].type.shape[:2], tuple(node.type.channels for node in nodes))
            if key in seen:
                continue
            seen.add(key)
            seconds = measure(graph, nodes, arguments.batch)
            pixels = nodes[0].type.height * nodes[0].type.width
            table.add(kind.plain, " + ".join(map(str, key[2])), f"{kind.channels / pixels:.2f}",
                      f"{1e3 * seconds['apart']:.3f}", f"{1e3 * seconds['joined']:.3f}",
                      f"{seconds['apart'] / seconds['joined']:.2f}",
                      "yes" if kind.channels >= CHANNELS_PER_PIXEL * pixels else "no")  # fmt: skip
    table.rows.sort(key=lambda row: float(row[2]))
    print(table.plain())


if __name__ == "__main__":
    main()
