"""Every op, as ONNX in onnxruntime, gives what its own lowering gives; so does every random op."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from cnnspec.graph import Graph, Input, Node, Ref
from cnnspec.onnx_export.model import onnx_model
from cnnspec.onnx_export.writer import rule
from cnnspec.registry import op_class, op_keys
from tests.export.onnx_running import assert_close, run_model
from tests.ops.examples import EXAMPLES
from tests.ops.running import AloneRun, inputs_for, values_for

#: Beyond the law's examples: what ONNX needs another rule for.
MORE = {
    "adaptive_avg_pool": [({"size": 4}, EXAMPLES["max_pool"][0][1]), ({"size": 8}, EXAMPLES["max_pool"][0][1])],
    "adaptive_max_pool": [({"size": [2, 4]}, EXAMPLES["max_pool"][0][1])],
    "avg_pool": [({"window": 3, "padding": 2}, EXAMPLES["max_pool"][0][1])],
    "conv_transpose": [({"filters": 3, "kernel": 1, "stride": 3}, EXAMPLES["max_pool"][0][1])],
    "activation": [({"function": "gelu", "approximate": True}, EXAMPLES["max_pool"][0][1])],
}
CASES = [
    pytest.param(key, fields, types, id=f"{key}-{number}")
    for key in sorted(EXAMPLES)
    for number, (fields, types) in enumerate([*EXAMPLES[key], *MORE.get(key, [])])
]


def alone(key, fields, types):
    """A graph of one op, and its parameters by path."""
    op = op_class(key).model_validate(fields, strict=True)
    inferred = op.infer(*types)
    outputs = inferred if isinstance(inferred, tuple) else (inferred,)
    parameters = {f"node.{name}": p for name, p in op.parameters(*types).items()}
    names = [f"x{number}" for number in range(len(types))]
    node = Node("node", op, tuple(map(Ref, names)), outputs, {name.split(".", 1)[1]: name for name in parameters})
    graph = Graph(
        "alone",
        tuple(map(Input, names, types)),
        (node,),
        {f"y{port}": Ref("node", port) for port in range(len(outputs))},
        parameters,
    )
    params, state = values_for(op, types)
    return graph, {f"node.{name}": value for name, value in {**params, **state}.items()}


def test_every_op_has_a_rule():
    for key in op_keys():
        found = rule(key)
        assert found is not None, key
        assert callable(found.write)


@pytest.mark.parametrize(("key", "fields", "types"), CASES)
def test_an_op_in_onnxruntime_is_the_op(key, fields, types):
    graph, values = alone(key, fields, types)
    op = graph.nodes[0].op
    model = onnx_model(graph, values)
    onnx.checker.check_model(model, full_check=True)
    params, state = values_for(op, types)
    for batch in (1, 3):
        inputs = inputs_for(types, batch=batch)
        expected = op.lower(AloneRun(params, state, False), *inputs)
        expected = expected if isinstance(expected, tuple) else (expected,)
        if fields.get("dtype") == "bfloat16":
            continue  # onnxruntime cannot hand bfloat16 to numpy; the model's check stands
        reached = run_model(model, dict(zip(("x0", "x1", "x2"), map(np.asarray, inputs), strict=False)))
        for port, array in enumerate(expected):
            assert_close(reached[f"y{port}"], array, 1e-5)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_padding_as_wide_as_it_may_be_gives_what_the_op_gives(stride):
    types = EXAMPLES["max_pool"][0][1]
    graph, values = alone("max_pool", {"window": 3, "stride": stride, "padding": 2, "ceil": True}, types)
    inputs = inputs_for(types, batch=1)
    reached = run_model(onnx_model(graph, values), {"x0": np.asarray(inputs[0])})
    np.testing.assert_array_equal(reached["y0"], graph.nodes[0].op.lower(AloneRun({}, {}, False), *inputs))
