"""What a capsule network's decoder draws: reconstructions, and what each dimension of a capsule stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cnnspec.data.base import Dataset
from cnnspec.graph import Graph, Input, Ref
from cnnspec.lower.program import Program
from cnnspec.training import pictures
from cnnspec.training.network import Network

#: As in the paper's figure 4: from -0.25 to 0.25 in steps of 0.05.
CHANGES = np.linspace(-0.25, 0.25, 11)
SAMPLES = 12


def capsule_pictures(
    folder: Path, network: Network, params: Mapping[str, Any], state: Mapping[str, Any], images: Dataset
) -> None:
    """Write `reconstructions.png` and `dimensions.png`, where the network has capsules and a decoder at inference.

    **Source**: Sabour, Frosst and Hinton 2017, figures 3 and 4, arXiv:1710.09829.
    """
    graph = network.compiled.inference_program.graph
    name = network.task.loss.reconstruction
    capsules = capsule_output(graph, network.task.classes)
    if name not in graph.outputs or capsules is None:
        return
    prepared = network.compiled.prepare(params, state)
    chosen = np.linspace(0, len(images) - 1, SAMPLES).astype(np.int64)
    pixels, _ = images.read(chosen)
    labels = jnp.asarray(images.labels[chosen])
    outputs = network.compiled.inference_function(prepared, network.task.inputs(jnp.asarray(pixels)))
    shape = (SAMPLES, *pixels.shape[1:])
    pictures.rows_of_images(
        folder / "reconstructions.png",
        [("input", pixels / 255), ("decoded", np.asarray(outputs[name]).reshape(shape))],
        title=f"{network.name}: held-out images, and what the decoder makes of their longest capsule",
    )
    below = graph_below(graph, graph.outputs[capsules], name)
    run = jax.jit(Program(below).apply)

    labelled = network.task.label in below.input_types
    vectors, own = outputs[capsules][0], int(labels[0])
    rows = []
    for dimension in range(vectors.shape[-1]):
        changed = jnp.stack([vectors.at[own, dimension].add(change) for change in CHANGES])
        given = {graph.outputs[capsules].node: changed}
        if labelled:
            given[str(network.task.label)] = jnp.full(len(CHANGES), own, jnp.int32)
        drawn = run(prepared, prepared, given)[0][name]
        rows.append((f"dimension {dimension}", np.asarray(drawn).reshape(len(CHANGES), *pixels.shape[1:])))
    pictures.rows_of_images(
        folder / "dimensions.png", rows, title=f"{network.name}: what each dimension of a capsule stands for",
        below=f"the dimension changed by {CHANGES[0]:g} to {CHANGES[-1]:g}",
    )  # fmt: skip


def capsule_output(graph: Graph, classes: int) -> str | None:
    """The output that holds one vector a class."""
    found = (
        n for n, ref in graph.outputs.items() if graph.type_of(ref).rank == 2 and graph.type_of(ref).shape[0] == classes
    )
    return next((name for name in found if graph.outputs[name].port == 0), None)


def graph_below(graph: Graph, start: Ref, output: str) -> Graph:
    """The part of a graph that computes `output` from `start`, which becomes an input of its own."""
    needed, waiting = set[str](), [graph.outputs[output]]
    while waiting:
        node = graph.by_path.get(waiting.pop().node)
        if node is None or node.path == start.node or node.path in needed:
            continue
        needed.add(node.path)
        waiting += [ref for ref in node.inputs if ref is not None]
    nodes = tuple(node for node in graph.nodes if node.path in needed)
    used = {ref.node for node in nodes for ref in node.inputs if ref is not None}
    inputs = (*(i for i in graph.inputs if i.name in used), Input(start.node, graph.type_of(start)))
    return replace(graph, inputs=inputs, nodes=nodes, outputs={output: graph.outputs[output]}, scopes={}, regions=())
