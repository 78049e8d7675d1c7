"""`cnnspec diff`: what was removed, added and changed, the counts, and which weights carry over."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from cnnspec.cli.main import main
from cnnspec.difference import difference
from cnnspec.difference_lines import Folding
from cnnspec.frontend import load_spec

BASE = """cnnspec: 1
name: base
input: {height: 16, width: 16, channels: 3}
layers:
  - {id: stem, conv: {filters: 8, act: relu}}
  - {id: stage, repeat: 3, basic: {filters: 8}}
  - {id: pool, global_avg_pool: {}}
  - {id: classifier, linear: {features: 4}}
"""


def compare(text: str, base: str = BASE):
    return difference(load_spec(base), load_spec(text))


def diff(*arguments: str):
    return CliRunner().invoke(main, ["diff", *arguments])


def test_a_network_is_the_same_as_itself_whatever_it_is_called():
    found = compare(BASE.replace("name: base", "name: other"))
    assert found.same
    assert found.weights.carried_numbers == found.weights.all_numbers > 0


def test_more_iterations_are_one_line_and_the_others_stay():
    found = compare(BASE.replace("repeat: 3", "repeat: 6"))
    (part,) = found.added
    assert (part.path, part.last, part.kind, part.iterations) == ("stage.3", "stage.5", "basic", 3)
    assert part.params == found.counts["params"][1] - found.counts["params"][0]
    assert not found.removed
    assert not found.changed  # what reads the stage reads the same block, however long it is
    assert len(found.weights.new) == 3 * (2 * 5)


def test_a_field_and_the_shapes_that_follow_from_it():
    found = compare(BASE.replace("basic: {filters: 8}", "basic: {filters: 16}"))
    own = {n.path: [(c.field, c.old, c.new) for c in n.own] for n in found.changed if n.own}
    assert own["stage.1.conv2"] == [("filters", 8, 16)]
    assert own["stage.0.conv1"] == [("filters", 8, 16)]
    assert "classifier" not in own
    assert [p.path for p in found.added] == ["stage.0.shortcut"]
    graphs = [load_spec(t).graph for t in (BASE, BASE.replace("basic: {filters: 8}", "basic: {filters: 16}"))]
    lines = {line.label: line.count for line in Folding(found, *graphs).changed()}
    assert lines["stage.*.conv1"] == lines["stage.*.conv2"] == 3
    assert "classifier.kernel" in found.weights.reshaped


def test_a_node_between_two_others_is_a_changed_edge():
    found = compare(BASE.replace("  - {id: pool,", "  - {id: drop, dropout: 0.5}\n  - {id: pool,"))
    assert [p.path for p in found.added] == ["drop"]
    (node,) = found.changed
    assert (node.path, node.own[0].field, node.own[0].old, node.own[0].new) == ("pool", "from", ["stage"], ["drop"])
    assert not found.weights.new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("outputs: {x: pool}\n", "outputs: {x: stem}\n"),
        ("", "outputs: {logits: classifier, features: pool}\n"),
        ("", "outputs: {features: pool}\n"),
    ],
)
def test_other_outputs_are_another_network(old, new):
    assert not compare(BASE + new, BASE + old).same


def test_another_operation_input_or_initial_value_is_seen():
    assert compare(BASE.replace("global_avg_pool", "global_max_pool")).changed[0].own[0].field == "op"
    assert [c.field for c in compare(BASE.replace("height: 16", "height: 32")).inputs] == ["input"]
    zeros = compare(BASE.replace("features: 4", "features: 4, kernel_init: zeros"))
    assert [c.field for c in zeros.changed[0].own] == ["kernel_init"]


def test_resnets_of_the_zoo_read_on_a_screen():
    done = diff("resnet50", "resnet101")
    assert done.exit_code == 1
    assert "depths: 3x4x6x3 -> 3x4x23x3" in done.output
    assert "stage3.6..22" in done.output
    assert "+18,992,128" in done.output
    assert "267 of B's 522 arrays come from A" in done.output
    assert len(done.output.splitlines()) < 24


def test_two_hundred_changes_fold():
    done = diff("googlenet", "googlenet_torchvision")
    assert "*.branch5x5" in done.output
    assert len(done.output.splitlines()) < 60


def test_exit_codes_are_those_of_diff_tools_and_json_is_whole():
    assert diff("vgg11", "vgg11").exit_code == 0
    wrong = diff("vgg11", "no_such_spec")
    assert wrong.exit_code == 2
    assert "E001" in wrong.stderr
    done = diff("vgg11", "vgg11", "--set", "classes=10", "--json")
    assert done.exit_code == 1
    data = json.loads(done.output)
    assert data["old"] == data["new"] == "vgg11"
    assert data["counts"]["params"][0] - data["counts"]["params"][1] == 990 * 4097
    assert data["weights"]["reshaped"] == ["fc8.kernel", "fc8.bias"]
