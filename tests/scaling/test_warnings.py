"""What is remarked of scales that work, but not as one would think."""

from __future__ import annotations

from typing import Any

import pytest

from cnnspec.diagnostics import Diagnostic, Report
from cnnspec.frontend import check_spec
from cnnspec.scaling import Factors

HEAD = "cnnspec: 1\nname: net\ninput: {height: 32, width: 32, channels: 3}\n"


def warnings(text: str, **factors: Any) -> list[Diagnostic]:
    report = Report()
    assert check_spec(text, report, scale=Factors(**factors)) is not None
    return list(report)


@pytest.mark.parametrize(
    ("alpha", "warned"), [(1.2, False), (1.0, True), (1.24, False), (1.13, False), (1.38, True), (100, True)]
)
def test_a_compound_rule_far_from_doubling_is_warned_of(alpha, warned):
    text = (
        f"{HEAD}scaling: {{compound: {{alpha: {alpha}, beta: 1.1, gamma: 1.15}}}}\nlayers: [{{conv: {{filters: 8}}}}]\n"
    )
    found = warnings(text)
    assert [d.code for d in found] == (["E905"] if warned else [])
    if warned:
        assert found[0].severity == "warning"
        assert f"{alpha * 1.1**2 * 1.15**2:.3g}" in found[0].message
        assert (found[0].span.line, found[0].span.column) == (4, 21)


PLAIN = f"{HEAD}layers:\n  - {{id: stem, conv: {{filters: 64}}}}\n  - {{id: out, conv: {{filters: 8, act: relu}}}}\n"


def test_a_depth_without_a_repeat_is_warned_of():
    (found,) = warnings(PLAIN, depth=2.0)
    assert (found.code, found.severity) == ("E907", "warning")
    assert found.message == "depth 2 changes nothing: no `repeat` of the spec is written as a number"


def test_a_width_that_rounding_takes_back_names_the_nearest_that_moves_something():
    (found,) = warnings(PLAIN, width=1.02)
    assert found.code == "E907"
    assert found.help == "width 1.07 is the nearest that changes a number"
    assert warnings(PLAIN, width=1.07) == []
    assert [d.code for d in warnings(PLAIN, width=1.06)] == ["E907"]


STANDING = f"{HEAD}scale: {{depth: 1.1, width: 1.5}}\nlayers:\n  - {{id: body, repeat: 4, conv: {{filters: 64, kernel: 3}}}}\n  - max_pool: 2\n"


@pytest.mark.parametrize("factors", [{"depth": 0.9}, {"width": 0.6667}, {"width": 1 / 1.5}, {"phi": -1}])
def test_a_factor_that_undoes_the_specs_own_changes_something(factors):
    """The network as it stands has five rows of 96 filters; 1.1 x 0.9 takes it back to the four that are written."""
    assert warnings(STANDING, **factors) == []


@pytest.mark.parametrize(
    ("factors", "said", "help"),
    [({"depth": 1.05}, "depth 1.05 changes", "depth 1.14"), ({"width": 0.98}, "width 0.98 changes", "width 0.95"),
     ({"phi": 0.2}, "width 1.01924 of phi 0.2 changes", "width 1.05")],
)  # fmt: skip
def test_a_factor_on_a_scaled_spec_that_moves_nothing_is_named_as_it_was_typed(factors, said, help):
    text = STANDING.replace("scale:", "scaling: {compound: {alpha: 1.6, beta: 1.1, gamma: 1.0}}\nscale:")
    found = warnings(text, **factors)
    assert {d.code for d in found} == {"E907"}
    assert found[0].message.startswith(said)
    assert found[0].help == f"{help} is the nearest that changes a number"
    assert found[0].span is None


def test_an_output_that_changed_is_warned_of():
    head = PLAIN + "  - global_avg_pool\n  - {id: classifier, linear: {features: 10, act: softmax}}\n"
    (found,) = warnings(head, width=2.0)
    assert (found.code, found.severity) == ("E908", "warning")
    assert found.message == "the output `output` has 24 channels, and 10 as written"
    assert found.help.endswith("`scaling: {exempt: [classifier]}`")
    assert warnings(head.replace("layers:", "scaling: {exempt: [classifier]}\nlayers:"), width=2.0) == []
    # Features are meant to change: what is pooled or activated is no head.
    assert warnings(PLAIN, width=2.0) == []
