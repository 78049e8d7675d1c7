"""Valid sizes by analysis: equal to what trying every size gives, over random specs and over the zoo."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cnnspec.cli.main import main
from cnnspec.diagnostics import Report, SpecError
from cnnspec.frontend import check_spec
from cnnspec.sizes.analysis import ValidSizes, feature_map, sizes
from cnnspec.source import dump
from cnnspec.testing import check_text, specs

HEAD = "cnnspec: 1\nname: net\ninput: {height: 32, width: 32, channels: 3}\n"


def tried(spec: Any, **size: int) -> bool:
    """Whether the network of a size is right."""
    settings_ = {name.replace("__", "."): value for name, value in size.items()}
    return check_spec(spec, Report(), set=settings_) is not None


def assert_equal_to_trying(spec: Any, found: ValidSizes, wanted: range) -> None:
    for size in wanted:
        if found.squares:
            right = tried(spec, **{f"{found.input}__height": size, f"{found.input}__width": size})
            assert (size in found.height.valid) == right, f"{size}: {found.height.rule}"
            assert (found.height.why_not(size) is None) == right
        else:
            for axis in (found.height, found.width):
                right = tried(spec, **{f"{found.input}__{axis.axis}": size})
                assert (size in axis.valid) == right, f"{axis.axis} {size}: {axis.rule}"
                assert (axis.why_not(size) is None) == right


@settings(max_examples=30)
@given(spec=specs())
def test_random_specs(spec: dict[str, Any]) -> None:
    text = dump(spec)
    loaded = check_text(text).loaded
    assume(loaded is not None and any(i.type.rank == 3 for i in loaded.graph.inputs))
    try:
        found = sizes(text)
    except SpecError as error:
        assert [d.code for d in error.diagnostics] == ["E906"]
        return
    base = feature_map(loaded.graph).type
    assert base.height in found.height.valid
    assert base.width in found.width.valid
    assert_equal_to_trying(text, found, range(1, 25))


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        ("vgg16", "at least 32"), ("resnet50", "any size"), ("inception_v3", "at least 299"), ("alexnet", "at least 63"),
        ("bn_inception", "32k - 1 to 32k + 6, at least 63"), ("lenet5", "at least 32"), ("densenet121", "at least 29"),
        ("inception_v4", "at least 75"), ("xception", "at least 7"), ("capsnet", "at least 17"),
        ("nasnet_a_mobile", "at least 3"), ("squeezenet1_1", "at least 25"),
    ],
)  # fmt: skip
def test_the_zoo(spec, rule):
    assert sizes(spec).height.rule == rule


def test_keras_says_75_of_inception_v3_which_has_no_head_there():
    found = sizes("inception_v3")
    assert (74 in found.height.without_training, 75 in found.height.without_training) == (False, True)
    assert sizes("inception_v3_keras").height.rule == "at least 75"


@pytest.mark.parametrize("spec", ["lenet5_modern", "capsnet", "bn_inception", "squeezenet1_1", "resnet20_cifar"])
def test_small_ones_of_the_zoo_by_trying(spec):
    assert_equal_to_trying(spec, sizes(spec), range(1, 80))


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec", ["nasnet_a_mobile", "inception_v3", "googlenet", "densenet121", "efficientnet_b0", "senet154"]
)
def test_large_ones_of_the_zoo_by_trying(spec):
    assert_equal_to_trying(spec, sizes(spec), range(1, 130))


# --- single rules --------------------------------------------------------------------------------------------------

BRANCHES = f"""{HEAD}layers:
  - {{id: down, conv: {{filters: 8, stride: 4, padding: valid, kernel: 2}}}}
  - {{id: up, upsample: 4}}
  - {{id: joined, add: [up, {{from: input, conv: {{filters: 8}}}}]}}
"""


def test_branches_that_must_meet():
    found = sizes(BRANCHES)
    assert found.height.rule == "multiples of 4"
    assert found.height.why_not(33) == ("joined", "32 against 33")
    assert_equal_to_trying(BRANCHES, found, range(1, 50))


def test_factors_of_a_product_are_alike_or_single_pixels():
    gate = f"{HEAD}layers:\n  - {{id: a, conv: {{filters: 8}}}}\n  - {{id: s, squeeze_excite: {{reduction: 2}}}}\n"
    assert sizes(gate).height.rule == "any size"
    two = (
        "cnnspec: 1\nname: net\ninputs: {image: {height: 8, width: 8, channels: 2}, other: {height: 8, width: 8, channels: 2}}\n"
        "layers:\n  - {id: p, from: [image, other], multiply: {}}\n"
    )
    assert sizes(two).height.rule == "only 8"
    assert_equal_to_trying(two, sizes(two), range(1, 20))


def test_a_reshape_of_both_sides_depends_on_both():
    text = f"{HEAD.replace('channels: 3', 'channels: 1')}layers:\n  - reshape: [-1, 16]\n"
    found = sizes(text)
    assert found.height.coupled
    assert found.height.rule == "any size"  # with a width of 32
    assert_equal_to_trying(text, found, range(1, 40))
    shown = CliRunner().invoke(main, ["sizes", "/dev/stdin"], input=text)
    assert shown.exit_code in (0, 1)


def test_a_fixed_reshape_takes_one_size():
    text = f"{HEAD}layers:\n  - reshape: [3072]\n  - linear: {{features: 4}}\n"
    assert sizes(text).height.rule == "only 32"


def test_weights_that_depend_on_the_size():
    found = sizes("vgg16").height
    assert found.tied == ["fc6"]
    assert [n for n in (223, 224, 255, 256) if n in found.same_weights] == [224, 255]


# --- expressions that ask for the size -----------------------------------------------------------------------------

ASKING = [
    # another network for odd sizes
    "layers:\n  - {when: '${input.height % 2 == 1}', pad: [[0, 1], [0, 1]]}\n  - {id: h, max_pool: 2}\n"
    "  - {id: u, upsample: 2}\n  - {from: u, conv: {filters: 4}}\n",
    # a map that is brought to the size of another one where it differs
    "layers:\n  - {id: a, conv: {filters: 4, stride: 2}}\n  - {id: b, from: input, conv: {filters: 4, stride: 3}}\n"
    "  - {id: c, from: a, when: '${a.height != b.height}', adaptive_avg_pool: ['${b.height}', '${b.width}']}\n  - add: [c, b]\n",
    # a comparison with a number, and one size that is refused
    "layers:\n  - {id: c, conv: {filters: '${8 if input.height >= 24 else 4}'}}\n"
    "  - {id: d, from: input, conv: {filters: '${4 if input.width == 13 else c.channels}'}}\n  - add: [c, d]\n",
    # the size as a width
    "layers:\n  - {id: c, conv: {filters: '${input.height}'}}\n  - {id: d, conv: {filters: 32, groups: '${1 + input.channels % 3}'}}\n",
    # a division that is none for one size
    "layers:\n  - {id: c, conv: {filters: '${64 // (input.height - 9)}', kernel: 1}}\n",
]  # fmt: skip


@pytest.mark.parametrize("layers", ASKING)
@pytest.mark.parametrize("side", [32, 33])
def test_networks_that_are_built_otherwise_for_other_sizes(layers, side):
    text = HEAD.replace("32", str(side)) + layers
    if check_text(text).loaded is not None:
        found = sizes(text)
        assert found.squares
        assert_equal_to_trying(text, found, range(1, 90))


def test_oblong_inputs_that_are_asked_for_are_followed_side_by_side():
    text = HEAD.replace("width: 32", "width: 48") + ASKING[0]
    found = sizes(text)
    assert not found.squares
    assert_equal_to_trying(text, found, range(1, 70))


@settings(max_examples=15)
@given(
    modulus=st.integers(2, 5), rest=st.integers(0, 4), threshold=st.integers(1, 60), stride=st.integers(1, 3),
    kernel=st.integers(1, 6),
)  # fmt: skip
def test_random_questions(modulus, rest, threshold, stride, kernel):
    text = (
        f"{HEAD}layers:\n  - {{id: a, conv: {{filters: 4, stride: {stride}}}}}\n"
        f"  - {{id: b, when: '${{a.height % {modulus} == {rest}}}', max_pool: {{window: {kernel}, stride: 1}}}}\n"
        f"  - {{id: c, conv: {{filters: '${{4 if a.width > {threshold} else 6}}', kernel: 2, padding: valid}}}}\n"
    )
    assume(check_text(text).loaded is not None)
    found = sizes(text)
    assert_equal_to_trying(text, found, range(1, 60))


def test_few_networks_are_built_for_many_sizes(monkeypatch):
    """The point of it: NASNet's rule is found from a few networks, and not by trying."""
    from cnnspec.sizes import structures

    built = []
    monkeypatch.setattr(structures, "check_spec", lambda *a, **k: built.append(1) or check_spec(*a, **k))
    sizes("nasnet_a_mobile")
    assert len(built) <= 12


# --- the command ---------------------------------------------------------------------------------------------------


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, ["sizes", *arguments])
    assert done.exit_code == code, done.output
    return done.output


def test_the_command_says_the_rule_and_what_refuses():
    assert run("inception_v3") == (
        "input 299x299, as written\n"
        "height and width: at least 299\n"
        "  298 fails at aux.conv1: a side of 4, and the least is 5\n"
        "  without what is only for training: at least 75\n"
    )
    assert "trained weights go with 224 to 255: those of fc6 depend on it" in run("vgg16")
    assert "squares" in run("nasnet_a_mobile")


def test_the_command_answers_for_one_size():
    assert run("vgg16", "--size", "200") == "200 is valid\n"
    assert (
        run("vgg16", "--size", "31", code=1)
        == "31 fails at pool5: a side of 1, and the least is 2; the nearest is 32\n"
    )
    assert "the nearest is 230" in run("bn_inception", "--size", "235", code=1)


def test_the_command_prints_json():
    data = json.loads(run("bn_inception", "--size", "222", "--json", code=1))
    assert data["height"] == data["width"] | {"axis": "height"} or data["height"]["rule"] == data["width"]["rule"]
    assert data["height"]["period"] == 32
    assert data["height"]["residues"] == [0, 1, 2, 3, 4, 5, 6, 31]
    assert (data["height"]["valid"], data["height"]["fails_at"]) == (False, "inception_3c.concat")


def test_what_has_no_sizes(tmp_path):
    path = tmp_path / "flat.yaml"
    path.write_text("cnnspec: 1\nname: net\ninput: {features: 8}\nlayers: [{linear: {features: 4}}]\n")
    assert "E906" in run(str(path), code=1)
    path.write_text(f"{HEAD}layers:\n  - {{conv: {{filters: '${{input.height}}'}}}}\n"
                    "  - {conv: {filters: 32, groups: '${max(1, input.channels // 8)}'}}\n")  # fmt: skip
    assert "the sizes of this network follow no rule" in run(str(path), code=1)
