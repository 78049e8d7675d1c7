"""The table of forms: which there are, which fit a convolution, and how one is entered into a program."""

from __future__ import annotations

from typing import Any

from jax import lax

from cnnspec.lower.forms.conv import Form, Geometry, block_diagonal, dot, im2col, plain, shifted, split
from cnnspec.lower.forms.gradients import depthwise, ordinary, ordinary_block_diagonal

FORMS: dict[str, Form] = {
    "plain": plain, "shifted": shifted, "split": split, "block_diagonal": block_diagonal, "dot": dot, "im2col": im2col,
    "depthwise": depthwise, "ordinary": ordinary, "ordinary_block_diagonal": ordinary_block_diagonal,
}  # fmt: skip

#: Forms that are for training only: they compute the same, and differentiate faster.
TRAINING = frozenset({"depthwise", "ordinary", "ordinary_block_diagonal"})


def fits(form: str, channels: int, kernel: tuple[int, ...], groups: int) -> bool:
    """Whether a form can compute such a convolution at all."""
    match form:
        case "shifted" | "depthwise":
            return groups == channels and kernel[2] == 1
        case "split" | "block_diagonal" | "ordinary_block_diagonal":
            return groups > 1
        case "dot":
            return kernel[:2] == (1, 1) and groups == 1
        case "im2col":
            return groups == 1
        case _:
            return True


def compute(form: str, x: Any, kernel: Any, geometry: Geometry) -> Any:
    """The convolution in the given form on a CPU, and in the plain one elsewhere, within one program."""
    if form == "plain":
        return plain(x, kernel, geometry)
    fast = FORMS[form]
    return lax.platform_dependent(
        x, kernel, cpu=lambda x, k: fast(x, k, geometry), default=lambda x, k: plain(x, k, geometry)
    )
