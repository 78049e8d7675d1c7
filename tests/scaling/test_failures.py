"""What is said of scales that do not work: one diagnostic, which names the scale, both places, and what works."""

from __future__ import annotations

import re
from typing import Any

import pytest

import cnnspec
from cnnspec.diagnostics import Diagnostic, Report, SpecError
from cnnspec.frontend import check_spec
from cnnspec.rendering import render_text
from cnnspec.scaling import Factors
from cnnspec.testing import check_text

HEAD = "cnnspec: 1\nname: net\ninput: {height: 32, width: 32, channels: 3}\n"


def mistake(text: str, **factors: Any) -> Diagnostic:
    """The one error of a spec, scaled."""
    report = Report()
    assert check_spec(text, report, scale=Factors(**factors)) is None
    (found,) = [d for d in report if d.severity == "error"]
    return found


LOPSIDED = f"""{HEAD}scaling: {{exempt: [left]}}
layers:
  - {{id: stem, conv: {{filters: 32}}}}
  - {{id: left, conv: {{filters: 64, kernel: 1}}}}
  - {{id: right, from: stem, conv: {{filters: 64}}}}
  - {{id: merge, add: [left, right]}}
"""


def test_two_sides_that_disagree_are_named_with_their_places():
    found = mistake(LOPSIDED, width=0.5)
    assert found.code == "E203"
    assert found.message == "scaled by width 0.5: the inputs of `add` differ: 32x32x64 and 32x32x32"
    assert (found.span.line, found.span.column) == (9, 22)
    left, right, note = found.labels
    assert left.text == "left   32x32x64   64 = filters 64 x width 0.5, stays: exempt names left"
    assert left.span.line == 7
    assert right.text == "right   32x32x32   32 = filters 64 x width 0.5"
    assert right.span.line == 8
    assert note.text == "as written, without the scale, the spec is right"
    assert "exempt both" in found.help


def test_the_help_names_the_nearest_scale_that_works():
    """At 3/4 the 64 filters of the right side round to 64 again, and the 96 of the last layer do not."""
    text = LOPSIDED.replace("exempt: [left]", "exempt: [left], divisor: 32, not_below: 0")
    text += "  - {id: last, conv: {filters: 128}}\n"
    assert mistake(text, width=0.5).help == "width 0.75 works"
    loaded = check_spec(text, report := Report(), scale=Factors(width=0.75))
    assert not report.failed, render_text(report)
    assert loaded.graph.by_path["last"].type.channels == 96


def test_a_scale_that_rounding_takes_back_is_no_help():
    text = LOPSIDED.replace("exempt: [left]", "exempt: [left], divisor: 32, not_below: 0")
    assert mistake(text, width=0.5).help.startswith("no scale near it works")


GROUPED = f"""{HEAD}scaling: {{divisor: 4}}
layers:
  - {{id: stem, conv: {{filters: 36}}}}
  - {{id: own, conv: {{filters: "${{stem.channels}}", groups: 12}}}}
"""


def test_groups_that_do_not_fit_what_comes_in():
    """36 filters are 12 or 24 at some widths, and 16 or 20 at others."""
    found = mistake(GROUPED, width=0.5)
    assert found.code == "E205"
    assert found.message.startswith("scaled by width 0.5: 20 input channels cannot be split into 12 groups")
    assert found.help == "width 0.62 works"
    assert check_spec(GROUPED, Report(), scale=Factors(width=0.62)) is not None
    assert check_spec(GROUPED, Report(), scale=Factors(width=0.61), explain=False) is None


def test_the_nearest_is_found_to_the_hundredth():
    """Four of 64 x 4 / 64 channels a group: from 1 channel a group on, 64 filters have to be 8 at the least."""
    found = mistake("resnext50_32x4d", width=0.1)
    assert found.help == "width 0.14 works"
    assert check_spec("resnext50_32x4d", Report(), scale=Factors(width=0.14)) is not None
    assert check_spec("resnext50_32x4d", Report(), scale=Factors(width=0.13), explain=False) is None


def test_where_no_scale_near_works_the_help_keeps_the_network_as_written_right():
    """Other groups, as the mistake's own help says, would no longer divide the 36 channels that are written."""
    apart = GROUPED.replace("groups: 12", "groups: 36")
    found = mistake(apart, width=0.5)
    assert found.help == (
        "no scale near it works: exempt the channels that are split, or make `scaling: {divisor: ...}` a multiple of the groups"
    )
    for scaling in ("{divisor: 36}", "{exempt: [stem, own]}"):
        assert check_spec(apart.replace("{divisor: 4}", scaling), Report(), scale=Factors(width=0.5)) is not None
        assert check_spec(apart.replace("{divisor: 4}", scaling), Report()) is not None


TWO_AXES = """cnnspec: 1
name: net
input: {height: 48, width: 48, channels: 3}
layers:
  - {id: stem, conv: {filters: 32}}
  - {id: halve, repeat: 4, max_pool: 2}
"""


@pytest.mark.parametrize("factors", [{"resolution": 8}, {"depth": 2.0}, {"phi": 6.0}, {"depth": 3.0, "width": 2.0}])
def test_what_the_help_proposes_works(factors):
    found = mistake(TWO_AXES, **factors)
    assert found.message.startswith(f"scaled by {Factors(**factors).plain}: ")
    for works in proposed(found.help):
        assert check_spec(TWO_AXES, Report(), scale=works) is not None


def proposed(help: str) -> list[Factors]:
    """The factors that a help says to work, at least one."""
    found = re.findall(r"(?:^|so does )((?:\w+ -?[\d.]+(?:, )?)+)(?= works|, the nearest size)", help)
    assert found, help
    pairs = [[part.split() for part in each.split(", ") if part] for each in found]
    return [Factors(**{n: int(v) if n == "resolution" else float(v) for n, v in words}) for words in pairs]


MEETING = """cnnspec: 1
name: net
input: {height: 64, width: 64, channels: 3}
layers:
  - {id: fine, conv: {filters: 16}}
  - max_pool: 2
  - {id: half, conv: {filters: 32}}
  - max_pool: 2
  - {id: up, conv_transpose: {filters: 32, kernel: 2, stride: 2}}
  - {id: met, concat: [half, up]}
  - {id: last, conv_transpose: {filters: 16, kernel: 2, stride: 2}}
  - {id: out, concat: [fine, last]}
"""


def test_a_size_by_the_compound_rule_that_does_not_suit_names_the_multiple_that_does():
    found = mistake(MEETING, phi=1)
    assert found.help.endswith("; `scaling: {resolution_multiple: 4}` rounds the sizes of every phi to multiples of 4")
    ruled = MEETING.replace("layers:", "scaling: {resolution_multiple: 4}\nlayers:")
    for phi in (-3, -1, 0.5, 1, 2, 3.3):
        assert check_spec(ruled, report := Report(), scale=Factors(phi=phi)) is not None, render_text(report)
    # A size in pixels is taken as it is: no multiple would help.
    assert "multiple" not in mistake(MEETING, resolution=74).help


@pytest.mark.parametrize("phi", [1, 2.5, -0.7, -3])
def test_a_size_by_the_compound_rule_that_does_not_suit_names_the_nearest_exponent_and_the_nearest_size(phi):
    exponent, size = proposed(mistake(MEETING, phi=phi).help)
    assert exponent.phi * phi > 0
    assert (size.width, size.depth) == (round(1.1**phi, 4), round(1.2**phi, 4))
    assert size.resolution % 4 == 0
    assert abs(size.resolution - 64 * 1.15**phi) <= 2.5
    for works in (exponent, size):
        assert check_spec(MEETING, Report(), scale=works) is not None
    # Nothing nearer works: in hundredths between the two every exponent fails.
    step = 0.01 if exponent.phi > phi else -0.01
    between = [round(phi + step * n, 2) for n in range(1, round(abs(exponent.phi - phi) * 100))]
    assert all(check_spec(MEETING, Report(), scale=Factors(phi=p), explain=False) is None for p in between[:40])


@pytest.mark.parametrize(
    ("scaling", "factors", "better"),
    [
        ("{resolutions: [62, 74]}", {"phi": 1}, "{resolutions: [60, 72]}"),
        ("{resolution_multiple: 6}", {"phi": 0.3}, "{resolution_multiple: 12}"),
    ],
)
def test_a_rule_for_sizes_that_gives_wrong_ones_is_told_of_one_that_does_not(scaling, factors, better):
    ruled = MEETING.replace("layers:", f"scaling: {scaling}\nlayers:")
    found = mistake(ruled, **factors)
    assert f"`scaling: {better}`" in found.help
    assert all(check_spec(ruled, Report(), scale=works) is not None for works in proposed(found.help))
    assert check_spec(ruled.replace(scaling, better), Report(), scale=Factors(**factors)) is not None


def test_a_variant_of_a_wrong_size_keeps_its_widths_with_the_nearest():
    named = MEETING.replace("layers:", "scaling: {variants: {big: {width: 2, resolution: 75}}}\nlayers:")
    assert mistake(named, variant="big").help == "resolution 76, variant big works"


def test_a_scale_of_the_spec_itself_fails_in_the_same_words():
    inside = check_text(LOPSIDED.replace("layers:", "scale: {width: 0.5}\nlayers:"))
    outside = mistake(LOPSIDED, width=0.5)
    assert [(d.code, d.message, d.help) for d in inside.diagnostics] == [(outside.code, outside.message, outside.help)]


def test_what_a_spec_expects_of_its_scaled_self_is_no_failure_of_the_scale():
    text = f"{HEAD}scale: {{width: 0.5}}\nlayers:\n  - {{conv: {{filters: 32}}}}\nexpect: {{params: 1}}\n"
    (found,) = [d for d in check_text(text).diagnostics if d.severity == "error"]
    assert found.code == "E602"
    assert "scaled by" not in found.message


def test_a_spec_that_is_wrong_by_itself_is_told_so_without_its_scale():
    report = Report()
    assert check_spec(LOPSIDED.replace("filters: 64}}", "filers: 64}}"), report, scale=Factors(width=0.5)) is None
    (found,) = report
    assert found.code == "E101"
    assert "scaled by" not in found.message


def test_a_network_too_large_says_what_is_not():
    found = mistake(f"{HEAD}layers:\n  - {{repeat: 3, conv: {{filters: 2048, kernel: 7}}}}\n", width=100.0)
    assert found.code == "E703"
    assert found.help.startswith("width ")


# --- numbers that are no factors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("factor", "nearest"),
    [({"width": float("nan")}, "1"), ({"width": float("inf")}, "100"),
     ({"depth": 1e9}, "100"), ({"resolution": 0}, "1"), ({"resolution": -5}, "1"),
     ({"resolution": 10**9}, "10000"), ({"resolution": 96.4}, "96"), ({"phi": 1000}, "20"), ({"phi": -1e300}, "-20"),
     ({"phi": float("-inf")}, "-20")],
)  # fmt: skip
def test_a_factor_out_of_range_names_the_nearest_that_works(factor, nearest):
    with pytest.raises(SpecError) as caught:
        cnnspec.scale("lenet5_modern", **factor)
    (found,) = caught.value.diagnostics
    assert found.code == "E904"
    assert found.help == f"the nearest that is allowed is {nearest}"


@pytest.mark.parametrize("factor", [{"width": 0}, {"width": -1}, {"depth": 0.0}, {"depth": -1e9}])
def test_no_factor_near_0_is_called_the_nearest(factor):
    """There is no least number above 0, and whether a very small one works is the network's affair."""
    with pytest.raises(SpecError) as caught:
        cnnspec.scale("lenet5_modern", **factor)
    (found,) = caught.value.diagnostics
    assert (found.code, found.help) == ("E904", "any number above 0 is allowed, such as 0.5")


@pytest.mark.parametrize(
    ("scale", "column"),
    [("{width: 0}", 16), ("{width: .nan}", 16), ("{depth: .inf}", 16), ("{resolution: -1}", 21), ("{phi: 99}", 14),
     ("{resolution: 33.5}", 21)],
)  # fmt: skip
def test_the_same_in_a_spec_with_its_place(scale, column):
    (found,) = check_text(f"{HEAD}scale: {scale}\nlayers: [{{conv: {{filters: 8}}}}]\n").diagnostics
    assert (found.code, found.span.line, found.span.column) == ("E904", 4, column)
    assert "is allowed" in found.help


@pytest.mark.parametrize("factor", [{"widht": 2}, {"width": "2"}, {"variant": 3}, {"width": True}])
def test_what_is_no_factor_at_all(factor):
    with pytest.raises(SpecError) as caught:
        cnnspec.scale("lenet5_modern", **factor)
    assert [d.code for d in caught.value.diagnostics] == ["E904"]


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ({"variant": "b9"}, "E901", "`b7`"),
        ({"variant": "B3"}, "E901", "did you mean `b3`?"),
        ({"variant": "b3", "phi": 1}, "E902", "alone"),
        ({"phi": 1, "resolution": 64}, "E902", "alone"),
        ({"macs": 10**6, "width": 2}, "E902", "or one budget"),
        ({"macs": 10**6, "params": 10**6}, "E902", "or one budget"),
        ({"macs": 0}, "E904", ""),
        ({"params": float("nan")}, "E904", ""),
        ({"params": float("inf")}, "E904", ""),
    ],
)
def test_unknown_variants_and_contradictions(asked, code, said):
    with pytest.raises(SpecError) as caught:
        cnnspec.scale("efficientnet_b0", **asked)
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert said in found.help


def test_a_spec_without_variants_says_what_to_do_instead():
    with pytest.raises(SpecError) as caught:
        cnnspec.scale("vgg16", variant="b3")
    assert "names none" in caught.value.diagnostics[0].help


# --- what `scaling` says -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scaling", "code", "column", "help"),
    [
        ("{divisor: 0}", "E104", 20, ""),
        ("{not_below: 2}", "E104", 22, ""),
        ("{width_rounding: up}", "E105", 27, ""),
        ("{compound: {alpha: .inf}}", "E104", 29, ""),
        ("{compound: {alpha: 0.5}}", "E104", 29, ""),
        ("{exempt: [stme]}", "E301", 20, "did you mean `stem`?"),
        ("{exempt: [stem, nothing.filters]}", "E301", 26, "name an id"),
        ("{exempt: stem}", "E103", 19, ""),
        ("{fixed_depth: [body, bodi]}", "E301", 31, "did you mean `body`?"),
        ("{exempt: [stem], only_wider: [stem]}", "E902", 40, "one of them"),
        ("{variants: {s: {width: 0}}}", "E104", 33, ""),
        ("{variants: {s: {widht: 2}}}", "E405", 26, "did you mean `width`?"),
        ("{variants: [s]}", "E103", 21, ""),
        ("{resolution_multiple: 0}", "E104", 32, ""),
        ("{resolutions: [32, 0]}", "E103", 24, ""),
        ("3", "E103", 10, ""),
    ],
)
def test_mistakes_in_the_rule(scaling, code, column, help):
    text = f"{HEAD}scaling: {scaling}\nlayers:\n  - {{id: stem, conv: {{filters: 8}}}}\n  - {{id: body, repeat: 2, basic: {{filters: 8}}}}\n"
    (found,) = check_text(text).diagnostics
    assert (found.code, found.span.line, found.span.column) == (code, 4, column), render_text([found])
    assert help in found.help


# --- warnings -------------------------------------------------------------------------------------------------------


def warnings(text: str, **factors: Any) -> list[Diagnostic]:
    report = Report()
    assert check_spec(text, report, scale=Factors(**factors)) is not None
    return list(report)


@pytest.mark.parametrize(
    ("alpha", "warned"), [(1.2, False), (1.0, True), (1.24, False), (1.13, False), (1.38, True), (100, True)]
)
def test_a_compound_rule_far_from_doubling_is_warned_of(alpha, warned):
    text = (
        f"{HEAD}scaling: {{compound: {{alpha: {alpha}, beta: 1.1, gamma: 1.15}}}}\nlayers: [{{conv: {{filters: 8}}}}]\n"
    )
    found = warnings(text)
    assert [d.code for d in found] == (["E905"] if warned else [])
    if warned:
        assert found[0].severity == "warning"
        assert f"{alpha * 1.1**2 * 1.15**2:.3g}" in found[0].message
        assert (found[0].span.line, found[0].span.column) == (4, 21)


PLAIN = f"{HEAD}layers:\n  - {{id: stem, conv: {{filters: 64}}}}\n  - {{id: out, conv: {{filters: 8, act: relu}}}}\n"


def test_a_depth_without_a_repeat_is_warned_of():
    (found,) = warnings(PLAIN, depth=2.0)
    assert (found.code, found.severity) == ("E907", "warning")
    assert found.message == "depth 2 changes nothing: no `repeat` of the spec is written as a number"


def test_a_width_that_rounding_takes_back_names_the_nearest_that_moves_something():
    (found,) = warnings(PLAIN, width=1.02)
    assert found.code == "E907"
    assert found.help == "width 1.07 is the nearest that changes a number"
    assert warnings(PLAIN, width=1.07) == []
    assert [d.code for d in warnings(PLAIN, width=1.06)] == ["E907"]


STANDING = f"{HEAD}scale: {{depth: 1.1, width: 1.5}}\nlayers:\n  - {{id: body, repeat: 4, conv: {{filters: 64, kernel: 3}}}}\n  - max_pool: 2\n"


@pytest.mark.parametrize("factors", [{"depth": 0.9}, {"width": 0.6667}, {"width": 1 / 1.5}, {"phi": -1}])
def test_a_factor_that_undoes_the_specs_own_changes_something(factors):
    """The network as it stands has five rows of 96 filters; 1.1 x 0.9 takes it back to the four that are written."""
    assert warnings(STANDING, **factors) == []


@pytest.mark.parametrize(
    ("factors", "said", "help"),
    [({"depth": 1.05}, "depth 1.05 changes", "depth 1.14"), ({"width": 0.98}, "width 0.98 changes", "width 0.95"),
     ({"phi": 0.2}, "width 1.01924 of phi 0.2 changes", "width 1.05")],
)  # fmt: skip
def test_a_factor_on_a_scaled_spec_that_moves_nothing_is_named_as_it_was_typed(factors, said, help):
    text = STANDING.replace("scale:", "scaling: {compound: {alpha: 1.6, beta: 1.1, gamma: 1.0}}\nscale:")
    found = warnings(text, **factors)
    assert {d.code for d in found} == {"E907"}
    assert found[0].message.startswith(said)
    assert found[0].help == f"{help} is the nearest that changes a number"
    assert found[0].span is None


def test_an_output_that_changed_is_warned_of():
    head = PLAIN + "  - global_avg_pool\n  - {id: classifier, linear: {features: 10, act: softmax}}\n"
    (found,) = warnings(head, width=2.0)
    assert (found.code, found.severity) == ("E908", "warning")
    assert found.message == "the output `output` has 24 channels, and 10 as written"
    assert found.help.endswith("`scaling: {exempt: [classifier]}`")
    assert warnings(head.replace("layers:", "scaling: {exempt: [classifier]}\nlayers:"), width=2.0) == []
    # Features are meant to change: what is pooled or activated is no head.
    assert warnings(PLAIN, width=2.0) == []
