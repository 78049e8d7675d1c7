"""What is said of factors that are none, and of a `scaling` rule with mistakes."""

from __future__ import annotations

import pytest

import cnnspec
from cnnspec.diagnostics import SpecError
from cnnspec.rendering import render_text
from cnnspec.testing import check_text

HEAD = "cnnspec: 1\nname: net\ninput: {height: 32, width: 32, channels: 3}\n"


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
