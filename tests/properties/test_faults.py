"""One fault planted in a valid spec gives one diagnostic, of its code and at its place, whatever the spec."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnspec.registry import keys, spec_class
from cnnspec.rendering import render_github, render_json, render_text
from cnnspec.testing import blocks, check_text, mutants, types
from cnnspec.testing.faults import FAULTS
from cnnspec.testing.fitting import fits
from cnnspec.testing.nodes import COMPOSITE, around
from cnnspec.testing.text_faults import TEXT_FAULTS
from tests.properties.profiles import few


@pytest.mark.parametrize("fault", sorted({*FAULTS, *TEXT_FAULTS}))
@few(6)
@given(data=st.data())
def test_one_fault_gives_one_diagnostic_at_its_place(fault: str, data: st.DataObject) -> None:
    mutant = data.draw(mutants(fault))
    checked = check_text(mutant.text)
    shown = render_text(checked.diagnostics)
    assert checked.places == [(mutant.code, mutant.line, mutant.column)], f"{shown}\n{mutant.text}"
    assert "^" in shown
    assert mutant.code in render_json(checked.diagnostics)
    assert mutant.code in render_github(checked.diagnostics)


_WRONG = st.sampled_from(
    ["many", "", "${1 / 0}", 0, -1, 2.5, 10**30, True, None, [], {}, [1, 2, 3], [[1]], [0, 0], {"a": 1}, float("inf"), float("nan")]
)  # fmt: skip


@pytest.mark.parametrize("key", sorted(keys() - COMPOSITE))
@few(12, share=0.3)
@given(data=st.data())
def test_any_value_of_any_field_is_taken_or_refused_once(key: str, data: st.DataObject) -> None:
    x = data.draw(types().filter(lambda x: fits(key, x)))
    node: dict[str, Any] = data.draw(blocks(x, key))
    names = list(spec_class(key).model_fields)
    if not names:
        return
    name, value = data.draw(st.sampled_from(names)), data.draw(_WRONG)
    node[key][name] = value
    checked = check_text(around(node, (x,)))
    # A mapping of another shape may miss a field and have one that is not there: two mistakes.
    most = 2 if isinstance(value, dict) else 1
    assert (checked.loaded is not None) == (not checked.diagnostics)
    assert len(checked.diagnostics) <= most, render_text(checked.diagnostics)
    assert all(d.span is not None for d in checked.diagnostics)
