"""Who takes part, and what makes a row doubtful."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from benchmarks import engines as package
from benchmarks import side_by_side
from benchmarks.engines import engines
from benchmarks.networks import NETWORKS
from benchmarks.options import Options
from benchmarks.side_by_side import contenders, suspicious
from cnnspec.frontend import load_spec
from cnnspec.ops.conv import Conv
from tests.benchmarks.rows import engine, row


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What is installed, as far as the engines can see."""
    found = {"jax", "flax", "optax", "keras", "torch", "torchvision", "timm", "onnx", "onnxruntime"}
    monkeypatch.setattr(package, "find_spec", lambda name: name if name in found else None)
    return found


def test_every_engine_takes_part_where_it_can(installed: set[str]) -> None:
    assert contenders("inference", "resnet50", Options()) == (list(engines()), {})
    present, absent = contenders("inference", "squeezenet1_1", Options())
    assert "keras" not in present
    assert absent == {"keras": "does not have this network"}
    assert contenders("training", "resnet50", Options()) == (["cnnspec", "nnx", "torch"], {})


def test_an_engine_that_is_not_installed_is_left_out_and_named(installed: set[str]) -> None:
    installed -= {"torch", "timm"}
    present, absent = contenders("inference", "resnet50", Options())
    assert present == ["cnnspec", "tuned", "nnx", "keras", "onnxruntime"]
    assert absent == dict.fromkeys(("torch", "torch.compile"), "not installed: torch, timm")


def test_an_engine_that_nobody_asked_for_is_not_named(installed: set[str]) -> None:
    installed -= {"keras"}
    assert contenders("inference", "resnet50", Options(engines=("cnnspec", "torch"))) == (["cnnspec", "torch"], {})


@pytest.mark.parametrize("name", engines())
def test_an_engine_has_what_it_needs(name: str) -> None:
    module: Any = engines()[name]
    assert importlib.import_module(module.__name__) is module
    assert set(module.KINDS) <= {"inference", "training"}
    assert all(callable(getattr(module, kind)) for kind in module.KINDS)
    assert module.NEEDS
    assert module.LABEL


def test_listing_engines_imports_none_of_them() -> None:
    """The process that measures stays small and quiet: memory of children counts from its own."""
    import subprocess
    import sys

    code = "import sys, benchmarks.__main__ as m; m.engines(); print([n for n in ('jax', 'numpy', 'torch', 'flax') if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.parametrize("name", NETWORKS)
def test_sizes_and_kinds_are_those_of_the_specs(name: str) -> None:
    network, graph = NETWORKS[name], load_spec(name).graph
    assert graph.inputs[0].type.shape == (network.pixels, network.pixels, 3)
    convolutions = [node.op for node in graph.nodes if isinstance(node.op, Conv)]
    depthwise, grouped = any(op.depthwise for op in convolutions), any(op.groups > 1 for op in convolutions)
    assert network.kind == ("depthwise" if depthwise else "grouped" if grouped else "dense")


def doubts(**engines: Any) -> list[str]:
    return suspicious(row("resnet50", **engines))


def test_a_quiet_row_raises_no_doubt() -> None:
    assert doubts(cnnspec=0.010, onnxruntime=0.009) == []


def test_what_makes_a_row_doubtful() -> None:
    quiet = engine(0.010, 0.010)
    assert doubts(cnnspec=quiet, torch={**quiet, "idle_share": 0.5}) == [
        "torch: it used 50% of a core while others had their turns"
    ]
    assert doubts(cnnspec=quiet, torch={**quiet, "finite": False}) == ["torch: its output is not finite"]
    assert doubts(cnnspec=engine(0.010, 0.014)) == ["cnnspec: its slowest turn took 40% longer than its fastest"]
    assert doubts(cnnspec=quiet, nnx={**quiet, "shape": [1, 10]}) == [
        "the outputs differ in shape: cnnspec [1, 1000], nnx [1, 10]"
    ]
    far = doubts(cnnspec=quiet, onnxruntime={**quiet, "first": [1.0, 2.1]})
    assert far == ["onnxruntime: its logits are 1.0e-01 away from those of cnnspec"]
    assert suspicious({**row("resnet50", cnnspec=quiet), "others": 0.3}) == ["other processes used 30% of the machine"]


@pytest.mark.slow
def test_two_engines_are_measured_side_by_side() -> None:
    options = Options(engines=("cnnspec", "nnx"))
    found = side_by_side.measure("inference", "resnet20_cifar", 2, 2, options)
    assert found["absent"] == {}
    assert list(found["engines"]) == ["cnnspec", "nnx"]
    for measured in found["engines"].values():
        assert measured["finite"]
        assert measured["shape"] == [2, 10]
        assert len(measured["turns"]) == 2
        assert measured["calls"] >= 6
        assert measured["minimum"] <= measured["median"]
        assert measured["peak"] > 100 * 2**20


@pytest.mark.slow
def test_a_training_step_is_measured_side_by_side() -> None:
    options = Options(engines=("cnnspec", "nnx"))
    found = side_by_side.measure("training", "resnet20_cifar", 4, 1, options)
    assert found["absent"] == {}
    assert {tuple(measured["shape"]) for measured in found["engines"].values()} == {()}
