"""Names and layouts of peers become ours; whatever is left over, doubled or of another shape is said."""

from __future__ import annotations

import numpy as np
import pytest

from cnnspec.diagnostics import SpecError
from cnnspec.frontend import load_spec
from cnnspec.weights.importing import import_weights
from cnnspec.weights.names import match_names
from cnnspec.weights.rule import Rule, Run, rules_for
from tests.weights.checkpoints import mobilenet_of_keras, resnet18_of_torchvision

RESNET = resnet18_of_torchvision()
MOBILENET = {
    f"{layer}/{name}": array for layer, arrays in mobilenet_of_keras().items() for name, array in arrays.items()
}


@pytest.fixture(scope="module")
def resnet18():
    return load_spec("resnet18")


def codes(loaded, arrays, peer="torchvision", rules=None) -> dict[str, str]:
    with pytest.raises(SpecError) as error:
        import_weights(loaded, arrays, peer, rules)
    return {d.code: d.message for d in error.value.diagnostics}


def test_every_array_of_torch_has_its_place_and_layout(resnet18):
    found = import_weights(resnet18, RESNET, "torchvision")
    assert set(found) == set(resnet18.graph.parameters)
    theirs = RESNET["layer3.0.downsample.0.weight"]
    assert (found["stage3.0.shortcut.kernel"] == theirs.transpose(2, 3, 1, 0)).all()
    assert (found["stage2.1.conv2.norm.var"] == RESNET["layer2.1.bn2.running_var"]).all()
    assert (found["classifier.kernel"] == RESNET["fc.weight"].T).all()


def test_every_array_of_keras_has_its_place_and_layout():
    loaded = load_spec("mobilenet_v1_025_128")
    found = import_weights(loaded, MOBILENET, "keras")
    assert set(found) == set(loaded.graph.parameters)
    # A depthwise kernel is [3, 3, C, 1] there, and [3, 3, 1, C] as a convolution in groups.
    assert (found["conv8.0.depthwise.kernel"] == MOBILENET["conv_dw_7/kernel"].transpose(0, 1, 3, 2)).all()
    assert (found["classifier.kernel"] == MOBILENET["conv_preds/kernel"][0, 0]).all()


def test_the_rows_after_a_flatten_go_from_channels_first_to_last():
    text = """cnnspec: 1
name: vgg16
family: VGG
input: {height: 2, width: 3, channels: 4}
layers:
  - {id: conv1, repeat: 1, conv: {filters: 5, kernel: 1}}
  - flatten
  - {id: fc6, linear: {features: 7}}
"""
    random = np.random.default_rng(0)
    kernel, weight = random.standard_normal((5, 4, 1, 1)), random.standard_normal((7, 5 * 2 * 3))
    arrays = {"features.0.weight": kernel, "features.0.bias": np.zeros(5), "classifier.0.weight": weight,
              "classifier.0.bias": np.zeros(7)}  # fmt: skip
    found = import_weights(load_spec(text), arrays, "torchvision")
    image = random.standard_normal((4, 2, 3))  # torch's order
    theirs = weight @ np.einsum("fc,chw->fhw", kernel[:, :, 0, 0], image).ravel()
    ours = (
        np.einsum("hwc,cf->hwf", image.transpose(1, 2, 0), found["conv1.0.kernel"][0, 0]).ravel() @ found["fc6.kernel"]
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_a_linear_layer_of_torch_over_every_pixel_is_a_1x1_convolution(tmp_path):
    text = """cnnspec: 1
name: pointwise
input: {height: 2, width: 2, channels: 4}
layers:
  - {id: conv, conv: {filters: 8, kernel: 1}}
  - {id: gain, scale: {learned: true}}
"""
    rules = tmp_path / "rules.yaml"
    rules.write_text("- {match: fc, to: conv}\n- {match: 'gammas\\.(\\d)', to: gain.scale, table: {1: 1}}\n")
    random = np.random.default_rng(0)
    weight, gamma = random.standard_normal((8, 4)), random.standard_normal((8, 1, 1))
    arrays = {"fc.weight": weight, "fc.bias": np.zeros(8), "gammas.1": gamma}
    found = import_weights(load_spec(text), arrays, "torchvision", rules)
    np.testing.assert_allclose(found["conv.kernel"], weight.T[None, None], rtol=1e-6)
    np.testing.assert_allclose(found["gain.scale"], gamma.ravel(), rtol=1e-6)  # an array without a module of its own
    square = {**arrays, "fc.weight": weight.T}  # as many numbers, and not in this order
    assert "E812" in codes(load_spec(text), square, rules=rules)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("{match: fc, too: classifier}", "did you mean `to`?"),
        ("{match: 'layer(', to: classifier}", "should be a regular expression"),
        ("{match: 'layer(\\d)', to: 'stage\\2'}", "a group that `match` does not have"),
        ("{match: 'layer', to: x, shift: {1: 1}}", "a group that `match` does not have"),
        ("{match: 'layer(.)', to: x, shift: {a: 1}}", "shift"),
    ],
)
def test_rules_of_ones_own_that_are_wrong_are_shown_where(tmp_path, resnet18, rule, words):
    rules = tmp_path / "rules.yaml"
    rules.write_text(f"# mine\n- {rule}\n")
    with pytest.raises(SpecError) as error:
        import_weights(resnet18, RESNET, "torchvision", rules)
    assert {d.span.line for d in error.value.diagnostics if d.span} == {2}
    assert words in str(error.value)


def test_a_group_that_is_no_number_or_letter_does_not_match(resnet18):
    rules = [Rule(match="a(.+)", to="conv1", shift={"1": 1}), Rule(match="a(.+)", to="conv1", letter=1),
             Rule(match="a(.+)", to=r"\1", order=[Run(paths=("conv1",))])]  # fmt: skip
    assert match_names(resnet18.graph, ["abc.weight"], rules, "torchvision").unmatched == ["abc.weight"]


def test_what_is_left_over_on_either_side_is_listed(resnet18):
    more = {**RESNET, "fc2.weight": np.zeros((10, 512))}
    assert "1 of the arrays of torchvision have no place here: `fc2.weight`" in codes(resnet18, more)["E811"]
    less = {name: array for name, array in RESNET.items() if name != "layer4.1.bn2.bias"}
    assert "`stage4.1.conv2.norm.bias`" in codes(resnet18, less)["E811"]
    assert "E811" in codes(load_spec("resnet34"), RESNET)


def test_an_array_of_another_shape_is_no_weight(resnet18):
    ten = load_spec("resnet18", set={"classes": 10})
    assert "`fc.bias` is 1000, and `classifier.bias` needs 10" in codes(ten, RESNET)["E812"]
    turned = {**RESNET, "conv1.weight": RESNET["conv1.weight"].transpose(1, 0, 2, 3)}
    assert "`conv1.weight` is 3x64x7x7" in codes(resnet18, turned)["E812"]


def test_a_family_without_rules_names_those_with(resnet18):
    assert (
        "no rules for the weights of keras for the family `shufflenet_v2`"
        in codes(load_spec("shufflenet_v2_x0_5"), {}, "keras")["E810"]
    )


def test_two_arrays_for_one_place_are_doubled(resnet18):
    rules = [Rule(match=".+", to="conv1")]
    mapped = match_names(resnet18.graph, ["a.weight", "b.weight"], rules, "torchvision")
    assert mapped.doubled == ["a.weight and b.weight -> conv1.kernel"]


def test_layers_without_names_go_by_their_order():
    order = [Run(paths=("conv1",)), Run(under="stage", repeat=2, paths=("a", "b")), Run(under="end", paths=("c",))]
    assert [path for run in order for path in run.unrolled()] == [
        "conv1", "stage.0.a", "stage.0.b", "stage.1.a", "stage.1.b", "end.c",
    ]  # fmt: skip
    rule = next(rule for rule in rules_for("keras", "inception_v3", "inception_v3_keras") if rule.order)
    graph = load_spec("inception_v3_keras").graph
    names = ["conv2d/kernel", "batch_normalization_5/beta", "conv2d_93/kernel", "conv2d_94/kernel"]
    mapped = match_names(graph, names, [rule], "keras")
    assert [(pair.theirs, pair.ours) for pair in mapped.pairs] == [
        ("conv2d/kernel", "conv_1a.kernel"),
        ("batch_normalization_5/beta", "mixed_5b.branch1x1.norm.bias"),
        ("conv2d_93/kernel", "mixed_7c.branch_pool.kernel"),
    ]
    assert mapped.unmatched == ["conv2d_94/kernel"]
