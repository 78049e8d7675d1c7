"""Every network of the zoo scales, in width, depth and resolution; what does not is listed here with its reason."""

from __future__ import annotations

import re
from functools import cache

import pytest

from cnnspec.diagnostics import Report
from cnnspec.frontend import LoadedSpec, check_spec, load_spec
from cnnspec.graph import print_graph
from cnnspec.rendering import render_text
from cnnspec.scaling import Factors
from cnnspec.zoo import zoo_specs

NAMES = [path.stem for path in zoo_specs()]

#: Specs that extend no other are looked at every day; the others differ in a param or two.
EACH = [
    pytest.param(path.stem, marks=[pytest.mark.slow] if "\nextends:" in path.read_text() else []) for path in zoo_specs()
]  # fmt: skip

#: Networks whose layers are listed one by one: there is no `repeat` to multiply.
NO_DEPTH = {
    "alexnet": "five convolutions, none like another", "alexnet_cifar100": "as alexnet",
    "alexnet_torchvision": "as alexnet", "alexnet_two_groups": "as alexnet",
    "bn_inception": "each module has widths of its own", "bn_inception_slim": "as bn_inception",
    "capsnet": "three layers", "googlenet": "each module has widths of its own", "googlenet_torchvision": "as googlenet",
    "inception_v3": "each module has widths of its own", "inception_v3_keras": "as inception_v3",
    "lenet5": "seven layers, none like another", "lenet5_modern": "as lenet5",
    "nin_cifar": "each block has widths of its own", "nin_imagenet": "as nin_cifar",
    "squeezenet1_0": "each module has widths of its own", "squeezenet1_1": "as squeezenet1_0",
    "squeezenet1_0_simple_bypass": "as squeezenet1_0", "squeezenet1_0_complex_bypass": "as squeezenet1_0",
    "zfnet": "five convolutions, none like another", "zfnet_wide": "as zfnet",
}  # fmt: skip

#: Layers that keep their channels when everything else is widened, as patterns of their paths.
STAYS = {
    # What a network says of its images: as many channels as there are classes.
    "*": r"(classifier|fc|fc8|predictions|output|conv10|cccp6|cccp8|aux\d?\.(linear2|fc)|digits|f6)",
    "capsnet": r"digits|reconstruction\.linear3",  # a capsule has 16 dimensions; the picture has its pixels
    "googlenet": r"aux\d\.(conv|linear1)",  # the head's own widths, written nowhere in the spec
    "googlenet_torchvision": r"aux\d\.(conv|linear1)",
    "lenet5": r"c1|c3",  # the table of connections names the maps of both; f6 draws bitmaps of 7x12
    "bn_inception_slim": r"conv1_separable\.depthwise",  # eight filters for each of three colours
    "mnasnet_a1": r"head", "mnasnet_b1": r"head", "mnasnet_b1_050": r"head", "mnasnet_b1_075": r"head",
    "mnasnet_b1_130": r"head", "mnasnet_b1_140": r"head",  # the last convolution has 1280 channels at every width
    "mobilenet_v2_035": r"head", "mobilenet_v2_050": r"head",  # it only widens, and twice 0.35 is below 1
    "shufflenet_v2_x0_5": r"conv1|conv5|stage2\.0\.left\.depthwise",  # table 5 keeps the first and the last
    "shufflenet_v2_x1_0": r"conv1|conv5|stage2\.0\.left\.depthwise",
    "shufflenet_v2_x1_5": r"conv1|conv5|stage2\.0\.left\.depthwise",
    "shufflenet_v2_x2_0": r"conv1|conv5|stage2\.0\.left\.depthwise",
    "wrn_28_10": r"conv1",  # table 1 widens the three groups alone
}  # fmt: skip

#: Networks that a smaller input does not fit: their last layers need all of it.
NO_SMALLER = {"lenet5": "the last convolution's window of 5 on a map of 5"}

#: What leaves out a head for training that needs all of the input: a window of 5 on a map of 5.
WITHOUT_HEAD = {"inception_v2": {"aux": False}, "inception_v3": {"aux": False}}

#: Too many layers to double for a test of every day.
DEEP = {"resnet1202_cifar", "resnet1202_cifar_stochastic_depth"}

WEIGHTED = ("conv", "linear", "conv_transpose", "connection_conv", "capsule_prediction")


@cache
def base(name: str) -> LoadedSpec:
    return load_spec(name)


def scaled(name: str, settings: dict | None = None, **factors) -> LoadedSpec:
    report = Report()
    loaded = check_spec(name, report, set=settings, scale=Factors(**factors))
    assert loaded is not None, render_text(report)
    return loaded


def own_height(name: str) -> int:
    return next(i.type.height for i in base(name).graph.inputs if i.type.rank == 3)


def test_the_lists_name_networks_that_are_there():
    assert {*NO_DEPTH, *NO_SMALLER, *WITHOUT_HEAD, *DEEP, *STAYS} - {"*"} <= set(NAMES)


@pytest.mark.parametrize("name", EACH)
def test_twice_the_width_widens_every_layer(name):
    wide = scaled(name, width=2.0)
    allowed = "|".join(STAYS[key] for key in ("*", name) if key in STAYS)
    before = base(name).graph.by_path
    same = [
        node.path for node in wide.graph.nodes
        if node.op.key in WEIGHTED and node.path in before and node.type.shape[-1] == before[node.path].type.shape[-1]
    ]  # fmt: skip
    assert [path for path in same if not re.fullmatch(allowed, path)] == []
    assert wide.totals.params > base(name).totals.params
    assert wide.totals.macs > base(name).totals.macs


@pytest.mark.parametrize("name", EACH)
def test_three_quarters_of_the_width_make_a_smaller_network(name):
    narrow = scaled(name, width=0.75)
    assert narrow.totals.params < base(name).totals.params
    assert narrow.totals.macs < base(name).totals.macs


@pytest.mark.parametrize("name", [each for each in EACH if each.values[0] not in DEEP])
def test_twice_the_depth_makes_a_deeper_network(name):
    deep = scaled(name, depth=2.0)
    if name in NO_DEPTH:
        assert print_graph(deep.graph) == print_graph(base(name).graph)
    else:
        assert len(deep.graph.nodes) > 1.3 * len(base(name).graph.nodes)
        assert deep.totals.macs > base(name).totals.macs


@pytest.mark.parametrize("name", EACH)
@pytest.mark.parametrize("share", [0.75, 1.3])
def test_another_resolution(name, share):
    if share < 1 and name in NO_SMALLER:
        report = Report()
        assert check_spec(name, report, scale=Factors(resolution=round(own_height(name) * share))) is None
        (found,) = report
        assert found.message.startswith("scaled by resolution ")
        assert found.help == f"resolution {own_height(name)} works"
        return
    multiple = 32 if own_height(name) > 100 else 4
    pixels = round(own_height(name) * share / multiple) * multiple
    changed = scaled(name, WITHOUT_HEAD.get(name) if share < 1 else None, resolution=pixels)
    assert (changed.totals.macs - base(name).totals.macs) * (share - 1) > 0


@pytest.mark.parametrize("name", WITHOUT_HEAD)
def test_a_head_that_needs_all_of_the_input_is_named_with_the_param_that_leaves_it_out(name):
    report = Report()
    assert check_spec(name, report, scale=Factors(resolution=224)) is None
    (found,) = report
    assert found.help == (
        "resolution 299 works; `--set aux=false` leaves out what is only for training, and 224 is enough for the rest"
    )
    # Where the rest is too small as well, the param is no help.
    check_spec(name, report := Report(), scale=Factors(resolution=74))
    assert "aux" not in next(iter(report)).help


@pytest.mark.parametrize("name", ["googlenet", "googlenet_torchvision", "inception_v2", "inception_v3"])
def test_without_its_heads_a_network_has_the_same_counts_and_one_output(name):
    bare = load_spec(name, set={"aux": False})
    assert [*bare.graph.outputs] == ["logits"]
    assert bare.totals.params == base(name).totals.params
    assert bare.totals.macs == base(name).totals.macs
    assert (base(name).totals.training_params > 0, bare.totals.training_params) == (True, 0)
    assert not any(node.training_only for node in bare.whole.nodes)


@pytest.mark.parametrize("name", [each for each in EACH if each.values[0] not in DEEP])
def test_the_compound_rule_and_its_round_trip(name):
    grown = scaled(name, phi=1.0)
    assert grown.totals.macs > base(name).totals.macs
    again = load_spec(grown.expanded)
    assert print_graph(again.graph) == print_graph(grown.graph)
    assert again.document.inputs == grown.document.inputs


@pytest.mark.parametrize("name", EACH)
def test_scaling_by_one_is_the_identity(name):
    """LeNet's 6 maps are no multiple of 8, and nothing touches them."""
    height = own_height(name)
    same = load_spec(name, scale=Factors(resolution=height))
    assert print_graph(same.graph) == print_graph(base(name).graph)
    assert same.totals == base(name).totals
