"""Mistakes that hide no others, bounds that speak once, and names that cannot be one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cnnspec.testing.checking import Checked

Layers = Callable[..., Checked]


def found(checked: Checked) -> list[tuple[str, int]]:
    return [(d.code, d.span.line) for d in checked.diagnostics]


def test_a_wrong_default_hides_nothing_of_the_nodes(check_layers: Layers) -> None:
    layers = "- conv: {filters: 3, padding: causal}\n- conv: {filterz: 3}\n- conv: {filters: 3, stride: [0, 2]}"
    checked = check_layers(layers, "defaults: {conv: {kernel: x}}\n")
    assert found(checked) == [("E103", 4), ("E103", 6), ("E101", 7), ("E104", 8)]


def test_what_a_node_expects_hides_nothing_that_the_network_expects(check_layers: Layers) -> None:
    layers = "- {id: x, conv: {filters: 3}, expect: [8, 8, 4]}"
    after = "expect: {params: 85, macs: 5K, output: [8, 8, 4], nodes: {y: [3], x: [4]}}\n"
    checked = check_layers(layers, after=after)
    assert [d.code for d in checked.diagnostics] == ["E601", "E602", "E604", "E301", "E601"]


@pytest.mark.parametrize("wrong", ["flops: 1.0G", "state: 1.5", "state: ${nothing}"])
def test_a_wrong_expectation_hides_no_other(check_layers: Layers, wrong: str) -> None:
    checked = check_layers(
        "- {id: x, conv: {filters: 3}}", after=f"expect:\n  {wrong}\n  params: 85\n  output: [8, 8, 4]\n"
    )
    assert [line for _, line in found(checked)] == [7, 8, 9]
    assert [code for code, _ in found(checked)][1:] == ["E602", "E604"]


def test_a_wrong_first_hides_no_wrong_last(check_layers: Layers) -> None:
    checked = check_layers("- {repeat: 3, conv: {filters: 3}, first: {filterz: 2}, last: {stride: 0}}")
    assert [d.code for d in checked.diagnostics] == ["E101", "E104"]


def test_behind_a_bound_nothing_is_missing(check: Layers) -> None:
    checked = check("cnnspec: 1\nname: a\nextends: resnet50\nset: {depths: [3000, 4000, 6000, 3000]}\n")
    assert [d.code for d in checked.diagnostics] == ["E701"]


@pytest.mark.parametrize("name", ['"../x"', '"a/b"', '""', '".."', '"a\\tb"', '"."', f'"{"a" * 101}"'])
def test_a_name_that_is_no_folder(check: Layers, name: str) -> None:
    checked = check(f"cnnspec: 1\nname: {name}\ninput: {{features: 3}}\nlayers:\n  - linear: {{features: 2}}\n")
    assert found(checked) == [("E110", 2)]


@pytest.mark.parametrize("name", ["vgg16", "LeNet 5", "mobilenet_v2-1.0", "Größe", "a"])
def test_a_name_that_is_one(check: Layers, name: str) -> None:
    assert not check(
        f"cnnspec: 1\nname: {name}\ninput: {{features: 3}}\nlayers:\n  - linear: {{features: 2}}\n"
    ).diagnostics


@pytest.mark.parametrize("name", ['"g h"', '"a:b"', "x.y", "class", "a/b", "1st"])
def test_an_input_that_cannot_be_an_argument(check: Layers, name: str) -> None:
    spec = f"cnnspec: 1\nname: n\ninputs:\n  {name}: {{features: 3}}\nlayers:\n  - linear: {{features: 2}}\n"
    assert found(check(spec)) == [("E110", 4)]


@pytest.mark.parametrize("outputs", ['{"e f": x}', '{"a:b": x}', "{x.y: x}", '["s:0"]', '"s:0"'])
def test_an_output_that_cannot_be_named_so(check_layers: Layers, outputs: str) -> None:
    checked = check_layers(
        "- {id: s, from: input, pad: 1}\n- {id: x, conv: {filters: 2}}", after=f"outputs: {outputs}\n"
    )
    assert found(checked) == [("E110", 7)]


@pytest.mark.parametrize("pool", ["max_pool: {window: 2, padding: 2}", "avg_pool: {window: [3, 1], padding: [0, 1]}"])
def test_padding_that_holds_a_whole_window(check_layers: Layers, pool: str) -> None:
    assert found(check_layers(f"- {pool}")) == [("E202", 5)]


def test_padding_of_one_less_than_the_window(check_layers: Layers) -> None:
    assert not check_layers("- max_pool: {window: 3, stride: 1, padding: 2}").diagnostics
