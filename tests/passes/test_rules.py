"""What each pass does and what it leaves alone, on the smallest graphs that show it, by their print."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cnnspec
from cnnspec.graph import Graph
from cnnspec.passes.pipeline import run_passes
from cnnspec.testing import check_text


def stage(name: str, *layers: Any, size: int = 4, channels: int = 4, **rest: Any) -> Graph:
    """The graph after a pass, of layers given as mappings."""
    spec = {"cnnspec": 1, "name": "net", "input": {"height": size, "width": size, "channels": channels},
            "layers": list(layers), **rest}  # fmt: skip
    loaded = check_text(spec).loaded
    assert loaded is not None
    return next(s.graph for s in run_passes(loaded.graph, "infer") if s.name == name)


def paths(graph: Graph) -> list[str]:
    return [node.path for node in graph.nodes]


CONV = {"id": "a", "conv": {"filters": 4, "bias": False}}
NORM = {"id": "n", "batch_norm": {}}


@pytest.mark.parametrize("layer", [
    {"conv": {"filters": 4}}, {"conv": {"depthwise": True}}, {"conv": {"filters": 4, "groups": 2}},
    {"conv_transpose": {"filters": 4, "stride": 2}},
])  # fmt: skip
def test_affine_ops_behind_a_layer_are_folded_one_after_the_other(layer: dict[str, Any]) -> None:
    graph = stage("fold_affine", {"id": "a", **layer}, NORM, {"id": "s", "scale": 0.5})
    assert paths(graph) == ["a"]
    assert list(graph.derived) == ["a.folded_kernel", "a.folded_bias", "a.folded_kernel_2", "a.folded_bias_2"]
    assert graph.nodes[0].parameters == {"kernel": "a.folded_kernel_2", "bias": "a.folded_bias_2"}
    assert graph.derived["a.folded_bias_2"].sources == ("a.folded_bias",)


def test_a_linear_layer_takes_both_sides() -> None:
    graph = stage("fold_affine", {"id": "flat", "flatten": {}}, NORM, {"id": "a", "linear": {"features": 3}},
                  {"id": "s", "scale": {"learned": True}})  # fmt: skip
    assert paths(graph) == ["flat", "a"]


@pytest.mark.parametrize(("kernel", "padding", "affine", "folds"), [
    (1, 0, {"batch_norm": {}}, True), (3, 0, {"batch_norm": {}}, True), (3, 1, {"batch_norm": {}}, False),
    (3, 1, {"scale": 2.0}, True), (3, 1, {"scale": {"bias": True}}, False),
])  # fmt: skip
def test_before_a_convolution_only_where_no_border_would_be_shifted(
    kernel: int, padding: int, affine: dict[str, Any], folds: bool
) -> None:
    graph = stage("fold_affine", {"id": "n", **affine},
                  {"id": "a", "conv": {"filters": 2, "kernel": kernel, "padding": padding}})  # fmt: skip
    assert paths(graph) == (["a"] if folds else ["n", "a"])


def test_what_is_used_elsewhere_is_not_folded() -> None:
    assert paths(stage("fold_affine", CONV, NORM, outputs=["a", "n"])) == ["a", "n"]
    assert paths(stage("fold_affine", CONV, NORM, {"id": "sum", "add": ["a", "n"]})) == ["a", "n", "sum"]


def test_a_feature_that_was_folded_is_refused_and_others_stay_right() -> None:
    network = cnnspec.compile({"cnnspec": 1, "name": "net", "input": {"height": 4, "width": 4, "channels": 4},
                               "layers": [CONV, NORM, {"id": "r", "activation": "relu"}]})  # fmt: skip
    params, state = network.init()
    prepared = network.prepare(params, state)
    x = np.random.default_rng(0).standard_normal((1, 4, 4, 4)).astype(np.float32)
    with pytest.raises(KeyError, match=r"`a` has no output of its own.*`apply` gives it"):
        network.infer(prepared, x, features=["a"])
    plain, _ = network.apply(params, state, x, features=["n"])
    np.testing.assert_allclose(network.infer(prepared, x, features=["n"])["n"], plain["n"], rtol=1e-5, atol=1e-6)
    assert set(params) == {"a.kernel", "n.scale", "n.bias"}
    assert set(prepared) == {"a.folded_kernel", "a.folded_bias"}


def test_a_normalisation_of_a_concatenation_goes_to_its_parts() -> None:
    other = {"id": "b", "from": "input", "conv": {"filters": 3}}
    both = {"id": "both", "concat": ["a", "b"]}
    graph = stage("split_affine", CONV, other, both, NORM)
    assert paths(graph) == ["a", "b", "n.0", "n.1", "both"]
    assert graph.derived["n.1.scale"].arguments == {"roles": ("whole",), "start": 4, "stop": 7}
    assert paths(stage("fold_affine", CONV, other, both, NORM)) == ["a", "b", "both"]
    third, within = {**other, "id": "c"}, {"id": "more", "concat": ["both", "c"]}
    assert paths(stage("fold_affine", CONV, other, both, third, within, NORM)) == ["a", "b", "both", "c", "more"]
    with_input = {"id": "both", "concat": ["a", "input"]}
    assert paths(stage("split_affine", CONV, with_input, NORM)) == ["a", "both", "n"]


def test_a_pad_of_zeros_is_part_of_the_convolution() -> None:
    conv = {"id": "a", "conv": {"filters": 2, "kernel": 3, "padding": [[0, 1], [0, 0]]}}
    graph = stage("fold_pads", {"id": "p", "pad": [[1, 0], [2, 2]]}, conv)
    assert str(graph).splitlines()[2] == "  %a = conv{filters=2, padding=1x2} %input : f32[N,4,6,2]"
    assert paths(stage("fold_pads", {"id": "p", "pad": {"padding": 1, "value": 1.0}}, conv)) == ["p", "a"]
    assert paths(stage("fold_pads", {"id": "p", "pad": {"padding": 1, "channels": 1}}, conv)) == ["p", "a"]
    assert paths(stage("fold_pads", {"id": "p", "pad": 1}, {"id": "m", "max_pool": 2})) == ["p", "m"]


def test_parallel_1x1_convolutions_of_a_small_map_are_one() -> None:
    def branch(name: str, **fields: Any) -> dict[str, Any]:
        return {"id": name, "from": "input", "conv": {"filters": 2, "kernel": 1, **fields}}

    layers = [branch("a"), branch("b", bias=False), branch("c", stride=2), {"id": "end", "concat": ["a", "b"]}]
    graph = stage("merge_convs", *layers, size=2, channels=8, outputs=["end", "c"])
    assert paths(graph) == ["a+b", "a+b.split", "c", "end"]
    assert graph.by_path["a+b"].parameters == {"kernel": "a+b.kernel", "bias": "a+b.bias"}
    assert graph.derived["a+b.bias"].sources == ("a.bias",)
    assert "a+b" not in paths(stage("merge_convs", *layers, size=2, channels=7, outputs=["end", "c"]))


def test_what_does_nothing_is_dropped() -> None:
    nothing = [{"pad": 0}, {"crop": 4}, {"reshape": [4, 4, 4]}, {"upsample": {"size": 4, "method": "bilinear"}},
               {"max_pool": 1}, {"adaptive_avg_pool": 4}, {"adaptive_max_pool": 4}, {"id": "a", "channel_shuffle": 4},
               {"id": "b", "concat": ["a"]}, {"id": "c", "add": ["b"]}, {"multiply": ["c"]}, {"cast": "float32"},
               {"dropout": 0.5}]  # fmt: skip
    something = [{"pad": {"padding": 0, "channels": 1}}, {"max_pool": {"window": 1, "stride": 2}}, {"crop": 1},
                 {"flatten": {}}]  # fmt: skip
    names = [f"x{number}" for number in range(len(something))]
    graph = stage("drop_identities", *nothing, *({"id": n, **node} for n, node in zip(names, something, strict=True)),
                  {"flatten": {}}, outputs={"x": "x3"})  # fmt: skip
    assert paths(graph) == names


def test_iterations_stay_alike() -> None:
    """What a pass changes in one iteration it changes in all, so that they can still be a loop."""
    from cnnspec.lower.loops import find_loops

    block = {"id": "stage", "repeat": 6, "layers": [
        {"id": "wide", "concat": [{"id": "l", "conv": {"filters": 4, "kernel": 1}},
                                  {"id": "r", "conv": {"filters": 4, "kernel": 1}}]},
        {"id": "norm", "batch_norm": {}}, {"id": "scale", "scale": 0.5},
    ]}  # fmt: skip
    graph = stage("merge_convs", block, size=1, channels=8)
    assert [loop.name for loop in find_loops(graph, 0)] == ["stage.[0-5]"]
