"""Whole networks as ONNX in onnxruntime: the outputs of the compiled network, for any batch size."""

from __future__ import annotations

import json
import sys

import onnx
import pytest
from click.testing import CliRunner
from hypothesis import given, settings

import cnnspec
from cnnspec.cli.main import main
from cnnspec.compiled import Compiled
from cnnspec.frontend import load_spec
from cnnspec.onnx_export.model import inference_graph, onnx_model
from cnnspec.scaling import Factors
from cnnspec.testing import specs
from cnnspec.weights.synthetic import synthetic_inputs, synthetic_weights
from cnnspec.zoo import zoo_specs
from tests.export.onnx_running import assert_close, run_model

SMALL, THIN = {"input.height": 64, "input.width": 64}, {"width": 0.25, "depth": 0.5}
#: Some families, small enough for every day; all networks of the zoo are slow.
EVERYDAY = [
    ("lenet5", {}, {}), ("capsnet", {}, {}), ("shufflenet_v2_x0_5", SMALL, {"depth": 0.5}), ("mnasnet_a1", SMALL, THIN),
    ("densenet121", SMALL, {"width": 0.25, "depth": 0.25}),
]  # fmt: skip


def compare(compiled: Compiled) -> None:
    """One file, for a batch of three and for one image of it, gives what the compiled network gives."""
    # With synthetic statistics nothing is normalised: six hundred residual blocks would overflow at the usual gain.
    weights = synthetic_weights(compiled.graph, gain=1.0 if len(compiled.graph.nodes) < 2000 else 0.3)
    params, state = compiled.split(weights)
    prepared = compiled.prepare(params, state)
    graph = inference_graph(compiled)
    model = onnx_model(graph, cnnspec.compiled.derive(weights_of(graph), graph.derived, weights))
    onnx.checker.check_model(model, full_check=True)
    inputs = synthetic_inputs(graph, 3)
    expected = compiled.infer(prepared, inputs)
    for count in (3, 1):
        reached = run_model(model, {name: value[:count] for name, value in inputs.items()})
        for name, values in expected.items():
            assert_close(reached[name], values[:count])


def weights_of(graph):
    return cnnspec.compiled.arguments_of(graph)


@pytest.mark.parametrize(("name", "values", "factors"), EVERYDAY, ids=[name for name, _, _ in EVERYDAY])
def test_a_network_in_onnxruntime_gives_its_logits(name, values, factors):
    compare(cnnspec.compile(name, set=values, scale=Factors(**factors) if factors else None))


@pytest.mark.slow
@pytest.mark.parametrize("path", zoo_specs(), ids=lambda path: path.stem)
def test_every_network_of_the_zoo_gives_its_logits(path):
    compare(cnnspec.compile(path))


@given(specs())
@settings(max_examples=6)
def test_random_networks(spec):
    compiled = cnnspec.compile(spec)
    if not any(entry.type.dtype == "int32" for entry in inference_graph(compiled).inputs):
        compare(compiled)


def test_the_file_says_what_it_is(tmp_path):
    weights = tmp_path / "w.safetensors"
    compiled = cnnspec.compile("lenet5")
    from safetensors.numpy import save_file

    values = synthetic_weights(compiled.graph)
    save_file(values, weights)
    out = tmp_path / "net.onnx"
    done = CliRunner().invoke(
        main, ["compile", "lenet5", "--target", "onnx", "--weights", str(weights), "--output", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert "input  input: [N, 1, 32, 32] float32\noutput distances: [N, 10] float32\n" in done.output
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".onnx"] == ["net.onnx"]
    model = onnx.load(out)
    onnx.checker.check_model(model, full_check=True)
    found = {entry.key: entry.value for entry in model.metadata_props}
    assert found["cnnspec.name"] == "lenet5"
    assert found["cnnspec.trained"] == "from w.safetensors"
    assert json.loads(found["cnnspec.source"])["year"] == 1998
    assert json.loads(found["cnnspec.preprocess.input"])["stretch"] == [32, 32]
    paths = {node.path for node in inference_graph(compiled).nodes if node.op.key != "identity"}
    assert paths <= {node.name for node in model.graph.node}
    inputs = synthetic_inputs(compiled.graph, 2)
    assert_close(
        run_model(model, inputs)["distances"],
        compiled.infer(compiled.prepare(*compiled.split(values)), inputs)["distances"],
    )


def test_what_is_no_onnx_file_stays(tmp_path):
    mine = tmp_path / "notes.txt"
    mine.write_text("mine")
    done = CliRunner().invoke(main, ["compile", "lenet5_modern", "--target", "onnx", "--output", str(mine)])
    assert done.exit_code == 1
    assert "E805" in done.output
    assert mine.read_text() == "mine"


def test_an_output_in_bfloat16_goes_out_as_float32():
    spec = "cnnspec: 1\nname: net\ninput: {features: 4}\nlayers:\n- linear: {features: 3}\n- cast: {dtype: bfloat16}\n"
    compiled = Compiled(load_spec(spec))
    assert compiled.graph.type_of(compiled.graph.outputs["output"]).dtype == "bfloat16"
    compare(compiled)


def test_an_output_may_be_called_like_a_node():
    spec = "cnnspec: 1\nname: net\ninput: {features: 4}\nlayers:\n- {id: a, linear: 3}\n- {id: b, linear: 3}\noutputs: {b: a, a: b, c: a}\n"
    compiled = Compiled(load_spec(spec.replace("linear: 3", "linear: {features: 3}")))
    compare(compiled)


@pytest.mark.parametrize(("dtype", "said"), [
    ("bfloat16", "an ONNX file computes in float32"), ("float16", "'float16' is not one of 'float32', 'bfloat16'")
])  # fmt: skip
def test_other_types_are_refused(dtype, said):
    done = CliRunner().invoke(main, ["compile", "lenet5_modern", "--target", "onnx", "--dtype", dtype])
    assert done.exit_code == 2
    assert said in done.output


def test_an_op_without_a_rule_is_told_of_at_its_line(tmp_path, monkeypatch):
    path = tmp_path / "net.yaml"
    path.write_text("cnnspec: 1\nname: net\ninput: {height: 4, width: 4, channels: 2}\nlayers:\n- max_pool: 2\n")
    monkeypatch.setitem(sys.modules, "cnnspec.onnx_export.rules.max_pool", None)
    done = CliRunner().invoke(main, ["compile", str(path), "--target", "onnx", "-o", str(tmp_path / "net.onnx")])
    assert done.exit_code == 1
    assert f"{path}:5:13: error[E818]: `max_pool` (at `max_pool_1`) cannot be written for ONNX" in done.output
    assert not (tmp_path / "net.onnx").exists()
