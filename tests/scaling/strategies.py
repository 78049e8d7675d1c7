"""Random factors and rules, for random specs."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from cnnspec.scaling import Factors


def factors(least: float = 0.1, most: float = 4.0) -> st.SearchStrategy[Factors]:
    """Factors of every kind: single ones, several together, and the exponent of the compound rule."""
    factor = st.floats(least, most, allow_nan=False) | st.sampled_from([0.25, 0.5, 0.75, 1.4, 2.0])
    several = st.fixed_dictionaries(
        {}, optional={"width": factor, "depth": factor, "resolution": st.integers(1, 96)}
    ).filter(bool)  # fmt: skip
    return (several | st.fixed_dictionaries({"phi": st.floats(-3, 3)})).map(lambda given: Factors(**given))


def rules(ids: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """What a spec may say under `scaling`, with some of its ids exempt."""
    names = st.lists(st.sampled_from(ids), max_size=2, unique=True) if ids else st.just([])
    return st.fixed_dictionaries(
        {},
        optional={
            "divisor": st.sampled_from([1, 2, 3, 8]),
            "not_below": st.sampled_from([0.0, 0.9, 1.0]),
            "width_rounding": st.sampled_from(["nearest", "floor", "ceil"]),
            "depth_rounding": st.sampled_from(["nearest", "floor", "ceil"]),
            "resolution_multiple": st.sampled_from([1, 4]),
            "resolutions": st.sampled_from([[], [8, 16, 24], [13]]),
            "exempt": names,
            "fixed_depth": names,
        },
    )
