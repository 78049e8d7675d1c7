"""Counting a scaled network gives what checking it gives, and takes less time: blocks that are alike are elaborated once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cnnspec.diagnostics import Report
from cnnspec.elaborate import Elaborator
from cnnspec.frontend import check_spec, count_spec, counted, load_spec
from cnnspec.scaling import Factors
from cnnspec.source import dump
from cnnspec.testing import check_text, specs
from tests.scaling.strategies import factors, rules
from tests.scaling.test_properties import ids_of, without_expect


def agree(spec: Any, scale: Factors, settings: dict[str, Any] | None = None) -> bool:
    """Whether a spec is right under factors, after comparing what is counted of it."""
    if scale.nothing and not settings:
        spec = without_expect(spec) if isinstance(spec, dict) else spec  # which counting does not look at
    spec = dump(spec) if isinstance(spec, dict) else spec
    loaded = check_spec(spec, Report(), set=settings, scale=scale, explain=False)
    found = count_spec(spec, scale, settings)
    if loaded is None:
        assert found is None
        return False
    assert found is not None
    whole = counted(loaded)
    assert (found.totals, found.inputs, found.nodes) == (whole.totals, whole.inputs, whole.nodes)
    assert (found.scaler.width, found.scaler.depth) == (whole.scaler.width, whole.scaler.depth)
    return True


def used_twice(spec: dict[str, Any]) -> dict[str, Any]:
    """A spec whose layers are the body of a block of its own, which follows itself where its shapes allow it."""
    body = [node for node in spec["layers"] if not (isinstance(node, dict) and "shared" in node)]
    return {**spec, "layers": [{"id": "all", "repeat": 3, "layers": body}], "outputs": {"all": "all"}}


@settings(max_examples=150)
@given(spec=specs(), scale=factors(), data=st.data())
def test_counts_are_those_of_a_check_for_random_specs(spec, scale, data):
    spec["scaling"] = data.draw(rules(ids_of(spec)))
    assume(check_text(spec).loaded is not None)
    agree(spec, scale)


@settings(max_examples=150)
@given(spec=specs(), scale=factors(), data=st.data())
def test_counts_are_those_of_a_check_where_all_layers_repeat(spec, scale, data):
    spec["scaling"] = data.draw(rules(ids_of(spec)))
    spec.pop("expect", None)
    agree(used_twice(spec), scale)


ZOO = [
    "resnet50", "nasnet_a_mobile", "densenet121", "googlenet", "inception_v3", "inception_resnet_v2", "capsnet",
    "shufflenet_v2_x1_0", "efficientnet_b0", "resnext50_32x4d", "resnet110_cifar_stochastic_depth", "alexnet_two_groups",
]  # fmt: skip


@pytest.mark.parametrize("name", ZOO)
def test_counts_are_those_of_a_check_for_the_zoo(name):
    found = [agree(name, scale) for scale in (Factors(width=1.3, depth=0.6), Factors(width=0.5), Factors(phi=1))]
    assert any(found)
    agree(name, Factors(width=2.0), {"classes": 7})
    agree(name, Factors())


HEADER = "cnnspec: 1\nname: net\ninput: {height: 16, width: 16, channels: 4}\ndefaults: {conv: {padding: same}}\n"

#: Networks in which blocks look alike and are not, or reach out of themselves.
CASES = {
    "an index": "layers: [{id: a, repeat: 4, residual: {body: [{conv: {filters: 4, kernel: '${1 + 2 * (index % 2)}'}}]}}]",
    "the index of a repeat around it": (
        "layers: [{id: a, repeat: 3, layers: [{repeat: 2, conv: {filters: '${4 + index}'}}, {conv: {filters: '${4 + index}'}}]}]"
    ),
    "a node around it": (
        "layers:\n  - {id: stem, conv: {filters: 4}}\n"
        "  - {id: a, repeat: 3, residual: {body: [{from: stem, conv: {filters: 4}}]}}\n"
    ),
    "a node around it in a branch": (
        "layers:\n  - {id: stem, conv: {filters: 4}}\n"
        "  - {id: a, repeat: 3, layers: [{id: x, conv: {filters: 4}}, {add: [x, stem]}]}\n"
    ),
    "the shape of a node around it": (
        "layers:\n  - {id: stem, conv: {filters: 4}}\n"
        "  - {id: a, layers: [{conv: {filters: '${2 * stem.channels}'}}, {conv: {filters: 4}}]}\n"
        "  - {id: stem2, conv: {filters: 12}}\n"
        "  - {id: b, layers: [{conv: {filters: '${2 * stem.channels}'}}, {conv: {filters: 4}}]}\n"
    ),
    "a path into it": (
        "layers:\n  - {id: a, repeat: 3, layers: [{id: x, conv: {filters: 4}}, {id: y, conv: {filters: 4}}]}\n"
        "  - {id: side, from: a.1.x, conv: {filters: 4}}\n  - add: [a, side]\n"
    ),
    "an output within it": (
        "layers:\n  - {id: a, repeat: 3, layers: [{id: x, conv: {filters: 4}}, {id: y, conv: {filters: 4}}]}\n"
        "outputs: {whole: a, half: a.1.x}\n"
    ),
    "an input that it does not use": (
        "layers: [{id: a, repeat: 4, layers: [{from: input, conv: {filters: 4}}]}, {id: b, conv: {filters: 4}}]\n"
    ),
    "a part that nothing uses": (
        "layers:\n  - {id: a, repeat: 3, layers: [{id: x, conv: {filters: 8}}, {id: y, from: x, conv: {filters: 4}},"
        " {from: y, conv: {filters: 4}}]}\n  - {id: dead, from: a, layers: [{conv: {filters: 64}}]}\n"
        "  - {id: b, from: a, conv: {filters: 4}}\noutputs: {b: b}\n"
    ),
    "two inputs of which one is used": (
        "blocks: {pick: {inputs: [left, right], layers: [{from: right, conv: {filters: 4}}]}}\n"
        "layers:\n  - {id: a, layers: [{conv: {filters: 32}}]}\n  - {id: b, from: input, layers: [{conv: {filters: 8}}]}\n"
        "  - {id: c, from: [a, b], pick: {}}\n  - {id: d, from: [c, c], pick: {}}\n"
    ),
    "a block of two outputs": (
        "blocks: {two: {layers: [{id: x, conv: {filters: 4}}, {id: y, conv: {filters: 8}}], outputs: {x: x, y: y}}}\n"
        "layers:\n  - {id: a, two: {}}\n  - {id: b, from: 'a:x', two: {}}\n  - concat: ['a:y', 'b:y']\n"
    ),
    "an input passed on": (
        "blocks: {cell: {inputs: [current, previous], outputs: {now: z, before: current}, layers: [{id: x, from: current,"
        " conv: {filters: 4}}, {id: y, from: previous, conv: {filters: 4}}, {id: z, add: [x, y]}]}}\n"
        "layers:\n  - {id: a, from: [input, input], cell: {}}\n  - {id: b, from: ['a:now', 'a:before'], cell: {}}\n"
        "  - {id: c, from: ['b:now', 'b:before'], cell: {}}\n"
    ),
    "an input passed on, and what is made left over": (
        "blocks: {cell: {inputs: [current, previous], outputs: {now: z, before: current}, layers: [{id: x, from: current,"
        " conv: {filters: 4}}, {id: y, from: previous, conv: {filters: 4}}, {id: z, add: [x, y]}]}}\n"
        "layers:\n  - {id: a, from: [input, input], cell: {}}\n  - {id: b, from: ['a:now', 'a:before'], cell: {}}\n"
        "  - {id: c, from: ['b:now', 'b:before'], cell: {}}\n"
        "outputs: {before: 'c:before'}\n"
    ),
    "a repeat that carries what is around it": (
        "blocks: {weave: {inputs: [left, right], outputs: {left: l, right: left}, layers: [{id: l, from: left, conv:"
        " {filters: 4}}, {id: r, from: right, conv: {filters: 4}}, {id: s, add: [l, r]}]}}\n"
        "layers:\n  - {id: stem, conv: {filters: 4}}\n"
        "  - {id: a, layers: [{id: w, from: [stem, input], repeat: 3, weave: {}}, {conv: {filters: 4}}]}\n"
        "  - {id: b, from: a, layers: [{id: w, from: [stem, stem], repeat: 2, weave: {}}, {conv: {filters: 4}}]}\n"
    ),
    "a node around it that is left out": (
        "layers: [{id: all, repeat: 2, layers: [{id: n, when: false, conv: {filters: 4}}, {id: x, conv: {filters: 4}},"
        " {id: y, layers: [{id: dead, conv: {filters: 4}}, {from: n, conv: {filters: 4}}]}]}]\n"
    ),
    "nothing": (
        "blocks: {maybe: {params: {there: bool}, layers: [{when: $there, conv: {filters: 4}}]}}\n"
        "layers: [{id: a, maybe: {there: false}}, {id: b, maybe: {there: true}}, {id: c, maybe: {there: false}}]\n"
    ),
    "shared weights": (
        "layers:\n  - {id: stem, conv: {filters: 4}}\n  - {id: a, layers: [{id: x, conv: {filters: 4}}]}\n  - {id: b, shared: a}\n  - {id: c, shared: a}\n"
    ),
    "only for training": (
        "layers:\n  - {id: a, repeat: 3, layers: [{id: x, conv: {filters: 4}}]}\n"
        "  - {id: aux, training_only: true, layers: [{conv: {filters: 8}}, global_avg_pool]}\n"
        "  - {id: aux2, training_only: true, from: a, layers: [{conv: {filters: 8}}, global_avg_pool]}\n"
        "  - {id: b, from: a, layers: [{conv: {filters: 8}}, global_avg_pool]}\noutputs: {b: b, aux: aux, aux2: aux2}\n"
    ),
    "only for training within it": (
        "blocks: {b: {layers: [{id: x, conv: {filters: 4}}, {id: y, training_only: true, conv: {filters: 4}}]}}\n"
        "layers: [{id: a, b: {}}, {id: c, b: {}}]\n"
    ),
    "exempt by name": (
        "scaling: {exempt: [b], only_wider: [d]}\nlayers:\n"
        + "".join(f"  - {{id: {name}, layers: [{{id: x, conv: {{filters: 16}}}}]}}\n" for name in "abcd")
    ),
    "exempt by path": (
        "scaling: {exempt: [b.0.x, c.0.x.filters]}\nlayers:\n"
        + "".join(f"  - {{id: {n}, repeat: 3, layers: [{{id: x, conv: {{filters: 16}}}}]}}\n" for n in "abc")
    ),
    "exempt within blocks": (
        "scaling: {exempt: [narrow]}\nblocks: {b: {layers: [{id: wide, conv: {filters: 16}}, {id: narrow, conv: {filters: 16}}]}}\n"
        "layers: [{id: x, repeat: 3, b: {}}, {id: y, b: {}}]\n"
    ),
    "probabilities": (
        "params: {n: {type: int, default: 3, scale: depth}}\n"
        "layers: [{id: a, repeat: $n, basic: {filters: 8, survival: '${1 - index / (2 * n)}'}}]\n"
    ),
    "first and last": (
        "layers: [{id: a, repeat: 5, first: {stride: 2}, last: {filters: 24}, basic: {filters: 8}}, {id: b, repeat: 2, basic: {filters: 24}}]"
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("scale", [Factors(width=2.0, depth=1.7), Factors(depth=0.5), Factors(resolution=24)], ids=str)
def test_blocks_that_are_not_alike_are_told_apart(case, scale):
    assert agree(HEADER + CASES[case], scale)


@pytest.mark.parametrize(
    "wrong",
    [
        "layers: [{id: a, repeat: 40, layers: [{repeat: 2000, conv: {filters: 4}}]}]",  # more nodes than a network has
        "layers: [{id: a, repeat: 5000, layers: [{repeat: 6, layers: [identity]}]}]",  # more steps
        "layers: [{id: a, repeat: 900, layers: [{conv: {filters: 4096}}, {conv: {filters: 4}}]}, {id: b, repeat: 99, layers: [{linear: 99999}]}]",
        "layers: [{id: a, repeat: 3, basic: {filters: 8, survival: '${1.5 - index}'}}]",  # a chance of one and a half
        "layers: [{id: a, repeat: 4, layers: [{conv: {filters: '${8 // (2 - index)}'}}]}]",
        "layers: [{id: a, repeat: 9, layers: [{conv: {filters: 4, stride: 2}}, {conv: {filters: 4, kernel: 3, padding: valid}}]}]",
        "layers: [{id: aux, training_only: true, layers: [{conv: {filters: 4}}]}, {id: b, from: aux, layers: [{conv: {filters: 4}}]}]",
        "scaling: {exempt: [a.2]}\nlayers: [{id: a, repeat: 3, layers: [{conv: {filters: 4}}]}]",  # gone at half the depth
    ],
)
def test_what_is_wrong_as_a_whole_is_wrong_in_parts(wrong):
    assert not agree(HEADER + wrong, Factors(width=1.5, depth=0.5 if "a.2" in wrong else 1.0))


def test_what_a_spec_expects_of_itself_need_not_hold():
    """As with a check under factors, whose network is another one."""
    text = HEADER + "layers: [{id: a, conv: {filters: 4}, expect: [8, 8, 4]}]\nexpect: {params: 1}\n"
    assert check_spec(text, Report()) is None
    found = count_spec(text, Factors())
    assert found is not None
    assert found.totals == load_spec(text.replace(", expect: [8, 8, 4]", "").replace("expect: {params: 1}", "")).totals


def test_a_repeat_is_elaborated_once(monkeypatch):
    """What makes counting quick: a thousand blocks cost a few steps of the walk each, and not a few nodes."""
    steps = []
    take = Elaborator.step
    monkeypatch.setattr(Elaborator, "step", lambda self, tree: steps.append(tree) or take(self, tree))
    found = count_spec("inception_resnet_v2", Factors(width=1.1))
    assert found is not None
    assert found.nodes > 700
    assert len(steps) < 200
