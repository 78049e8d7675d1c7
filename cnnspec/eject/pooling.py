"""What the rules of pools share."""

from __future__ import annotations

from cnnspec.eject.pieces import literal
from cnnspec.pooling import Pool


def pool_padding(op: Pool, over: tuple[tuple[int, int], ...]) -> str:
    """The padding of a pool as an argument: `"SAME"`, or pixels with what the last windows hang over."""
    return '"SAME"' if op.padding.rule == "same" and not op.ceil else literal(tuple(over))
