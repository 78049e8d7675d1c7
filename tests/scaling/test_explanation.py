"""`--explain`: every number of a scaled network, with what it was, what it became, and why."""

from __future__ import annotations

import pytest

import cnnspec
from cnnspec.frontend import load_spec
from cnnspec.scaling.explanation import explanation


def rows(spec: str, **factors) -> list[tuple]:
    base, scaled = load_spec(spec), cnnspec.scale(spec, **factors)
    return [(r.node, r.field, r.base, r.raw, r.rounded, r.final, r.rule, r.count) for r in explanation(base, scaled)]


def test_efficientnet_b3_number_by_number():
    """The widths and repeats of the published network, and the rule of each."""
    found = {(node, field): rest for node, field, *rest in rows("efficientnet_b0", variant="b3")}
    assert found["input", "height"] == [224, 300, 300, 300, "as asked for", 1]
    assert found["params", "depths[3]"] == [3, pytest.approx(4.2), 5, 5, "rounded up", 1]
    assert found["params", "dropout"] == [0.2, None, None, 0.3, "the variant gives it", 1]
    assert found["stem", "filters"] == [32, pytest.approx(38.4), 40, 40, "to the nearest multiple of 8", 1]
    assert found["stage1.*", "filters"] == [16, pytest.approx(19.2), 16, 24, "to a multiple of 8, not below 90%", 2]
    assert found["stage4", "repeat"] == [3, None, None, 5, "follows: ${depths[3]}", 1]
    assert found["stage6.*", "filters"] == [192, pytest.approx(230.4), 232, 232, "to the nearest multiple of 8", 6]
    assert found["classifier", "features"] == [1000, None, None, 1000, "stays: $classes", 1]


def test_every_kind_of_rule_has_its_words():
    found = {(node, field): rest[-2] for node, field, *rest in rows("mobilenet_v2", width=0.5)}
    assert found["head", "filters"] == "stays: only_wider names head"
    found = {(node, field): rest[-2] for node, field, *rest in rows("wrn_28_10", width=0.5, depth=2)}
    assert found["conv1", "filters"] == "stays: exempt names conv1"
    assert found["stage1.*", "filters"] == "follows: ${16 * k}"
    assert found["params", "n"] == "rounded up"


def test_rows_stand_in_the_order_of_the_network():
    nodes = [node for node, *_ in rows("resnet50", phi=1)]
    stages = [f"stage{n}{part}" for n in (1, 2, 3, 4) for part in ("", ".*", ".*.conv3", ".0.shortcut")]
    assert nodes == ["input", "input", "params", "params", "params", "params", "conv1", *stages, "classifier"]


@pytest.mark.parametrize(
    "spec", ["inception_v3", "efficientnet_b0", "se_resnext50_32x4d", "shufflenet_v2_x1_0", "densenet121", "xception",
             "squeezenet1_0_complex_bypass", "mnasnet_a1", "resnetv2_50", "capsnet"],
)  # fmt: skip
def test_the_explanation_is_complete(spec):
    """Every width that the graph has is a final number, or as many channels as come in, or it did not change."""
    base, scaled = load_spec(spec), cnnspec.scale(spec, width=2, depth=1.5)
    finals = {row.final for row in explanation(base, scaled)}
    before = {path: node.type.shape[-1] for path, node in base.graph.by_path.items()}
    unexplained = [
        node.path
        for node in scaled.graph.nodes
        if node.op.key in ("conv", "linear")
        and node.type.shape[-1] not in finals
        and before.get(node.path) != node.type.shape[-1]
        and node.type.shape[-1] not in {into.shape[-1] for into in scaled.graph.types_into(node)}
        and not node.path.endswith(".se.expand")  # as many as the map that it weighs
    ]
    assert unexplained == []


def test_what_a_block_finds_for_its_parts_has_a_row_where_it_changed():
    found = {(node, field): rest for node, field, *rest in rows("efficientnet_b0", width=1.5)}
    assert found["stage2.0.expand", "filters"] == [96, None, None, 144, "follows: 24 channels x expand 6", 1]
    assert found["stage4.*.se", "squeeze"] == [20, None, None, 30, "follows: 120 channels x ratio 0.25", 2]
    deeper = [row for row in rows("efficientnet_b0", depth=1.5) if row[0].endswith((".expand", ".se"))]
    assert {row[0]: row[2] for row in deeper} == {"stage1.1.se": None, "stage7.1.expand": None, "stage7.1.se": None}
    found = {node: (base, final, rule) for node, field, base, *_, final, rule, _ in rows("resnext50_32x4d", width=2)}
    assert found["stage1.*.*"] == (128, 256, "follows: filters 128 x base_width 4 / 64 x groups 32")
    assert found["stage1.0.shortcut"] == (256, 512, "follows: 512 channels of what it is added to")


def test_a_part_that_has_a_fields_number_has_no_row_of_its_own():
    nodes = [node for node, *_ in rows("densenet121", width=2) if node.startswith("dense1")]
    assert nodes == ["dense1", "dense1", "dense1.*"]


def test_iterations_that_differ_stand_apart():
    text = (
        "cnnspec: 1\nname: net\ninput: {height: 8, width: 8, channels: 3}\nlayers:\n"
        "  - {id: body, repeat: 3, conv: {filters: 16}, first: {filters: 32}}\n"
    )
    base, scaled = load_spec(text), cnnspec.scale(text, width=2)
    assert [(r.node, r.base, r.final, r.count) for r in explanation(base, scaled)] == [
        ("body.0", 32, 64, 1), ("body.*", 16, 32, 2),
    ]  # fmt: skip


def test_an_iteration_that_the_base_lacks_has_a_base_only_where_the_others_agree():
    text = (
        "cnnspec: 1\nname: net\ninput: {height: 8, width: 8, channels: 4}\nlayers:\n"
        "  - {id: same, repeat: 2, conv: {filters: '${2 + 2}'}}\n  - {id: grows, repeat: 2, conv: {filters: '${2 * input.channels}'}}\n"
    )
    base, scaled = load_spec(text), cnnspec.scale(text, depth=2)
    found = {r.node: (r.base, r.final) for r in explanation(base, scaled) if r.field == "filters"}
    assert found["same.*"] == (4, 4)
    assert found["grows.1"] == (16, 16)
    assert found["grows.3"] == (None, 64)


def test_what_an_expression_gives_inside_a_cell_is_one_row():
    """A cell of NASNet says `$filters` at a dozen places; the explanation is a page, and no number is lost."""
    found = rows("nasnet_a_mobile", width=0.5)
    assert len(found) < 60
    assert ("a.*.*", "filters", 44, None, None, 24, "follows: $filters", 47) in found
    scaled = cnnspec.scale("nasnet_a_mobile", width=0.5)
    assert sum(row[-1] for row in found if row[0] != "params") == len(scaled.scaler.followers)


def test_numbers_that_are_written_stand_apart_even_where_they_are_equal():
    """Two branches of mixed_5b have 64 filters each, as it happens."""
    nodes = [row[0] for row in rows("inception_v3", width=0.5) if row[0].startswith("mixed_5b.")]
    assert {"mixed_5b.branch1x1", "mixed_5b.branch5x5_2"} <= set(nodes)
