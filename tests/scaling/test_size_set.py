"""An input's size that is set from outside takes the place of the one that the spec's own scale gives."""

from __future__ import annotations

import pytest

from cnnspec.frontend import load_spec
from cnnspec.scaling.factors import Factors

SET = {"input.height": 96, "input.width": 64}


@pytest.mark.parametrize("name", ["efficientnet_b1", "mobilenet_v1_05_128"])
def test_the_size_is_what_was_set_and_the_rest_stays_scaled(name: str) -> None:
    whole, small = load_spec(name), load_spec(name, set=SET)
    assert small.graph.inputs[0].type.shape == (96, 64, 3)
    assert small.totals.params == whole.totals.params
    assert small.totals.macs < whole.totals.macs


@pytest.mark.parametrize("name", ["efficientnet_b1", "mobilenet_v1_05_128"])
def test_its_expanded_text_is_the_same_network(name: str) -> None:
    small = load_spec(name, set=SET)
    assert load_spec(small.expanded).totals == small.totals


def test_a_scale_from_outside_has_the_last_word() -> None:
    loaded = load_spec("efficientnet_b1", set=SET, scale=Factors(resolution=128))
    assert loaded.graph.inputs[0].type.height == 128
