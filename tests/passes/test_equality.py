"""Every pass keeps the outputs, and every value that can still be asked for by its id."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cnnspec
from cnnspec.graph import Graph, Ref
from cnnspec.lower.derive import arguments_of, derive
from cnnspec.lower.program import Program
from cnnspec.passes.pipeline import PIPELINE, Stage, run_passes
from cnnspec.testing import check_text, specs
from cnnspec.weights.synthetic import synthetic_inputs, synthetic_weights
from tests.passes.networks import networks

SMALL, WIDER = ({"input.height": size, "input.width": size} for size in (48, 96))
#: Every day `tests/lower/test_compiled.py` looks at the outputs of families, from the first pass to the last form.
FAMILIES = [
    ("resnet18", SMALL), ("densenet121", SMALL), ("mobilenet_v2", SMALL), ("efficientnet_b0", SMALL), ("capsnet", {}),
    ("shufflenet_v2_x0_5", SMALL), ("squeezenet1_0_complex_bypass", SMALL), ("lenet5", {}),
    ("se_resnext50_32x4d", SMALL), ("googlenet_torchvision", WIDER), ("wrn_28_10", {"k": 1}), ("inception_v3", {"aux": False, **WIDER}),
    ("nasnet_a_mobile", {}), ("inception_resnet_v2", WIDER), ("xception", WIDER),
]  # fmt: skip
NAMES = [step.name for step in PIPELINE if "infer" in step.when]


def stages_of(spec: Any) -> list[Stage]:
    """The stages of inference; none where the spec is not valid."""
    loaded = check_text(spec).loaded
    return run_passes(loaded.graph, "infer") if loaded is not None else []


def changed(stages: list[Stage], name: str) -> bool:
    """Whether the pass of that name does anything."""
    return any(a.graph is not b.graph and str(a.graph) != str(b.graph) for a, b in pairwise(stages) if b.name == name)


def values(graph: Graph, weights: dict[str, Any], inputs: dict[str, Any], features: list[str]) -> dict[str, Any]:
    """The outputs and features of a graph."""
    arrays = derive(arguments_of(graph), graph.derived, weights)
    given = {entry.name: inputs[entry.name] for entry in graph.inputs if entry.name in inputs}
    run = jax.jit(lambda arrays, given: Program(graph).apply(arrays, arrays, given, features=features)[0])
    return run(arrays, given)


def check(one: Graph, other: Graph, features: bool = True) -> None:
    """The second graph computes what the first does; no scope is lost without a note."""
    if features:
        assert set(one.scopes) == set(other.scopes) | (set(other.absorbed) - set(one.absorbed))
    weights, inputs = synthetic_weights(one), synthetic_inputs(other, 2)
    asked = [name for name in other.scopes if name not in other.input_types] if features else []
    expected, found = (values(graph, weights, inputs, asked) for graph in (one, other))
    assert found.keys() == expected.keys() - {name for name, ref in one.outputs.items() if only_in_training(one, ref)}
    for name, value in found.items():
        scale = float(np.abs(np.asarray(expected[name], np.float32)).max(initial=1e-3))
        np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=1e-4 * scale, err_msg=name)


def only_in_training(graph: Graph, ref: Ref) -> bool:
    node = graph.by_path.get(ref.node)
    return node is not None and node.training_only


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("specialise", "prune")])
@settings(max_examples=6, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_pass_on_networks_made_for_it(name: str, data: st.DataObject) -> None:
    spec = data.draw(networks().filter(lambda spec: changed(stages_of(spec), name)))
    before, after = next((a, b) for a, b in pairwise(stages_of(spec)) if b.name == name)
    check(before.graph, after.graph)


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(specs(4))
def test_all_passes_on_random_specs(spec: dict[str, Any]) -> None:
    stages = stages_of(spec)
    if any(changed(stages, name) for name in NAMES):
        check(stages[0].graph, stages[-1].graph, features=False)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "given"), FAMILIES)
def test_every_pass_on_every_feature_of_a_family(name: str, given: dict[str, Any]) -> None:
    stages = cnnspec.compile(name, set=given).infer_stages[1:]
    for before, after in pairwise(stages):
        if str(before.graph) != str(after.graph):
            check(before.graph, after.graph)
