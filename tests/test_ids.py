"""Ids are attributes of the Flax module: those that it needs itself, and words of Python, are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cnnspec.elaborate.frames import TAKEN_IDS
from cnnspec.testing.checking import Checked


def test_the_attributes_of_the_module_are_known() -> None:
    import cnnspec

    model = cnnspec.build("cnnspec: 1\nname: n\ninput: {features: 2}\nlayers: [{id: only, linear: {features: 2}}]\n")
    attributes = {name for name in {*dir(type(model)), *vars(model)} if not name.startswith("_")}
    assert attributes - {"only"} == TAKEN_IDS


@pytest.mark.parametrize("name", [*sorted(TAKEN_IDS), "class", "lambda", "None", "_program", "__init__", "9th", "a-b"])
def test_what_is_no_id(check_layers: Callable[..., Checked], name: str) -> None:
    layers = f"- {{id: {name}, conv: {{filters: 3}}}}\n- {{id: fine, from: '{name}', conv: {{filters: 3}}}}"
    assert check_layers(layers).places == [("E110", 5, 10)]


@pytest.mark.parametrize("name", ["größe", "conv1", "x_", "Block", "trained"])
def test_what_is_one(check_layers: Callable[..., Checked], name: str) -> None:
    assert check_layers(f"- {{id: {name}, conv: {{filters: 3}}}}").codes == []
