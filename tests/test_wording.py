"""Messages in the words of the language, and numbers that no parameter can begin with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cnnspec.testing.checking import Checked

Layers = Callable[..., Checked]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("[1, 2]['a']", "an element is asked for by a whole number, not by text"),
        ("len(3)", "a whole number has no length"),
        ("int('x')", "'x' is no whole number"),
        ("abs([1])", "`abs` does not go with a list"),
        ("sum(['a'])", "`+` does not go with a whole number and text"),
        ("round([1])", "a list cannot be rounded"),
        ("sqrt('a')", "`<` does not compare text with a whole number"),
    ],
)  # fmt: skip
def test_failed_expressions(check_layers: Layers, expression: str, said: str) -> None:
    (found,) = check_layers(f'- conv: {{filters: "${{{expression}}}"}}').diagnostics
    assert found.code == "E403"
    assert found.message.endswith(said)


@pytest.mark.parametrize(
    "start", ["{constant: .nan}", "{constant: .inf}", "{uniform: {low: 3, high: 1}}", "{normal: {mean: .inf}}"]
)
def test_numbers_that_no_parameter_begins_with(check_layers: Layers, start: str) -> None:
    (found,) = check_layers(f"- conv: {{filters: 2, bias: true, bias_init: {start}}}").diagnostics
    assert found.code == "E104"


def test_a_negative_repeat(check_layers: Layers) -> None:
    (found,) = check_layers("- {repeat: -1, conv: {filters: 2}}").diagnostics
    assert found.help == "write `0` to leave the node out"


def test_an_expectation_of_no_dimensions(check_layers: Layers) -> None:
    (found,) = check_layers("- {conv: {filters: 2}, expect: []}").diagnostics
    assert found.message == "expected no dimensions, and the shape is 8x8x2"


def test_a_setting_is_shown_as_it_was_typed(check_layers: Layers) -> None:
    found = check_layers("- conv: {filters: 2}", "params: {classes: {type: int, default: 3}}\n", set={"classes": True})
    assert found.diagnostics[0].span.raw == "classes=true"
