"""The compound rule multiplies the MACs by (alpha beta^2 gamma^2)^phi, but for whole rows, channels and pixels."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cnnspec
from cnnspec.costs import rows
from cnnspec.frontend import LoadedSpec, load_spec
from cnnspec.scaling import Factors

DIVISOR = 8


def network(alpha: float, beta: float, gamma: float, repeat: int, channels: int, side: int) -> str:
    """Rows of equal convolutions behind a first one; the MACs of the rows are repeat x channels^2 x side^2 x 9."""
    return (
        f"cnnspec: 1\nname: net\ninput: {{height: {side}, width: {side}, channels: 3}}\n"
        f"scaling: {{divisor: {DIVISOR}, compound: {{alpha: {alpha}, beta: {beta}, gamma: {gamma}}}}}\n"
        f"layers:\n  - {{id: stem, conv: {{filters: {channels}}}}}\n"
        f"  - {{id: body, repeat: {repeat}, conv: {{filters: {channels}}}}}\n"
    )


def body_macs(loaded: LoadedSpec) -> int:
    return sum(row.macs for row in rows(loaded.graph) if row.node.path.startswith("body"))


@pytest.mark.parametrize(
    ("alpha", "beta", "gamma"), [(2, 1, 1), (1, 2**0.5, 1), (1, 1, 2**0.5), (2**0.5, 2**0.5, 2**0.5)]
)
@pytest.mark.parametrize("phi", [0, 2, 4])
def test_exactly_where_nothing_is_rounded(alpha, beta, gamma, phi):
    text = network(alpha, beta, gamma, 4, 64, 32)
    growth = (alpha * beta**2 * gamma**2) ** phi
    assert body_macs(load_spec(text, scale=Factors(phi=phi))) == pytest.approx(
        growth * body_macs(load_spec(text)), rel=1e-9
    )


@given(
    factors=st.tuples(*[st.floats(1, 1.5)] * 3),
    phi=st.floats(-2, 4),
    repeat=st.integers(1, 12),
    channels=st.integers(2, 16).map(lambda n: n * DIVISOR),
    side=st.integers(8, 64),
)
def test_within_the_rounding_of_rows_channels_and_pixels(factors, phi, repeat, channels, side):
    text = network(*factors, repeat, channels, side)
    macs = body_macs(load_spec(text, scale=Factors(phi=phi)))
    rows_, wide, pixels = (n * f**phi for n, f in zip((repeat, channels, side), factors, strict=True))
    # Rows are rounded up, channels to a multiple of 8 and at most one step back up, pixels to the nearest.
    least = 9 * rows_ * max(wide - DIVISOR / 2, 1) ** 2 * max(pixels - 0.5, 0.5) ** 2
    most = 9 * ceil(rows_ + 1e-6) * (wide + DIVISOR) ** 2 * (pixels + 0.5) ** 2
    assert 0.999 * least <= macs <= 1.001 * most


@pytest.mark.parametrize(
    ("spec", "least", "most"),
    # Published networks have layers that scale in two of the three ways; rows rounded up come on top.
    [("resnet50", 0.9, 1.2), ("efficientnet_b0", 1.0, 1.4), ("vgg16", 1.1, 1.4), ("resnet110_cifar", 1.0, 1.25)],
)
@pytest.mark.parametrize("phi", [1, 2, 4, 6, 8])
def test_nearly_so_for_published_networks(spec, least, most, phi):
    base = cnnspec.load_spec(spec)
    grown = cnnspec.scale(spec, phi=phi).totals.macs / base.totals.macs
    assert least <= grown / base.scaler.rule.compound.growth**phi <= most


def test_dense_blocks_grow_faster_since_each_layer_reads_all_before_it():
    base = cnnspec.load_spec("densenet121")
    grown = [cnnspec.scale("densenet121", phi=phi).totals.macs / base.totals.macs for phi in (2, 4, 8)]
    growth = base.scaler.rule.compound.growth
    assert [ratio > growth**phi for ratio, phi in zip(grown, (2, 4, 8), strict=True)] == [True, True, True]
