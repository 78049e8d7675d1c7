"""What the language can say: for each feature a small spec, and the graph or the shapes that it means."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cnnspec.graph import print_graph
from cnnspec.testing.checking import Checked

Layers = Callable[..., Checked]


def graph(checked: Checked) -> list[str]:
    """The lines of the printed graph between its input and its outputs, without types."""
    assert not checked.diagnostics, checked.diagnostics
    assert checked.loaded is not None
    lines = print_graph(checked.loaded.graph).splitlines()
    return [line.strip() for line in lines if " = input{" not in line][1:]


def test_nodes_follow_one_another_and_get_names(check_layers: Layers) -> None:
    found = graph(
        check_layers("- conv: {filters: 4}\n- max_pool: 2\n- {id: last, conv: {filters: 2, kernel: 1}}\n- flatten")
    )
    assert found == [
        "%conv_1 = conv{filters=4} %input : f32[N,8,8,4]",
        "%max_pool_1 = max_pool{window=2x2} %conv_1 : f32[N,4,4,4]",
        "%last = conv{filters=2, kernel=1x1} %max_pool_1 : f32[N,4,4,2]",
        "%flatten_1 = flatten{} %last : f32[N,32]",
        "return output=%flatten_1",
    ]


def test_from_names_ids(check_layers: Layers) -> None:
    found = graph(
        check_layers(
            "- {id: a, conv: {filters: 4}}\n- {id: b, from: input, conv: {filters: 4}}\n- {from: [a, b], add: {}}"
        )
    )
    assert found[2] == "%add_1 = add{} %a, %b : f32[N,8,8,4]"


def test_from_names_ports_and_paths_inside_blocks(check_layers: Layers) -> None:
    layers = "- {id: s, conv: {filters: 6}}\n- {id: two, split: {sizes: [2, 4]}}\n- {from: 'two:1', relu6: {}}\n"
    layers = (
        layers.replace("relu6: {}", "activation: relu6") + "- {id: f, fire: {squeeze: 2, expand1x1: 3, expand3x3: 5}}\n"
    )
    found = graph(check_layers(layers + "- {from: f.expand1x1, identity: {}}"))
    assert "%activation_1 = activation{function=relu6} %two:1 : f32[N,8,8,4]" in found
    assert found[-2] == "%identity_1 = identity{} %f.expand1x1.act : f32[N,8,8,3]"


def test_several_inputs_and_named_outputs(check: Callable[..., Checked]) -> None:
    text = """
cnnspec: 1
name: two
inputs: {left: {height: 4, width: 4, channels: 2}, right: {height: 4, width: 4, channels: 3}, label: {classes: 10, optional: true}}
layers:
  - {id: joined, from: [left, right], concat: {}}
  - {id: pooled, global_avg_pool: {}}
outputs: {map: joined, vector: pooled}
"""
    checked = check(text)
    assert graph(checked) == [
        "%joined = concat{} %left, %right : f32[N,4,4,5]",
        "%pooled = global_avg_pool{} %joined : f32[N,5]",
        "return map=%joined, vector=%pooled",
    ]
    assert "%label = input{} : i32[N] optional" in print_graph(checked.loaded.graph)


def test_shared_weights_are_one_array(check_layers: Layers) -> None:
    layers = "- {id: a, conv: {filters: 3, norm: batch}}\n- {id: b, shared: a}\n- {id: c, shared: b}"
    checked = check_layers(layers)
    found = graph(checked)
    assert found[2].startswith("%b = conv{filters=3, bias=false} %a.norm : f32[N,8,8,3] shares a.kernel")
    assert found[4].endswith("shares a.kernel")
    assert checked.loaded.totals.params == 3 * 3 * 3 * 3 + 2 * 3


def test_branches_merge_by_concat_add_and_multiply(check_layers: Layers) -> None:
    branches = "[{conv: {filters: 4}}, [{conv: {filters: 2}}, {conv: {filters: 4}}], stem]"
    for merge, channels in (("concat", 12), ("add", 4), ("multiply", 4)):
        found = graph(check_layers(f"- {{id: stem, conv: {{filters: 4}}}}\n- {{id: m, {merge}: {branches}}}"))
        assert found[1] == "%m.branch1.conv_1 = conv{filters=4} %stem : f32[N,8,8,4]"
        assert found[4] == f"%m = {merge}{{}} %m.branch1.conv_1, %m.branch2.conv_2, %stem : f32[N,8,8,{channels}]"


@pytest.mark.parametrize(
    ("shortcut", "line"),
    [
        ("projection", "%r.shortcut = conv{filters=6, kernel=1x1, stride=2x2, bias=false} %input : f32[N,4,4,6]"),
        ("pad", "%r.shortcut.pad = pad{padding=0, channels=3} %r.shortcut.subsample : f32[N,4,4,6]"),
        ("auto", "%r.shortcut = conv{filters=6, kernel=1x1, stride=2x2, bias=false} %input : f32[N,4,4,6]"),
    ],
)
def test_residuals_with_a_shortcut_of_choice(check_layers: Layers, shortcut: str, line: str) -> None:
    found = graph(
        check_layers(
            f"- {{id: r, residual: {{shortcut: {shortcut}, act: relu, survival: 0.8, body: [{{conv: {{filters: 6, stride: 2}}}}]}}}}"
        )
    )
    assert line in found
    assert any(x.startswith("%r.drop_path = drop_path{rate=0.19") or "drop_path{rate=0.2" in x for x in found)
    assert found[-2].startswith("%r.act = activation{function=relu} %r.add")


def test_an_identity_residual_adds_the_input_itself(check_layers: Layers) -> None:
    found = graph(check_layers("- {id: r, residual: {body: [{conv: {filters: 3}}]}}"))
    assert found[-2] == "%r.add = add{} %r.body.conv_1, %input : f32[N,8,8,3]"


def test_repeat_with_index_first_and_last(check_layers: Layers) -> None:
    layers = (
        '- {id: s, repeat: 3, conv: {filters: "${2 * (index + 1)}", kernel: 1}, first: {stride: 2}, last: {kernel: 3}}'
    )
    checked = check_layers(layers)
    assert graph(checked)[:3] == [
        "%s.0 = conv{filters=2, kernel=1x1, stride=2x2} %input : f32[N,4,4,2]",
        "%s.1 = conv{filters=4, kernel=1x1} %s.0 : f32[N,4,4,4]",
        "%s.2 = conv{filters=6} %s.1 : f32[N,4,4,6]",
    ]
    assert checked.loaded.graph.regions[0].iterations == ("s.0", "s.1", "s.2")


def test_a_repeat_of_one_is_first_and_last(check_layers: Layers) -> None:
    found = graph(check_layers("- {id: s, repeat: 1, conv: {filters: 2}, first: {stride: 2}, last: {kernel: 1}}"))
    assert found[0] == "%s.0 = conv{filters=2, kernel=1x1, stride=2x2} %input : f32[N,4,4,2]"


def test_a_repeat_of_nothing_passes_on(check_layers: Layers) -> None:
    assert graph(check_layers("- {id: s, repeat: 0, conv: {filters: 2}}\n- {id: t, identity: {}}"))[0].startswith(
        "%t = identity{} %input"
    )


def test_when_leaves_a_node_out(check_layers: Layers) -> None:
    before = "params: {deep: false}\n"
    layers = (
        "- {id: a, conv: {filters: 4}}\n- {id: b, when: $deep, conv: {filters: 9}}\n- {id: c, from: b, flatten: {}}"
    )
    assert graph(check_layers(layers, before))[1] == "%c = flatten{} %a : f32[N,256]"
    assert graph(check_layers(layers, before, set={"deep": True}))[2] == "%c = flatten{} %b : f32[N,576]"


def test_what_is_expected_of_a_node_that_is_left_out_speaks_of_nothing(check_layers: Layers) -> None:
    node = "- {{id: a, when: {}, conv: {{filters: 4}}, expect: [1, 1, 1]}}\n- {{id: b, flatten: {{}}}}"
    assert check_layers(node.format("false")).codes == []
    assert check_layers(node.format("true")).codes == ["E601"]


def test_user_blocks_have_params_inputs_and_outputs(check_layers: Layers) -> None:
    blocks = """\
blocks:
  cross:
    inputs: [left, right]
    params: {ratio: {type: float, default: 0.5}, kernel: int}
    layers:
      - {id: narrow, from: left, conv: {filters: "${ceil(left.channels * ratio)}", kernel: $kernel}}
      - {id: joined, from: [narrow, right], concat: {}}
      - {id: unused, conv: {filters: 1}}
    outputs: joined
"""
    layers = "- {id: a, conv: {filters: 4}}\n- {id: b, from: [a, input], cross: {kernel: 1}}\n- {id: c, flatten: {}}"
    checked = check_layers(layers, blocks)
    assert graph(checked)[1:4] == [
        "%b.narrow = conv{filters=2, kernel=1x1} %a : f32[N,8,8,2]",
        "%b.joined = concat{} %b.narrow, %input : f32[N,8,8,5]",
        "%c = flatten{} %b.joined : f32[N,320]",
    ]
    # What no output needs is checked, and is no part of the network.
    assert "b.unused" in checked.loaded.whole.by_path
    assert "b.unused.kernel" not in checked.loaded.graph.parameters


def test_a_user_block_asks_what_comes_in(check_layers: Layers) -> None:
    blocks = 'blocks: {halve: {layers: [{conv: {filters: "${max(1, input.channels // 2)}", kernel: 1}}]}}\n'
    found = graph(check_layers("- conv: {filters: 8}\n- {id: h, repeat: 3, halve: {}}", blocks))
    assert [line.split(" : ")[1] for line in found[1:4]] == ["f32[N,8,8,4]", "f32[N,8,8,2]", "f32[N,8,8,1]"]


CELL = """
blocks:
  cell:
    inputs: [current, previous]
    layers: [{id: c, from: current, conv: {filters: 4}}, {id: sum, add: [c, {from: previous, conv: {filters: 4, kernel: 1}}]}]
    outputs: {current: sum, previous: current}
"""


def test_a_repeat_carries_the_outputs_that_bear_the_names_of_inputs(check_layers: Layers) -> None:
    layers = "- {id: s, conv: {filters: 2}}\n- {id: a, from: [s, input], repeat: 3, cell: {}}\n- {id: b, from: 'a:previous', identity: {}}"
    found = graph(check_layers(layers + "\n- {id: d, add: [a, b]}", CELL))
    assert [line.split(" : ")[0] for line in found[1:]] == [
        "%a.0.c = conv{filters=4} %s",
        "%a.0.sum.branch2.conv_1 = conv{filters=4, kernel=1x1} %input",
        "%a.0.sum = add{} %a.0.c, %a.0.sum.branch2.conv_1",
        "%a.1.c = conv{filters=4} %a.0.sum",
        "%a.1.sum.branch2.conv_1 = conv{filters=4, kernel=1x1} %s",
        "%a.1.sum = add{} %a.1.c, %a.1.sum.branch2.conv_1",
        "%a.2.c = conv{filters=4} %a.1.sum",
        "%a.2.sum.branch2.conv_1 = conv{filters=4, kernel=1x1} %a.0.sum",
        "%a.2.sum = add{} %a.2.c, %a.2.sum.branch2.conv_1",
        "%b = identity{} %a.1.sum",
        "%d = add{} %a.2.sum, %b",
        "return output=%d",
    ]
    nothing = graph(check_layers(layers.replace("repeat: 3", "repeat: 0"), CELL))
    assert nothing[-2] == "%b = identity{} %input : f32[N,8,8,3]"


def test_a_repeat_carries_nothing_else(check_layers: Layers) -> None:
    blocks = CELL.replace("outputs: {current: sum, previous: current}", "outputs: {joined: sum, other: current}")
    layers = "- {id: s, conv: {filters: 2}}\n- {id: a, from: [s, input], repeat: 2, cell: {}}"
    found = graph(check_layers(layers, blocks))
    assert found[4].startswith("%a.1.c = conv{filters=4} %a.0.sum ")
    assert found[5].startswith("%a.1.sum.branch2.conv_1 = conv{filters=4, kernel=1x1} %input ")


def test_the_block_key_may_be_an_expression(check_layers: Layers) -> None:
    before = "params: {unit: {choice: [basic, bottleneck], default: basic}}\n"
    layers = "- {id: u, $unit: {filters: 4}}"
    assert check_layers(layers, before).loaded.graph.by_path["u.add"].type.channels == 4
    assert check_layers(layers, before, set={"unit": "bottleneck"}).loaded.graph.by_path["u.add"].type.channels == 16


def test_typed_params_and_expressions(check_layers: Layers) -> None:
    before = "params: {width: 0.5, depths: {list: int, length: 2, default: [1, 2]}, wide: {type: int, default: '${depths[1] * 8}'}}\n"
    found = graph(check_layers('- {repeat: "${depths[1]}", conv: {filters: "${round_to(wide * width, 8)}"}}', before))
    assert found[1].startswith("%conv_1.1 = conv{filters=8}")
    found = graph(
        check_layers(
            '- {repeat: "${depths[1]}", conv: {filters: "${ceil(wide * width)}"}}',
            before,
            set={"depths": [1, 1], "wide": 10},
        )
    )
    assert found[0].startswith("%conv_1.0 = conv{filters=5}")


def test_defaults_reach_nodes_and_the_parts_of_blocks(check_layers: Layers) -> None:
    defaults = "defaults: {conv: {act: relu, padding: half}, batch_norm: {epsilon: 0.001}}\n"
    found = graph(check_layers("- {id: b, basic: {filters: 3}}\n- {id: c, conv: {filters: 2, act: none}}", defaults))
    assert found[0] == "%b.conv1 = conv{filters=3, padding=half, bias=false} %input : f32[N,8,8,3]"
    assert found[1] == "%b.conv1.norm = batch_norm{epsilon=0.001} %b.conv1 : f32[N,8,8,3]"
    assert found[-2] == "%c = conv{filters=2, padding=half} %b.act : f32[N,8,8,2]"


def test_training_only_nodes_are_counted_apart_and_passed_by(check_layers: Layers) -> None:
    layers = "- {id: a, conv: {filters: 4}}\n- {id: aux, training_only: true, auxiliary_head: {classes: 3, window: 2, filters: 2, features: 5}}\n- flatten\n- {id: head, linear: {features: 3}}"
    checked = check_layers(layers, after="outputs: {logits: head, aux: aux}\n")
    found = graph(checked)
    assert "%flatten_1 = flatten{} %a : f32[N,256]" in found
    assert found[-1] == "return logits=%head, aux=%aux.linear2"
    assert checked.loaded.totals.training_params > 0
    assert checked.loaded.totals.params == 3 * 9 * 4 + 4 + 256 * 3 + 3


def test_expectations_of_nodes_and_of_the_network(check_layers: Layers) -> None:
    after = 'expect: {params: 112, macs: "6.9K", output: [8, 8, 4], nodes: {a: [8, 8, 4]}}\n'
    assert not check_layers("- {id: a, conv: {filters: 4}, expect: [8, 8, 4]}", after=after).diagnostics


def test_initialisers_preprocessing_and_source(check_layers: Layers) -> None:
    text = "- {id: a, conv: {filters: 4, kernel_init: {he_normal: fan_out}, bias_init: {constant: 0.1}}}"
    before = "source: {title: A paper, year: 2015, arxiv: '1512.03385'}\n"
    found = graph(check_layers(text, before, after="outputs: [a]\n"))
    assert "kernel_init={'he_normal': {'mode': 'fan_out'}}" in found[0]
    assert found[-1] == "return a=%a"


def test_paths_stay_whatever_is_inserted_around(check_layers: Layers) -> None:
    one = check_layers("- {id: a, conv: {filters: 4}}\n- {id: b, conv: {filters: 4}}").loaded
    two = check_layers(
        "- dropout: 0.1\n- {id: a, conv: {filters: 4}}\n- batch_norm\n- {id: b, conv: {filters: 4}}"
    ).loaded
    assert set(one.graph.parameters) < set(two.graph.parameters)


def test_nested_lists_see_the_ids_around_them(check_layers: Layers) -> None:
    layers = "- {id: a, conv: {filters: 4}}\n- {id: g, layers: [{id: b, conv: {filters: 4}}, {from: [a, b], add: {}}]}"
    assert graph(check_layers(layers))[2] == "%g.add_1 = add{} %a, %g.b : f32[N,8,8,4]"


def test_a_rounded_expectation_means_that_it_rounds_so(check_layers: Layers) -> None:
    # 8 * 8 * 4 * 27 = 6912 multiply-accumulates.
    assert not check_layers("- conv: {filters: 4}", after='expect: {macs: "7K"}\n').diagnostics
    assert check_layers("- conv: {filters: 4}", after='expect: {macs: "6.8K"}\n').codes == ["E603"]


def test_a_mapping_is_as_good_as_text(check: Callable[..., Checked]) -> None:
    from cnnspec.frontend import load_spec

    spec = {"cnnspec": 1, "name": "m", "input": {"features": 4}, "layers": [{"linear": {"features": 2}}]}
    assert load_spec(spec).totals.params == 10
    assert graph(check(spec))[0] == "%linear_1 = linear{features=2} %input : f32[N,2]"
