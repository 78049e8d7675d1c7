"""Convolutions by oneDNN: equal to XLA's own with all that is computed with them, and used where nothing transforms them."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from itertools import product as product_of

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import cnnspec
from cnnspec.compiled import Compiled
from cnnspec.explanation import explain
from cnnspec.graph import Ref
from cnnspec.lower import onednn
from cnnspec.lower.forms.conv import Geometry, plain
from cnnspec.lower.forms.memory import Memory, network_signature, remembered
from cnnspec.lower.fuse import FusedConv, fuse
from cnnspec.lower.native import Native
from cnnspec.lower.trial import attempt
from cnnspec.ops.activation import Activation
from cnnspec.passes.verify import verify
from cnnspec.tuning import tune

library = pytest.mark.skipif(not onednn.available(), reason="this jaxlib or processor has no oneDNN")

#: Two branches that a sum joins, a convolution that two nodes see, one that is an output, an activation that is not fused.
NETWORK = """
cnnspec: 1
name: net
input: {height: 24, width: 20, channels: 64}
layers:
  - {id: a, conv: {filters: 64, norm: batch, act: relu}}
  - {id: left, conv: {filters: 96, kernel: 5, norm: batch}}
  - {id: right, from: a, conv: {filters: 96, kernel: 1, norm: batch}}
  - {id: joined, from: [left, right], add: {}}
  - {id: clipped, activation: relu6}
  - {id: deep, conv: {depthwise: true, norm: batch, act: silu}}
  - {id: seen, conv: {filters: 64, groups: 2}}
  - {id: one, from: seen, activation: relu}
  - {id: two, from: seen, activation: tanh}
  - {id: sum, from: [one, two], add: {}}
outputs: {first: sum, second: deep}
"""


#: Of convolutions: input, kernel, stride, padding, dilation, groups. None that oneDNN leaves to its own matrix product.
CONVOLUTIONS = (
    ((2, 9, 8, 16), (3, 3, 16, 32), (2, 2), ((1, 1), (0, 1)), (1, 1), 1),
    ((1, 12, 13, 32), (1, 1, 32, 48), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    ((1, 12, 13, 32), (1, 1, 32, 16), (2, 2), ((0, 0), (0, 0)), (1, 1), 1),
    ((3, 20, 20, 3), (7, 7, 3, 64), (2, 2), ((3, 3), (3, 3)), (1, 1), 1),
    ((1, 15, 9, 16), (3, 5, 16, 16), (1, 1), ((2, 2), (4, 4)), (2, 2), 1),
    ((2, 10, 10, 32), (3, 3, 1, 32), (1, 1), ((1, 1), (1, 1)), (1, 1), 32),
    ((1, 11, 11, 48), (5, 5, 1, 48), (2, 2), ((2, 2), (2, 2)), (1, 1), 48),
    ((1, 10, 10, 64), (3, 3, 16, 64), (1, 1), ((1, 1), (1, 1)), (1, 1), 4),
)


def compare() -> None:
    """Every convolution with every activation, with and without bias and summand, beside XLA's own."""
    random = np.random.default_rng(0)
    for shape, window, stride, padding, dilation, groups in CONVOLUTIONS:
        geometry = Geometry(stride, padding, dilation, groups)
        x, kernel, bias = (random.standard_normal(s, np.float32) for s in (shape, window, window[-1:]))
        product = plain(x, kernel, geometry)
        other = random.standard_normal(product.shape, np.float32)
        for act, parts in product_of(
            (None, *onednn.ACTIVATIONS), ((None, None), (bias, None), (None, other), (bias, other))
        ):
            found = jax.jit(lambda x, k, b, o, g=geometry, act=act: onednn.convolve(x, k, g, b, o, act))(
                x, kernel, *parts
            )
            total = product + sum(part for part in parts if part is not None)
            expected = total if act is None else Activation(function=act).lower(None, total)
            scale = max(1.0, float(jnp.abs(total).max()))
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * scale, err_msg=f"{window} {act}")


@library
def test_a_convolution_with_what_follows():
    command = "from tests.lower.test_onednn import compare; compare()"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def test_what_becomes_part_of_a_convolution():
    graph = cnnspec.compile(NETWORK).inference_program.graph
    fused = fuse(graph, {node.path for node in graph.nodes if node.op.key == "conv"})
    verify(fused, "fuse")
    made = {n.path: (n.op.function, 1 + n.op.adds) for n in fused.nodes if isinstance(n.op, FusedConv)}
    assert made == {"a": ("relu", 1), "left": ("relu6", 2), "right": (None, 1), "deep": (None, 1),
                    "seen": (None, 1)}  # fmt: skip
    assert [node.path for node in fused.nodes if not isinstance(node.op, FusedConv)] == [
        "deep.act",
        "one",
        "two",
        "sum",
    ]
    assert {name: ref.node for name, ref in fused.outputs.items()} == {"first": "sum", "second": "deep.act"}


@library
def test_no_two_are_computed_at_once():
    """Each waits for the one before it, in the compiled program too, where XLA might find out that it adds nothing."""
    network = cnnspec.compile(NETWORK)
    program = network.native_program(4)
    fused = [node for node in program.graph.nodes if isinstance(node.op, FusedConv)]
    assert len(fused) > 3
    for before, node in pairwise(fused):
        assert Ref(before.path) in node.inputs
    prepared = network.prepared_shapes(*network.init())
    text = network.native.warm(prepared, {"input": jax.ShapeDtypeStruct((4, 24, 20, 64), "float32")}, 4).as_text()
    entry = text[text.index("\nENTRY") :]
    reads = {name: set(re.findall(r"%([\w.-]+)", line)) - {name}
             for name, line in re.findall(r"^  (?:ROOT )?%([\w.-]+) = (.*?)(?:, metadata|$)", entry, re.MULTILINE)}  # fmt: skip
    calls = [
        name for name, line in re.findall(r"^  (?:ROOT )?%([\w.-]+) = (.*)$", entry, re.MULTILINE) if "__onednn" in line
    ]
    assert len(calls) == len(fused)

    def needs(name):
        return {name}.union(*(needs(other) for other in reads.get(name, ()) if other in reads))

    assert all(set(calls[:number]) <= needs(name) for number, name in enumerate(calls))


def close(found, expected):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 * float(np.abs(b).max())), found, expected)  # fmt: skip


X = np.random.default_rng(0).standard_normal((6, 24, 20, 64), np.float32)


@pytest.fixture(scope="module")
def seconds():
    """What a trial of the network finds, for five images."""
    found = attempt(cnnspec.compile(NETWORK), 5, [2, 8], Memory())
    assert found is not None
    return found


@pytest.fixture
def network():
    """The network where it is known that oneDNN computes five images rightly, two at a time."""
    loaded = cnnspec.load_spec(NETWORK)
    network = Compiled(loaded, memory=Memory(native={network_signature(Compiled(loaded).infer_graph): {5: 2}}))
    return network, network.prepare(*network.init(1))


@library
def test_a_trial_times_every_tile_and_the_portable_program(seconds):
    assert set(seconds) == {"portable", "2", "8"}
    assert min(seconds.values()) > 0


@library
def test_what_was_tried_is_run_and_nothing_else(seconds, network, monkeypatch):
    network, prepared = network
    portable = jax.jit(network.inference_function)
    ran = []
    call = Native.__call__
    monkeypatch.setattr(Native, "__call__", lambda self, *a: ran.append(a[2]) or call(self, *a))
    close(network.infer(prepared, X[:5]), portable(prepared, X[:5]))
    assert ran == [2]
    close(network.infer(prepared, X[:4]), portable(prepared, X[:4]))
    assert set(network.infer(prepared, X[:5], features=("left",))) == {"first", "second", "left"}
    monkeypatch.setattr(onednn, "available", lambda: False)
    close(network.infer(prepared, X[:5]), portable(prepared, X[:5]))
    assert ran == [2]


@library
def test_many_threads_take_turns(seconds, network):
    network, prepared = network
    expected = network.infer(prepared, X[:5])
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: network.infer(prepared, X[:5]), range(12)):
            close(found, expected)


def test_transformations_meet_the_portable_program(network):
    network, prepared = network
    expected = network.inference_function(prepared, X[:5])
    close(jax.jit(network.infer)(prepared, X[:5]), expected)
    close(jax.vmap(lambda x: network.infer(prepared, x))(X[None, :5])["first"][0], expected["first"])
    gradients = jax.grad(lambda x: network.infer(prepared, x)["second"].sum())(X[:5])
    close(gradients, jax.grad(lambda x: network.inference_function(prepared, x)["second"].sum())(X[:5]))


def test_it_is_not_tried_where_it_is_not_known(monkeypatch):
    monkeypatch.setattr(onednn, "TESTED", ())
    assert not onednn.available.__wrapped__()
    monkeypatch.undo()
    monkeypatch.setenv("CNNSPEC_ONEDNN", "off")
    assert not onednn.available.__wrapped__()


@pytest.mark.parametrize(("what", "value"), [("PATIENCE", 0.01), ("sys.executable", "false")])
def test_a_trial_that_ends_badly_or_never_finds_nothing(what, value, monkeypatch):
    monkeypatch.setattr(f"cnnspec.lower.trial.{what}", value)
    assert attempt(cnnspec.compile(NETWORK), 1, [2], Memory()) is None


@library
def test_tuning_remembers_what_is_faster_and_an_artefact_uses_it(monkeypatch, tmp_path):
    monkeypatch.setenv("CNNSPEC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("cnnspec.tuning.attempt", lambda *a: {"portable": 2.0, "2": 1.5, "8": 1.0})
    monkeypatch.setattr("cnnspec.lower.forms.measure.LONG", 0.0)
    compiled = cnnspec.compile(NETWORK)
    params, state = compiled.init()
    cnnspec.save(compiled, tmp_path / "artefact", params, state)
    expected = compiled.infer(compiled.prepare(params, state), X[:2])
    assert tune(compiled, 2).library == {"portable": 2.0, "2": 1.5, "8": 1.0}
    assert list(remembered().native.values()) == [{2: 8}]
    tuned = cnnspec.compile(NETWORK)
    assert (tuned.native_tile(2), tuned.native_tile(3), compiled.native_tile(2)) == (8, None, None)
    assert "oneDNN" in {n.reason[-6:] for n in explain(tuned, batch=2).nodes}
    close(cnnspec.load(tmp_path / "artefact")(X[:2]), expected)
    for found in ({"portable": 1.0, "2": 1.5}, None):
        monkeypatch.setattr("cnnspec.tuning.attempt", lambda *a, found=found: found)
        tune(compiled, 3)
        assert 3 not in next(iter(remembered().native.values()))


@library
def test_nothing_of_it_is_written_to_the_compilation_cache(seconds, network, tmp_path):
    network, prepared = network
    names = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
    before = {name: getattr(jax.config, name) for name in names}
    try:
        jax.config.update("jax_compilation_cache_dir", str(tmp_path))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            network.infer(prepared, X[:5])
        assert jax.config.jax_persistent_cache_min_compile_time_secs == 0
    finally:
        for name, value in before.items():
            jax.config.update(name, value)
    assert not list(tmp_path.glob("jit_run*"))
