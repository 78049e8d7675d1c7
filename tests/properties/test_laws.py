"""The laws that every network keeps, over random specs, and over every op and block by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnspec.frontend import LoadedSpec
from cnnspec.registry import keys
from cnnspec.rendering import render_text
from cnnspec.source import dump
from cnnspec.testing import blocks, check_text, specs, types
from cnnspec.testing.fitting import fits
from cnnspec.testing.laws import COMPILED, DYNAMIC, STATIC
from cnnspec.testing.nodes import COMPOSITE, around, output_type
from cnnspec.types import TensorType
from tests.properties.profiles import few

Law = Callable[[LoadedSpec], None]


def loaded(spec: dict[str, Any]) -> LoadedSpec:
    checked = check_text(spec)
    assert checked.loaded is not None, f"{render_text(checked.diagnostics)}\n{checked.text}"
    return checked.loaded


@pytest.mark.parametrize("law", STATIC)
@few(40)
@given(spec=specs())
def test_laws_that_need_no_run(law: Law, spec: dict[str, Any]) -> None:
    law(loaded(spec))


@pytest.mark.parametrize("law", DYNAMIC)
@few(15)
@given(spec=specs(4))
def test_laws_of_runs(law: Law, spec: dict[str, Any]) -> None:
    law(loaded(spec))


@pytest.mark.parametrize("law", COMPILED)
@few(4, share=0.2)
@given(spec=specs(4))
def test_laws_of_what_is_compiled(law: Law, spec: dict[str, Any]) -> None:
    law(loaded(spec))


@pytest.mark.parametrize("key", sorted(keys() - COMPOSITE))
@few(5, share=0.3)
@given(data=st.data())
def test_every_op_and_block_keeps_the_laws(key: str, data: st.DataObject) -> None:
    x = data.draw(types().filter(lambda x: fits(key, x)))
    network = loaded(around(data.draw(blocks(x, key)), (x,)))
    for law in (*STATIC, *DYNAMIC[:1]):
        law(network)


@pytest.mark.slow
@pytest.mark.parametrize("key", sorted(keys() - COMPOSITE))
@few(3, share=0.02)
@given(data=st.data())
def test_every_op_and_block_keeps_the_laws_compiled(key: str, data: st.DataObject) -> None:
    x = data.draw(types().filter(lambda x: fits(key, x)))
    network = loaded(around(data.draw(blocks(x, key)), (x,)))
    for law in (*DYNAMIC[1:], *COMPILED):
        law(network)


@few(60)
@given(spec=specs())
def test_checking_is_the_same_every_time(spec: dict[str, Any]) -> None:
    assert str(loaded(spec).graph) == str(loaded(spec).graph)
    assert check_text(dump(spec)).loaded == loaded(spec)


def test_the_strategies_say_what_is_wrong_with_a_node_that_is_not_valid() -> None:
    with pytest.raises(AssertionError, match="E201"):
        output_type({"conv": {"filters": 3}}, (TensorType((4,)),))
