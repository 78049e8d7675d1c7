"""What is said of scales that do not work: one diagnostic, which names the scale, both places, and what works."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cnnspec.diagnostics import Diagnostic, Report
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
