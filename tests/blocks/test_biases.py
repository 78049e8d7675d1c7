"""Where a layer has a bias without being asked for one: everywhere but beside a batch normalisation."""

from __future__ import annotations

import pytest

from cnnspec.frontend import load_spec


def biases(node: str, channels: int = 8) -> set[str]:
    text = (
        f"cnnspec: 1\nname: x\ninput: {{height: 8, width: 8, channels: {channels}}}\nlayers:\n  - {{id: n, {node}}}\n"
    )
    return {path.removesuffix(".bias") for path in load_spec(text).graph.parameters if path.endswith(".bias")}


@pytest.mark.parametrize(
    ("norm", "has"), [("none", True), ("batch", False), ("layer", True), ("{group: {groups: 2}}", True)]
)
@pytest.mark.parametrize("order", ["weight_norm_act", "norm_act_weight"])
def test_only_a_batch_norm_takes_a_bias_away(norm, has, order):
    # A layer or group norm subtracts the mean of many channels: the bias of one of them stays.
    assert ("n" in biases(f"conv: {{filters: 4, norm: {norm}, order: {order}}}")) == has
    assert ("n.pointwise" in biases(f"separable_conv: {{filters: 4, norm: {norm}, order: {order}}}")) == has
    assert "n" in biases(f"conv: {{filters: 4, norm: {norm}, bias: true}}")
    assert "n" not in biases(f"conv: {{filters: 4, norm: {norm}, bias: false}}")


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
def test_a_preactivated_block_has_biases_where_they_are_asked_for(block):
    fields = "filters: 4, stride: 2, preactivation: true"
    convolutions = {"n.conv1", "n.conv2", "n.shortcut"} | ({"n.conv3"} if block == "bottleneck" else set())
    summed = {"n.shortcut", "n.conv3" if block == "bottleneck" else "n.conv2"}
    assert biases(f"{block}: {{{fields}}}") & convolutions == set()
    assert biases(f"{block}: {{{fields}, bias: true}}") & convolutions == convolutions
    assert biases(f"{block}: {{{fields}, sum_bias: true}}") & convolutions == summed
    assert biases(f"{block}: {{{fields}, bias: true, sum_bias: false}}") & convolutions == convolutions - summed
