"""The laws over random specs, every op and block among them; single faults; and input that is no spec at all.

The everyday profile looks at a few examples of each; `HYPOTHESIS_PROFILE=thorough` at 10,000.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnspec.frontend import LoadedSpec
from cnnspec.registry import keys
from cnnspec.rendering import render_github, render_json, render_text
from cnnspec.source import dump
from cnnspec.testing import Mutant, blocks, check_text, mutants, specs, types
from cnnspec.testing.coverage import KINDS, keys_of, kinds_of
from cnnspec.testing.faults import FAULTS
from cnnspec.testing.fitting import fits
from cnnspec.testing.laws import DYNAMIC, STATIC, jit_keeps_the_outputs
from cnnspec.testing.nodes import COMPOSITE, around, output_type
from tests.test_error_pages import codes_in_the_sources

Law = Callable[[LoadedSpec], None]
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


def few(everyday: int) -> Callable[[Any], Any]:
    """Fewer examples than the profile's where each takes long; as many as ever in the thorough one."""
    return settings() if THOROUGH else settings(max_examples=everyday, suppress_health_check=list(HealthCheck))


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
@few(20)
@given(spec=specs(4))
def test_laws_of_runs(law: Law, spec: dict[str, Any]) -> None:
    law(loaded(spec))


@pytest.mark.slow
@few(30)
@given(spec=specs())
def test_jit_is_eager(spec: dict[str, Any]) -> None:
    jit_keeps_the_outputs(loaded(spec))


@pytest.mark.parametrize("key", sorted(keys() - COMPOSITE))
@few(6)
@given(data=st.data())
def test_every_op_and_block_keeps_the_laws(key: str, data: st.DataObject) -> None:
    x = data.draw(types().filter(lambda x: fits(key, x)))
    network = loaded(around(data.draw(blocks(x, key)), (x,)))
    for law in (*STATIC, *DYNAMIC[:1]):
        law(network)


@few(60)
@given(spec=specs())
def test_checking_is_the_same_every_time(spec: dict[str, Any]) -> None:
    assert str(loaded(spec).graph) == str(loaded(spec).graph)
    assert check_text(dump(spec)).loaded == loaded(spec)


@pytest.mark.parametrize("fault", sorted(FAULTS))
@few(8)
@given(data=st.data())
def test_one_fault_gives_one_diagnostic_at_its_place(fault: str, data: st.DataObject) -> None:
    mutant = data.draw(mutants(fault))
    checked = check_text(mutant.text)
    shown = render_text(checked.diagnostics)
    assert checked.places == [(mutant.code, mutant.line, mutant.column)], f"{shown}\n{mutant.text}"
    assert "^" in shown
    assert mutant.code in render_json(checked.diagnostics)
    assert mutant.code in render_github(checked.diagnostics)


def test_the_faults_reach_every_code_of_the_front_end_that_one_spec_can_have() -> None:
    planted: set[str] = set()

    for fault in sorted(FAULTS):

        @settings(max_examples=1, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
        @given(mutants(fault))
        def gather(mutant: Mutant) -> None:
            planted.add(mutant.code)

        gather()
    # What is left needs other files (E502, E503, E504), 50,000 nodes (E701), blocks that use themselves, or `verify`.
    elsewhere = {"E502", "E503", "E504", "E605", "E701", "E705"}
    front_end = {code for code in codes_in_the_sources() if "E1" <= code < "E8"}
    assert planted | elsewhere >= front_end, sorted(front_end - planted - elsewhere)


def test_random_specs_reach_every_op_every_block_and_every_kind_of_edge() -> None:
    kinds: set[str] = set()
    reached: set[str] = set()

    @settings(max_examples=2000, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(specs())
    def gather(spec: dict[str, Any]) -> None:
        kinds.update(kinds_of(spec))
        reached.update(keys_of(spec))

    gather()
    assert kinds >= KINDS, sorted(KINDS - kinds)
    assert reached >= keys(), sorted(keys() - reached)


# --- input that is no spec --------------------------------------------------------------------------------------

_WORDS = st.sampled_from(
    ["cnnspec", "name", "input", "inputs", "layers", "params", "set", "blocks", "defaults", "outputs", "expect", "extends",
     "imports", "edits", "scaling", "scale", "source", "id", "from", "repeat", "first", "last", "when", "shared", "conv",
     "filters", "kernel", "height", "width", "channels", "features", "linear", "flatten", "add", "residual", "body", "a",
     "$a", "${a}", "${1/0}", "${input.channels}", "a:1", "x.y", "vgg11", "relu", "training_only", "type", "default", "int"]
)  # fmt: skip
_SCALARS = _WORDS | st.none() | st.booleans() | st.integers(-3, 10) | st.floats() | st.just(10**20)
_ANY = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS, inner, max_size=5), max_leaves=25
)


def _headed(data: dict[str, Any]) -> dict[str, Any]:
    return {"cnnspec": 1, "name": "n", "input": {"height": 4, "width": 4, "channels": 2}, "layers": ["flatten"], **data}


def answers(text: str) -> None:
    """Checking gives a network or at least one error, and every way of showing it works."""
    checked = check_text(text)
    assert (checked.loaded is None) == any(d.severity == "error" for d in checked.diagnostics), text
    for render in (render_text, render_json, render_github):
        assert isinstance(render(checked.diagnostics), str)


@few(250)
@given(st.dictionaries(_WORDS, _ANY, max_size=6))
def test_any_mapping_gets_an_answer(data: dict[str, Any]) -> None:
    answers(dump(_headed(data)))


@few(250)
@given(st.lists(st.dictionaries(_WORDS, _ANY, min_size=1, max_size=3) | _ANY, max_size=4))
def test_any_layers_get_an_answer(layers: list[Any]) -> None:
    answers(dump(_headed({"layers": layers})))


@few(150)
@given(st.data())
def test_a_spec_with_anything_anywhere_gets_an_answer(data: st.DataObject) -> None:
    spec = data.draw(specs(3))
    place: Any = spec
    while True:
        at = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else list(range(len(place)))))
        if not isinstance(place[at], dict | list) or not place[at] or data.draw(st.integers(0, 3)) == 0:
            break
        place = place[at]
    place[at] = data.draw(_ANY)
    answers(dump(spec))


@few(150)
@given(st.text(max_size=120))
def test_any_text_gets_an_answer(text: str) -> None:
    answers(text)


@few(150)
@given(spec=specs(3), data=st.data())
def test_any_broken_text_gets_an_answer(spec: dict[str, Any], data: st.DataObject) -> None:
    text = dump(spec)
    start = data.draw(st.integers(0, len(text)))
    stop = min(len(text), start + data.draw(st.integers(0, 12)))
    answers(text[:start] + data.draw(st.text("[]{}:,-&*!|>'\"%@`$ \t\nab1", max_size=6)) + text[stop:])


def test_the_strategies_say_what_is_wrong_with_a_node_that_is_not_valid() -> None:
    from cnnspec.types import TensorType

    with pytest.raises(AssertionError, match="E201"):
        output_type({"conv": {"filters": 3}}, (TensorType((4,)),))
