"""The table of forms: which there are, which fit a convolution, and how one is entered into a program."""

from __future__ import annotations

from typing import Any

from jax import lax

from cnnspec.lower.forms import conv
from cnnspec.lower.forms.conv import Form, Geometry, by_groups, plain
from cnnspec.lower.forms.gradients import depthwise, ordinary, ordinary_block_diagonal
from cnnspec.lower.forms.layouts import SPLIT_GROUPS
from cnnspec.lower.forms.winograd import winograd, winograd_ready

FORMS: dict[str, Form] = {
    "plain": plain, "shifted": conv.shifted, "split": conv.split, "block_diagonal": conv.block_diagonal,
    "dot": conv.dot, "im2col": conv.im2col, "winograd": winograd,
    "depthwise": depthwise, "ordinary": ordinary, "ordinary_block_diagonal": ordinary_block_diagonal,
}  # fmt: skip

#: The forms that have a layout of the kernel, given that.
READY: dict[str, Form] = {"split": by_groups, "block_diagonal": by_groups, "winograd": winograd_ready}

#: Forms that are for training only: they compute the same, and differentiate faster.
TRAINING = frozenset({"depthwise", "ordinary", "ordinary_block_diagonal"})


def fits(form: str, channels: int, kernel: tuple[int, ...], geometry: Geometry) -> bool:
    """Whether a form can compute such a convolution, within reason."""
    groups = geometry.groups
    match form:
        case "shifted" | "depthwise":
            return groups == channels and kernel[2] == 1
        case "split":
            return 1 < groups <= SPLIT_GROUPS
        case "ordinary":
            return groups <= SPLIT_GROUPS
        case "block_diagonal" | "ordinary_block_diagonal":
            return groups > 1
        case "dot":
            return kernel[:2] == (1, 1) and groups == 1
        case "im2col":
            return groups == 1 and kernel[:2] != (1, 1)
        case "winograd":
            return groups == 1 and kernel[:2] == (3, 3) and geometry.stride == geometry.dilation == (1, 1)
        case _:
            return True


def compute(form: str, x: Any, kernel: Any, geometry: Geometry, layout: Any = None) -> Any:
    """The convolution in the given form on a CPU, and in the plain one elsewhere, within one program.

    `layout` is the kernel in the form's own layout, where it was prepared.
    """
    if form == "plain":
        return plain(x, kernel, geometry)
    if layout is not None:
        return lax.platform_dependent(
            x, kernel, layout,
            cpu=lambda x, k, ready: READY[form](x, ready, geometry), default=lambda x, k, ready: plain(x, k, geometry),
        )  # fmt: skip
    fast = FORMS[form]
    return lax.platform_dependent(
        x, kernel, cpu=lambda x, k: fast(x, k, geometry), default=lambda x, k: plain(x, k, geometry)
    )
