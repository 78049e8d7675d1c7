"""Types of tensors to draw from, small enough to run in a moment."""

from __future__ import annotations

from hypothesis import strategies as st

from cnnspec.types import TensorType

#: Sizes that are drawn: small, with odd and even ones.
LARGEST_MAP = 9
MOST_CHANNELS = 8


@st.composite
def shapes(draw: st.DrawFn, rank: int | None = None) -> tuple[int, ...]:
    """Shapes without batch: feature maps (rank 3), vectors (1), capsules (2), or any of them."""
    rank = draw(st.sampled_from([3, 3, 3, 1, 2])) if rank is None else rank
    if rank == 3:
        size = st.integers(2, LARGEST_MAP)
        return (draw(size), draw(size), draw(st.integers(1, MOST_CHANNELS)))
    if rank == 2:
        return (draw(st.integers(1, 6)), draw(st.integers(1, 4)))
    return (draw(st.integers(1, 12)),)


def types(rank: int | None = None) -> st.SearchStrategy[TensorType]:
    """Types of float32 tensors."""
    return shapes(rank).map(TensorType)
