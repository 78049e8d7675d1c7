"""The rounding rules, number by number."""

from __future__ import annotations

import math

import pytest

from cnnspec.diagnostics import Problem
from cnnspec.scaling import Factors, Scaling
from cnnspec.scaling.scaler import Scaler, resolve


def scaler(width: float = 1.0, depth: float = 1.0, **rule) -> Scaler:
    return Scaler(Scaling.model_validate(rule), width=width, depth=depth)


def wide(value: int, factor: float, groups: int = 1, path: str = "stage.conv", **rule) -> int:
    return scaler(factor, **rule)("filters", value, path, None, "width", groups)[0]


def deep(value: int, factor: float, **rule) -> int:
    return scaler(depth=factor, **rule)("repeat", value, "stage", None, "depth")[0]


@pytest.mark.parametrize(
    ("value", "factor", "expected"),
    # The numbers of EfficientNet B0 at the widths of B2 to B7, as its authors' round_filters gives them.
    [(32, 1.1, 32), (16, 1.1, 16), (24, 1.1, 24), (40, 1.1, 48), (112, 1.1, 120), (192, 1.1, 208), (320, 1.1, 352),
     (1280, 1.1, 1408), (32, 1.2, 40), (16, 1.2, 24), (24, 1.2, 32), (112, 1.2, 136), (192, 1.2, 232), (16, 1.4, 24),
     (40, 1.4, 56), (112, 1.4, 160), (192, 1.4, 272), (16, 1.6, 24), (24, 1.6, 40), (16, 1.8, 32), (112, 1.8, 200),
     (192, 1.8, 344), (16, 2.0, 32), (1280, 2.0, 2560)],
)  # fmt: skip
def test_the_rounding_of_efficientnet(value, factor, expected):
    assert wide(value, factor, divisor=8, not_below=0.9) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        # 20 x 0.6 is 12, which lies between 8 and 16.
        ({"divisor": 8, "not_below": 0.0}, 16),
        ({"divisor": 8, "width_rounding": "floor"}, 8),
        ({"divisor": 8, "width_rounding": "ceil"}, 16),
        ({"divisor": 1}, 12),
        ({"divisor": 5, "not_below": 0.0}, 10),
        # Not below 90 % of 12 is 10.8.
        ({"divisor": 5, "not_below": 0.9}, 15),
        ({"divisor": 5, "not_below": 0.8}, 10),
        # A narrowed network is never widened by rounding.
        ({"divisor": 64}, 20),
    ],
)
def test_every_rule_of_width(rule, expected):
    assert wide(20, 0.6, **rule) == expected


@pytest.mark.parametrize(
    ("rule", "expected"), [("ceil", [1, 1, 2, 3]), ("floor", [1, 1, 1, 2]), ("nearest", [1, 1, 2, 2])]
)
def test_every_rule_of_depth(rule, expected):
    assert [deep(value, 0.4, depth_rounding=rule) for value in (1, 2, 4, 6)] == expected


def test_a_repeat_of_none_stays_none():
    assert deep(0, 3.0) == 0


def test_products_of_floating_point_numbers_are_forgiven_their_error():
    assert 100 * 1.1 > 110
    assert deep(100, 1.1) == 110
    assert wide(100, 1.1, divisor=1, width_rounding="ceil") == 110
    assert deep(3, 1 / 3) == 1


@pytest.mark.parametrize("factor", [0.01, 0.3, 1.7, 40.0])
def test_a_width_is_never_less_than_the_divisor_or_the_number_itself(factor):
    for value in range(1, 200):
        result = wide(value, factor, divisor=8)
        assert result >= min(value, 8)
        assert (result - value) * (factor - 1) >= 0


@pytest.mark.parametrize("how", ["nearest", "floor", "ceil"])
@pytest.mark.parametrize("divisor", [1, 3, 8])
def test_a_width_never_falls_when_the_factor_grows(how, divisor):
    for value in (1, 6, 7, 64, 100):
        widths = [wide(value, 0.05 * step, divisor=divisor, width_rounding=how) for step in range(1, 80)]
        assert widths == sorted(widths)


def test_groups_divide_the_filters_that_they_divided():
    assert wide(96, 0.6, groups=1) == 56
    assert wide(96, 0.6, groups=12) == 72
    assert wide(96, 0.6, groups=5) == 56  # they never did


@pytest.mark.parametrize("name", ["filters", "stage", "stage.conv", "stage.filters", "conv", "stage.conv.filters"])
def test_exempt_names_an_id_a_field_or_both(name):
    assert wide(64, 0.5, exempt=[name]) == 64
    assert wide(64, 0.5, path="other.norm", exempt=["stage", "other.act"]) == 32


def test_an_id_that_only_widens():
    assert wide(1280, 0.5, path="head", only_wider=["head"]) == 1280
    assert wide(1280, 1.5, path="head", only_wider=["head"]) == 1920


def test_what_happened_is_remembered():
    made = scaler(0.6, exempt=["stem"])
    made("filters", 20, "stem", None, "width")
    made("filters", 20, "body", None, "width")
    made("filters", 9, "groups", None, "width", groups=9)
    assert [(c.base, c.raw, c.rounded, c.result, c.rule) for c in made.changes] == [
        (20, 12.0, 16, 20, "stays: exempt names stem"),
        (20, 12.0, 16, 16, "to the nearest multiple of 8"),
        (9, pytest.approx(5.4), 8, 9, "stays: rounding would widen"),
    ]


@pytest.mark.parametrize(
    ("rule", "height", "expected"),
    # 1.15 times the height and width.
    [({}, 224, (258, 258)), ({"resolution_multiple": 32}, 224, (256, 256)), ({"resolutions": [224, 240, 260]}, 224, (260, 260)),
     ({"resolution_multiple": 32}, 8, (32, 32))],
)  # fmt: skip
def test_every_rule_of_resolution(rule, height, expected):
    made = resolve(Scaling.model_validate(rule), Factors(), Factors(phi=1))
    assert made.resized(height, height) == expected


def test_an_oblong_input_keeps_its_shape():
    made = resolve(Scaling(), Factors(), Factors(resolution=100))
    assert made.resized(200, 300) == (100, 150)


# --- factors of the spec, and from outside ------------------------------------------------------------------------

RULE = Scaling.model_validate({"variants": {"b3": {"width": 1.2, "depth": 1.4, "resolution": 300, "dropout": 0.3}}})


def test_factors_multiply_and_the_later_resolution_counts():
    made = resolve(RULE, Factors(width=0.5, resolution=160), Factors(width=0.5, depth=2, resolution=128))
    assert (made.width, made.depth, made.resolution) == (0.25, 2, 128)


def test_a_variant_takes_the_place_of_the_specs_own_scale():
    made = resolve(RULE, Factors(width=0.5, resolution=160), Factors(variant="b3", depth=2))
    assert (made.width, made.depth, made.resolution, made.params) == (1.2, 2.8, 300, {"dropout": 0.3})


def test_a_size_that_is_set_counts_more_than_the_specs_own():
    assert resolve(RULE, Factors(resolution=160), Factors(), size_is_set=True).resolution is None
    assert resolve(RULE, Factors(resolution=160), Factors(resolution=96), size_is_set=True).resolution == 96


@pytest.mark.parametrize(
    ("factors", "code"),
    [({"variant": "b4"}, "E901"), ({"variant": "b3", "phi": 1}, "E902"), ({"phi": 1, "resolution": 9}, "E902")],
)
def test_contradictions(factors, code):
    with pytest.raises(Problem) as caught:
        resolve(RULE, Factors(), Factors(**factors))
    assert caught.value.code == code


def test_the_exponent_of_given_factors_is_the_one_of_the_same_growth():
    compound = RULE.compound
    made = resolve(RULE, Factors(), Factors(phi=1.7))
    assert made.names(224)["phi"] == 1.7
    same = resolve(RULE, Factors(), Factors(width=compound.beta**1.7, depth=compound.alpha**1.7))
    without_gamma = math.log(compound.alpha * compound.beta**2) / math.log(compound.growth)
    assert same.names(224)["phi"] == pytest.approx(1.7 * without_gamma)
