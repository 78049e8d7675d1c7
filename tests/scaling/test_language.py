"""`scaling:` and `scale:` in a spec: what each field does to a network, and what else follows."""

from __future__ import annotations

from typing import Any

import pytest

from cnnspec.diagnostics import Report
from cnnspec.frontend import LoadedSpec, check_spec, load_spec
from cnnspec.rendering import render_text
from cnnspec.scaling import Factors

HEAD = "cnnspec: 1\nname: net\ninput: {height: 32, width: 32, channels: 3}\n"


def scaled(text: str, scaling: str = "{}", **factors: Any) -> LoadedSpec:
    report = Report()
    loaded = check_spec(f"{HEAD}scaling: {scaling}\n{text}", report, scale=Factors(**factors))
    assert loaded is not None, render_text(report)
    return loaded


def channels(loaded: LoadedSpec, *paths: str) -> list[int]:
    """The channels of what stands under ids."""
    return [loaded.graph.type_of(loaded.graph.scopes[path]).shape[-1] for path in paths]


STEPS = """layers:
  - {id: stem, conv: {filters: 32}}
  - {id: body, repeat: 3, basic: {filters: 64}}
  - {id: head, conv: {filters: 128, kernel: 1}}
  - global_avg_pool
  - {id: classifier, linear: {features: 10}}
"""


@pytest.mark.parametrize(
    ("scaling", "expected"),
    [
        ("{}", [16, 32, 64, 8]),
        ("{divisor: 1}", [16, 32, 64, 5]),
        ("{exempt: [classifier]}", [16, 32, 64, 10]),
        ("{exempt: [features, stem]}", [32, 32, 64, 10]),
        ("{exempt: [head.filters], divisor: 24, not_below: 0}", [24, 24, 128, 10]),
        ("{only_wider: [head, classifier]}", [16, 32, 128, 10]),
    ],
)
def test_width(scaling, expected):
    assert channels(scaled(STEPS, scaling, width=0.5), "stem", "body", "head", "classifier") == expected


@pytest.mark.parametrize(
    ("scaling", "factor", "count"),
    [("{}", 1.5, 5), ("{depth_rounding: floor}", 1.5, 4), ("{fixed_depth: [body]}", 1.5, 3), ("{}", 0.1, 1)],
)
def test_depth(scaling, factor, count):
    (region,) = scaled(STEPS, scaling, depth=factor).graph.regions
    assert len(region.iterations) == count


@pytest.mark.parametrize(
    ("scaling", "factors", "side"),
    [
        ("{}", {"resolution": 40}, 40),
        ("{}", {"phi": 1}, 37),
        ("{resolution_multiple: 8}", {"phi": 1}, 40),
        ("{resolutions: [32, 48]}", {"phi": 1}, 32),
        ("{resolutions: [32, 48]}", {"phi": 2}, 48),
        ("{compound: {alpha: 2, beta: 1, gamma: 1}}", {"phi": 1}, 32),
    ],
)
def test_resolution(scaling, factors, side):
    assert scaled(STEPS, scaling, **factors).graph.inputs[0].type.shape == (side, side, 3)


def test_the_preprocessing_follows_the_input():
    text = (
        "cnnspec: 1\nname: net\ninput: {height: 64, width: 64, channels: 3, preprocess: {resize: 73, crop: 64}}\n"
        "layers: [{conv: {filters: 8}}]\n"
    )
    loaded = load_spec(text, scale=Factors(resolution=96))
    preprocess = loaded.document.inputs["input"].preprocess
    assert (preprocess.resize, preprocess.crop) == (110, (96, 96))
    assert load_spec(loaded.expanded).document.inputs == loaded.document.inputs


VARIANTS = """params:
  depths: {list: int, length: 2, default: [2, 3], scale: depth}
  wide: {type: int, default: 32, scale: width}
  dropout: 0.2
  survival: {type: float, default: "${max(0.5, 1 - 0.1 * scale.phi)}"}
layers:
  - {id: stem, conv: {filters: $wide}}
  - {id: one, repeat: "${depths[0]}", basic: {filters: $wide, survival: $survival}}
  - {id: two, repeat: "${depths[1]}", basic: {filters: "${2 * wide}"}}
  - dropout: $dropout
"""


def test_a_variant_gives_factors_and_params():
    scaling = "{variants: {large: {width: 1.5, depth: 2, resolution: 48, dropout: 0.4}}}"
    loaded = scaled(VARIANTS, scaling, variant="large")
    assert channels(loaded, "stem", "one", "two") == [48, 48, 96]
    assert [len(region.iterations) for region in loaded.graph.regions] == [4, 6]
    assert loaded.graph.inputs[0].type.height == 48
    assert loaded.document.params["dropout"] == 0.4


def test_factors_go_together_with_a_variant_and_are_rounded_once():
    """32 x 1.5 x 0.75 is 36: rounded up once, 40; depth 2 x 1.5; and the later resolution counts."""
    scaling = "{variants: {large: {width: 1.5, depth: 2, resolution: 48, dropout: 0.4}}}"
    loaded = scaled(VARIANTS, scaling, variant="large", width=0.75, depth=1.5, resolution=40)
    assert channels(loaded, "stem", "one", "two") == [40, 40, 80]
    assert [len(region.iterations) for region in loaded.graph.regions] == [6, 9]
    assert loaded.graph.inputs[0].type.height == 40
    assert loaded.document.params["dropout"] == 0.4


@pytest.mark.parametrize(("phi", "survival"), [(0, 1.0), (2, 0.8), (9, 0.5)])
def test_a_param_is_a_function_of_the_scale(phi, survival):
    assert scaled(VARIANTS, phi=phi).document.params["survival"] == pytest.approx(survival)
    assert load_spec(scaled(VARIANTS, phi=phi).expanded).document.params["survival"] == pytest.approx(survival)


def test_a_param_that_was_set_scales_and_one_that_was_given_by_name_wins():
    scaling = "{variants: {large: {width: 2, dropout: 0.4}}}"
    loaded = load_spec(
        f"{HEAD}scaling: {scaling}\n{VARIANTS}", set={"wide": 8, "dropout": 0.1}, scale=Factors(variant="large")
    )
    assert channels(loaded, "stem") == [16]
    assert loaded.document.params["dropout"] == 0.1


@pytest.mark.parametrize("name", ["depths", "depths[1]", "two"])
def test_a_list_of_repeats_stays_as_a_whole_or_in_part(name):
    """`two` is where the second repeat is used, and the number stands in the param."""
    loaded = scaled(VARIANTS, f"{{fixed_depth: ['{name}']}}", depth=2.0)
    counts = [len(region.iterations) for region in loaded.graph.regions]
    assert counts == {"depths": [2, 3], "depths[1]": [4, 3], "two": [4, 6]}[name]


# --- what is coupled follows ------------------------------------------------------------------------------------

RESIDUALS = """layers:
  - {id: stem, conv: {filters: 32}}
  - {id: added, add: [stem, {conv: {filters: 32}}]}
  - {id: basic, repeat: 2, basic: {filters: 64}, first: {stride: 2}}
  - {id: narrow, bottleneck: {filters: 16}}
  - {id: own, residual: {body: [{conv: {filters: "${input.channels}"}}], shortcut: identity}}
  - {id: joined, concat: [{conv: {filters: 16}}, {conv: {filters: 48}}]}
  - {id: summed, add: [joined, {conv: {filters: "${joined.channels}"}}]}
"""


@pytest.mark.parametrize("factors", [{"width": 0.25}, {"width": 0.6}, {"width": 3.0}, {"depth": 2.0}, {"phi": 1.5}])
def test_residual_sums_follow(factors):
    loaded = scaled(RESIDUALS, **factors)
    for node in loaded.graph.nodes:
        if node.op.key == "add":
            assert len(set(loaded.graph.types_into(node))) == 1


GROUPED = """layers:
  - {id: stem, conv: {filters: 32}}
  - {id: depthwise, conv: {filters: 32, groups: 32}}
  - {id: own_groups, conv: {filters: 64, groups: "${input.channels}"}}
  - {id: grouped, conv: {filters: 96, groups: 4}}
  - {id: cardinality, bottleneck: {filters: 64, groups: 8, base_width: 4}}
"""


@pytest.mark.parametrize(("factor", "expected"), [(0.25, 8), (0.5, 16), (0.75, 24), (2.0, 64)])
def test_groups_follow(factor, expected):
    loaded = scaled(GROUPED, width=factor)
    by_path = loaded.graph.by_path
    assert by_path["depthwise"].op.groups == by_path["own_groups"].op.groups == expected
    assert by_path["grouped"].op.groups == 4
    assert by_path["cardinality.conv2"].op.groups == 8
    assert load_spec(loaded.expanded).totals == loaded.totals


@pytest.mark.parametrize(("groups", "factor", "expected"), [(12, 0.6, 72), (3, 1.5, 144), (3, 1.01, 96), (5, 0.6, 56)])
def test_filters_keep_to_their_groups(groups, factor, expected):
    """Where the groups divided them; 96 / 5 was no network before, and is none now."""
    text = f"layers:\n  - {{id: stem, conv: {{filters: {groups * 8}}}}}\n  - {{id: c, conv: {{filters: 96, groups: {groups}}}}}\n"
    report = Report()
    loaded = check_spec(f"{HEAD}scaling: {{exempt: [stem]}}\n{text}", report, scale=Factors(width=factor))
    if loaded is None:
        assert groups == 5
        assert "scaled by" not in next(iter(report)).message
    else:
        assert channels(loaded, "c") == [expected]


EXCITED = """defaults: {squeeze_excite: {squeeze: 16}}
layers:
  - {id: stem, conv: {filters: 32}}
  - {id: by_ratio, squeeze_excite: {squeeze: null, reduction: 4}}
  - {id: literal, squeeze_excite: {squeeze: 8}}
  - {id: nested, basic: {filters: 32, se: {squeeze: 24}}}
  - {id: inverted, mbconv: {filters: 32, expand: 4, se: {ratio: 0.25, of: input}}}
"""


def test_squeeze_widths_follow():
    loaded = scaled(EXCITED, width=2.0)
    narrow = {n.path: n.type.shape[-1] for n in loaded.graph.nodes if n.path.endswith("reduce")}
    assert narrow == {"by_ratio.reduce": 16, "literal.reduce": 16, "nested.se.reduce": 48, "inverted.se.reduce": 16}
    assert load_spec(loaded.expanded).totals == loaded.totals


def test_defaults_reach_into_blocks_scaled():
    """The squeeze that `defaults` give to the part of a block is written in the spec, and scales as if it stood there."""
    text = EXCITED.replace("se: {squeeze: 24}", "se: {}")
    narrow = {n.path: n.type.shape[-1] for n in scaled(text, width=2.0).graph.nodes}
    assert narrow["nested.se.reduce"] == 32


CAPSULES = """layers:
  - {id: conv1, conv: {filters: 32, kernel: 9, padding: valid, act: relu}}
  - {id: primary, primary_capsules: {capsules: 8, dimensions: 8, kernel: 9, stride: 2}}
  - {id: digits, capsule_routing: {capsules: 10, dimensions: 16, iterations: 3}}
  - {id: lengths, capsule_length: {}}
  - {id: drawn, from: digits, capsule_decoder: {features: [64, 128], image: [28, 28, 1]}}
"""


def test_capsules_follow():
    loaded = scaled(CAPSULES, width=2.0)
    graph = loaded.graph
    assert graph.type_of(graph.scopes["primary"]).shape == (16 * 8 * 8, 8)
    assert graph.type_of(graph.scopes["digits"]).shape == (10, 16)
    assert [graph.by_path[f"drawn.linear{n}"].type.shape for n in (1, 2, 3)] == [(128,), (256,), (784,)]
    assert load_spec(loaded.expanded).totals == loaded.totals


def test_numbers_beside_an_expression_scale():
    text = "params: {reduce: 16}\nlayers:\n  - inception: {conv1x1: 16, conv3x3: {reduce: $reduce, filters: 64}, pool: 8}\n"
    loaded = scaled(text, width=2.0)
    assert loaded.graph.by_path["inception_1.branch3x3"].type.shape[-1] == 128


def test_lists_of_widths_scale():
    text = "layers:\n  - {conv: {filters: 64}}\n  - {id: b, bottleneck: {filters: 64, widths: [32, 96], groups: 4}}\n"
    loaded = scaled(text, width=1.2)
    assert [loaded.graph.by_path[f"b.conv{n}"].type.shape[-1] for n in (1, 2, 3)] == [40, 112, 320]


OWN = """blocks:
  unit:
    params: {filters: {type: int, scale: width}, times: {type: int, default: 2, scale: depth}, kernel: 3}
    layers:
      - {id: body, repeat: $times, conv: {filters: $filters, kernel: $kernel}}
layers:
  - {id: a, unit: {filters: 16}}
  - {id: b, unit: {filters: "${2 * a.channels}", times: 1}}
"""


def test_params_of_blocks_scale_where_they_say_so():
    loaded = scaled(OWN, width=2.0, depth=2.0)
    assert channels(loaded, "a", "b") == [32, 64]
    # The default of `times` is not written where the block is used, and scales as well.
    assert [len(region.iterations) for region in loaded.graph.regions] == [4, 2]
    assert load_spec(loaded.expanded).totals == loaded.totals


@pytest.mark.parametrize("name", ["a", "a.filters", "filters"])
def test_params_of_blocks_may_be_exempt(name):
    assert channels(scaled(OWN, f"{{exempt: [{name}]}}", width=2.0), "a") == [16]
    assert len(scaled(OWN, "{fixed_depth: [times]}", depth=2.0).graph.regions[0].iterations) == 2


def test_a_block_used_at_an_exempt_place_and_at_others_keeps_its_factors_in_the_text():
    """One literal that became two numbers cannot be written as one."""
    text = OWN.replace("conv: {filters: $filters,", "conv: {filters: 16,")
    loaded = scaled(text, "{exempt: [b]}", width=2.0, resolution=48)
    assert channels(loaded, "a", "b") == [32, 16]
    assert "scale: {width: 2.0" in loaded.expanded
    again = load_spec(loaded.expanded)
    assert str(again.graph) == str(loaded.graph)


def test_a_scale_of_the_spec_and_one_from_outside_multiply():
    text = f"{HEAD}scale: {{width: 0.5, resolution: 16}}\n{STEPS}"
    assert channels(load_spec(text, scale=Factors(width=0.5)), "stem", "head") == [8, 32]
    assert load_spec(text, scale=Factors(width=0.5)).graph.inputs[0].type.height == 16


def test_families_scale_by_the_rule_that_they_inherit(tmp_path):
    base = f"{HEAD}scaling: {{exempt: [stem], variants: {{half: {{width: 0.5}}}}}}\n{STEPS}"
    (tmp_path / "base.yaml").write_text(base)
    (tmp_path / "half.yaml").write_text("cnnspec: 1\nname: half\nextends: base.yaml\nscale: {variant: half}\n")
    assert channels(load_spec(tmp_path / "half.yaml"), "stem", "head") == [32, 64]
