"""Every operation of the compiled program says which node it is of: in loops, recomputed, in gradients and in every form."""

from __future__ import annotations

import re

import jax
import numpy as np
import pytest

import cnnspec
from cnnspec.lower.loops import find_loops
from cnnspec.lower.program import Program
from cnnspec.lower.training import TrainingFunction

CHAIN = {
    "cnnspec": 1, "name": "chain", "input": {"height": 4, "width": 4, "channels": 2},
    "layers": [
        {"id": "stage", "repeat": 5, "conv": {"filters": 2, "kernel": 3, "norm": "batch", "act": "relu"}},
        {"id": "head", "conv": {"filters": 4, "kernel": 1, "groups": 2}}, {"id": "pool", "max_pool": 2},
        "global_avg_pool", {"id": "classifier", "linear": {"features": 3}},
    ],
    "outputs": {"logits": "classifier"},
}  # fmt: skip


def names_in(compiled_text: str) -> str:
    """All names that the metadata of the operations bear, as one text."""
    return "\n".join(sorted(set(re.findall(r'op_name="([^"]*)"', compiled_text))))


def named(path: str, names: str) -> bool:
    """Whether an operation bears the path, as a whole scope of its name."""
    return re.search(rf"(^|[/(]){re.escape(path)}([/)]|$)", names, re.MULTILINE) is not None


def working(graph):
    """The nodes that compute something: others may leave no operation behind."""
    return [node.path for node in graph.nodes if node.op.key not in ("flatten", "reshape", "identity", "split")]


@pytest.fixture(scope="module")
def chain():
    network = cnnspec.compile(CHAIN)
    params, state = network.init(1)
    return network, params, state, np.zeros((2, 4, 4, 2), np.float32)


@pytest.mark.parametrize(("name", "size"), [("mobilenet_v2", 32), ("se_resnext50_32x4d", 32), ("googlenet", 64)])
def test_inference_names_every_node(name, size):
    network = cnnspec.compile(name, set={"input.height": size, "input.width": size} if name != "googlenet" else {})
    graph = network.inference_program.graph
    weights = network.prepared_shapes(*network.init())
    inputs = {e.name: jax.ShapeDtypeStruct((1, *e.type.shape), e.type.dtype) for e in graph.inputs}
    text = jax.jit(network.inference_function).lower(weights, inputs).as_text(debug_info=True)
    names = "\n".join(set(re.findall(r'loc\("([^"]*)"', text)))
    assert [path for path in working(graph) if not named(path, names)] == []


def test_the_compiled_program_keeps_the_names(chain):
    network, params, state, x = chain
    text = jax.jit(network.inference_function).lower(network.prepare(params, state), x).compile().as_text()
    graph = network.inference_program.graph
    assert [path for path in working(graph) if not named(path, names_in(text))] == []


def test_loops_bear_the_name_of_the_run_and_of_the_node(chain):
    network, params, state, x = chain
    graph = network.infer_stages[-1].graph
    loops = find_loops(graph, 0)
    prepared = network.prepare(params, state)
    text = jax.jit(lambda p, x: Program(graph, {}, loops).apply(p, p, x)[0]).lower(prepared, x).compile().as_text()
    names = names_in(text)
    for loop in loops:
        for node in loop.body:
            assert re.search(rf"{re.escape(loop.name)}/.*{re.escape(node.path)}", names), node.path
    rolled = {node.path for loop in loops for body in loop.bodies for node in body}
    assert [path for path in working(graph) if path not in rolled and not named(path, names)] == []


@pytest.mark.parametrize("loop_layers", [0, 10**9])
def test_gradients_and_what_is_computed_again_are_named(chain, loop_layers):
    network, params, state, x = chain
    function = TrainingFunction(network.train_stages[-1].graph, ("stage",), loop_layers=loop_layers)

    def loss(params):
        return function(params, state, x, rng=jax.random.key(0))[0]["logits"].sum()

    names = names_in(jax.jit(jax.grad(loss)).lower(params).compile().as_text())
    rolled = {node.path for loop in function.program.loops for body in loop.bodies[1:] for node in body}
    convolutions = [n.path for n in network.graph.nodes if n.op.key == "conv" and n.path not in rolled]
    for path in convolutions:
        assert named(path, names), path
        lines = [line for line in names.splitlines() if named(path, line)]
        assert any("transpose" in line for line in lines), path
    again = [line for line in names.splitlines() if "rematted" in line or "checkpoint" in line]
    assert any(re.search(r"stage\.\d", line) for line in again)
