"""Medians, ratios within a round, means, and what is reached of the targets."""

from __future__ import annotations

import math

import pytest

from benchmarks import figures, tables, targets
from benchmarks.networks import NETWORKS
from benchmarks.sections.inference import means
from tests.benchmarks.rows import engine, row, rows


def test_a_summary_has_the_median_of_turns_and_the_least_call() -> None:
    found = figures.summary([[3.0, 1.0, 2.0], [5.0, 4.0, 9.0], [4.0, 4.0]])
    assert (found["median"], found["minimum"], found["calls"]) == (4.0, 1.0, 8)
    assert found["turns"] == [2.0, 5.0, 4.0]


def test_a_ratio_is_taken_within_a_round() -> None:
    """In every other round the machine is three times slower: medians alone would say anything."""
    drift = (1.0, 3.0, 1.0, 3.0, 1.0)
    ours, theirs = (engine(*(base * slow for slow in drift)) for base in (0.010, 0.015))
    assert figures.ratio(theirs, ours) == pytest.approx(1.5)
    late = engine(*(0.015 * slow for slow in reversed((3.0, 1.0, 3.0, 1.0, 3.0))))
    assert late["median"] / ours["median"] == pytest.approx(4.5)


def test_spread_is_that_of_the_turns() -> None:
    assert figures.spread(engine(0.010, 0.012, 0.011)) == pytest.approx(0.2)


def test_geometric_mean() -> None:
    assert figures.geometric_mean([0.5, 2.0]) == pytest.approx(1.0)
    assert figures.geometric_mean([4.0]) == pytest.approx(4.0)
    assert math.isnan(figures.geometric_mean([]))


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.001234, "1.23"), (0.0999, "99.9"), (0.09999, "100"), (1.2344, "1234")]
)
def test_milliseconds_have_the_digits_that_count(seconds: float, text: str) -> None:
    assert tables.milliseconds(seconds) == text


MEASURED = rows(
    row("resnet50", 1, cnnspec=0.010, nnx=0.015, keras=0.016, torch=0.020, torch_compile=0.009, onnxruntime=0.008),
    row("mobilenet_v2", 1, cnnspec=0.002, nnx=0.018, keras=0.022, torch=0.006, torch_compile=0.002, onnxruntime=0.001),
    row("squeezenet1_1", 1, {"keras": "does not have this network"}, cnnspec=0.004, nnx=0.005, torch=0.004),
    row("mobilenet_v2", 8, cnnspec=0.020, nnx=0.400, torch_compile=0.021),
)


def test_means_are_over_the_networks_that_both_have() -> None:
    table = means(MEASURED)
    assert table.columns[1:] == [
        "keras / cnnspec",
        "nnx / cnnspec",
        "torch / cnnspec",
        "cnnspec / torch.compile",
        "tuned / torch.compile",
        "cnnspec / onnxruntime",
        "tuned / onnxruntime",
    ]
    assert table.rows[0] == [
        "1", f"{math.sqrt(1.6 * 11):.2f} (2)", f"{(1.5 * 9 * 1.25) ** (1 / 3):.2f} (3)", f"{6 ** (1 / 3):.2f} (3)",
        f"{math.sqrt(10 / 9):.2f} (2)", "", f"{math.sqrt(1.25 * 2):.2f} (2)", "",
    ]  # fmt: skip
    assert table.rows[1] == ["8", "", "20.00 (1)", "", "0.95 (1)", "", "", ""]


def test_the_worst_row_decides_whether_a_target_is_met() -> None:
    found = {target.what: target for target in targets.inference(MEASURED)}
    depthwise = found["nnx / cnnspec: networks of depthwise convolutions"]
    assert (depthwise.reached, depthwise.where, depthwise.met) == (pytest.approx(9.0), "mobilenet_v2, batch 1", False)
    assert found["keras / cnnspec: networks of depthwise convolutions"].met
    assert found["nnx / cnnspec: ResNet-50"].met
    assert "nnx / cnnspec: networks of grouped convolutions" not in found
    compiled = found["cnnspec / torch.compile: geometric mean at batch 1"]
    assert compiled.reached == pytest.approx(math.sqrt(10 / 9))
    assert not compiled.met
    assert compiled.where == f"2 of {len(NETWORKS)} networks"
    assert found["cnnspec / torch.compile: geometric mean at batch 8"].met
    assert not found["cnnspec / onnxruntime: geometric mean at batch 1"].met
    assert "cnnspec, tuned / onnxruntime: geometric mean at batch 1" not in found


def test_what_was_tuned_has_ratios_of_its_own() -> None:
    turns = {"cnnspec": 2.0, "tuned": 1.0, "onnxruntime": 1.25}
    engines = {name: {"turns": [t], "median": t, "minimum": t} for name, t in turns.items()}
    rows = {
        "resnet50 1": {
            "network": "resnet50",
            "batch": 1,
            "engines": engines,
            "warnings": [],
            "others": 0.0,
            "absent": {},
        }
    }
    found = {target.what: target.reached for target in targets.inference(rows)}
    assert found["cnnspec, tuned / onnxruntime: geometric mean at batch 1"] == pytest.approx(0.8)
    assert found["cnnspec / onnxruntime: geometric mean at batch 1"] == pytest.approx(1.6)


def test_a_bound_itself_is_met() -> None:
    (target,) = targets.training(rows(row("resnet50", 8, cnnspec=0.1, torch=0.1)))
    assert target.met
    assert [t.met for t in targets.depth({"forward": 5.0, "training": 10.01})] == [True, False]


def test_what_rests_on_a_doubtful_row_is_doubtful() -> None:
    noisy = {**row("mobilenet_v2", 8, cnnspec=0.1, torch=0.3), "warnings": ["other processes used 50% of the machine"]}
    quiet = row("resnet50", 8, cnnspec=0.1, torch=0.2)
    assert [target.doubtful for target in targets.training(rows(quiet))] == [False]
    (target,) = targets.training(rows(quiet, noisy))
    assert targets.table([target]).rows == [
        ["torch / cnnspec: no slower a step", "≥ 1", "2.00", "yes, doubtful", "resnet50, batch 8"]
    ]


def test_the_table_has_a_cell_for_each_engine() -> None:
    table = tables.side_by_side(MEASURED)
    assert table.columns == [
        "network",
        "batch",
        "cnnspec",
        "Flax NNX by hand",
        "keras on JAX",
        "torch, eager",
        "torch.compile, frozen",
        "onnxruntime",
        "others",
    ]
    assert table.rows[0][2:5] == ["10.0 (10.0)", "15.0 (15.0) 1.50×", "16.0 (16.0) 1.60×"]
    assert table.rows[2][4] == ""
    assert tables.notes(MEASURED) == ["Left out: keras: does not have this network, in squeezenet1_1."]
