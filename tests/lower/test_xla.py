"""Which library of XLA computes what: options of the compiler, and only where they can be."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import cnnspec
from cnnspec.artefact_writing import save
from cnnspec.lower import xla
from cnnspec.lower.training import TrainingFunction
from cnnspec.lower.xla import LIBRARY, VECTORS, Jitted, compiler_options, usable

SPEC = """
cnnspec: 1
name: options
input: {height: 8, width: 8, channels: 4}
layers:
  - {id: wide, conv: {filters: 8, kernel: 1}}
  - {id: conv, conv: {filters: 4, kernel: 3, padding: same}}
  - {id: pool, global_avg_pool: {}}
outputs: {logits: pool}
"""


@pytest.fixture(scope="module")
def network():
    compiled = cnnspec.compile(SPEC)
    prepared = compiled.prepare(*compiled.init())
    x = np.random.default_rng(0).standard_normal((3, 8, 8, 4)).astype(np.float32)
    return compiled, prepared, x, compiled.inference_function(prepared, x)["logits"]


def test_an_option_counts_where_it_can(monkeypatch):
    assert usable({"xla_cpu_no_such_option": 1, **VECTORS}) == VECTORS
    assert usable({LIBRARY: "LIBRARY_FUSION_TYPE_OF_NO_KIND"}) == {}
    monkeypatch.setenv("XLA_FLAGS", f"--{LIBRARY}=")
    assert compiler_options() == VECTORS
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert compiler_options() == {}


def test_libraries_differ_in_the_program_and_not_in_the_outcome(network):
    compiled, prepared, x, expected = network
    programs = {}
    for train in (False, True):
        jitted = jax.jit(compiled.inference_function, compiler_options=compiler_options(train))
        programs[train] = jitted.lower(prepared, {"input": x}).compile().as_text()
        np.testing.assert_allclose(jitted(prepared, {"input": x})["logits"], expected, rtol=1e-5, atol=1e-6)
    assert programs[True].count("__ynn_fusion") > programs[False].count("__ynn_fusion")


def test_options_within_a_transformation(network):
    """JAX refuses them there: the same function runs without."""
    compiled, prepared, x, expected = network
    np.testing.assert_allclose(compiled.infer(prepared, x)["logits"], expected, rtol=1e-5, atol=1e-6)
    within = jax.jit(lambda weights, x: compiled.infer(weights, x)["logits"] + 1)
    np.testing.assert_allclose(within(prepared, x), expected + 1, rtol=1e-5, atol=1e-6)
    by_image = jax.vmap(lambda image: compiled.infer(prepared, image[None])["logits"][0])
    np.testing.assert_allclose(by_image(x), expected, rtol=1e-5, atol=1e-6)
    beside = jax.jit(lambda factor: factor * compiled.infer(prepared, x)["logits"])
    np.testing.assert_allclose(beside(2.0), 2 * expected, rtol=1e-5, atol=1e-6)
    gradients = [jax.grad(lambda x, f=f: f(prepared, x)["logits"].sum())(jnp.asarray(x))
                 for f in (compiled.infer, compiled.inference_function)]  # fmt: skip
    np.testing.assert_allclose(*gradients, rtol=1e-5, atol=1e-6)


def test_the_options_reach_the_compiler(monkeypatch):
    """One that the compiler refuses fails the call."""
    monkeypatch.setattr(xla, "_known", lambda name, value: True)
    jitted = Jitted(lambda x: x + 1, usable({"xla_cpu_no_such_option": 1}))
    assert jax.jit(jitted)(jnp.zeros(2)).tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="xla_cpu_no_such_option"):
        jitted(jnp.zeros(2))


def test_an_artefact_leaves_it_to_the_machine(network, tmp_path):
    compiled, _, x, expected = network
    save(compiled, tmp_path / "net", *compiled.init())
    manifest = json.loads((tmp_path / "net" / "manifest.json").read_text())
    assert LIBRARY not in json.dumps(manifest)
    loaded = cnnspec.load(tmp_path / "net")
    assert loaded.compiler_options == compiled.compiler_options
    np.testing.assert_allclose(loaded.infer(x)["logits"], expected, rtol=1e-5, atol=1e-6)
    within = jax.jit(lambda x: loaded.run(loaded.prepared, {"input": x})["logits"])
    np.testing.assert_allclose(within(x), expected, rtol=1e-5, atol=1e-6)


def test_a_run_records_its_options():
    graph = cnnspec.load_spec(SPEC).graph
    first = TrainingFunction(graph)
    assert first.compiler_options == compiler_options(train=True) == first.record["compiler_options"]
    assert TrainingFunction(graph, recorded=first.record).compiler_options == first.compiler_options
    before_there_were_any = {"forms": {}, "loops": []}
    assert TrainingFunction(graph, recorded=before_there_were_any).compiler_options == {}
