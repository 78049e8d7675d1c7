"""Input that is no spec: whatever it is, checking gives an answer and no traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnspec.diagnostics import Report
from cnnspec.frontend import check_spec
from cnnspec.registry import keys
from cnnspec.rendering import render_github, render_json, render_text
from cnnspec.source import dump
from cnnspec.testing import blocks, check_text, specs, types
from cnnspec.testing.fitting import fits
from cnnspec.testing.nodes import COMPOSITE, around
from cnnspec.types import TensorType
from tests.properties.profiles import few

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


#: A class label beside the types that nodes are drawn for.
_LABEL = st.builds(lambda classes: TensorType((), "int32", classes), st.integers(1, 4))


@pytest.mark.parametrize("key", sorted(keys() - COMPOSITE))
@few(12)
@given(data=st.data())
def test_a_node_behind_what_it_was_not_written_for_gets_an_answer(key: str, data: st.DataObject) -> None:
    node = data.draw(blocks(data.draw(types().filter(lambda x: fits(key, x))), key))
    inputs = data.draw(st.lists(types() | _LABEL, min_size=1, max_size=2))
    answers(dump(around(node, tuple(inputs))))


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


@few(150)
@given(data=st.binary(max_size=200))
def test_any_bytes_get_an_answer(tmp_path_factory: Any, data: bytes) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(data)
    report = Report()
    assert (check_spec(path, report) is None) == report.failed
    assert report.failed


@few(100)
@given(spec=specs(3), data=st.data())
def test_a_spec_with_bytes_that_are_damaged_gets_an_answer(
    tmp_path_factory: Any, spec: dict[str, Any], data: Any
) -> None:
    text = bytearray(dump(spec).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    path: Path = tmp_path_factory.getbasetemp() / "damaged.yaml"
    path.write_bytes(bytes(text))
    report = Report()
    assert (check_spec(path, report) is None) == report.failed
    render_text(report)
