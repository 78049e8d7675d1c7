"""Squashing of capsules."""

from __future__ import annotations

from typing import Any, ClassVar

from cnnspec.diagnostics import Problem
from cnnspec.ops.base import Cost, Inputs, Op, Run
from cnnspec.types import TensorType


class Squash(Op):
    """Shrinks every capsule to a length below 1 and keeps its direction: v = |s|^2 / (1 + |s|^2) * s / |s|.

    **Shape**: `[capsules, dimensions]`, unchanged.
    **Params**: none.
    **Errors**: E201 not capsules.
    **Source**: Sabour, Frosst and Hinton 2017, equation 1, arXiv:1710.09829.
    """

    key: ClassVar[str] = "squash"
    full_precision: ClassVar[bool] = True

    def infer(self, *inputs: TensorType) -> TensorType:
        return capsules(inputs[0], self.key)

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        return Cost(0, 3 * output.size + 4 * output.shape[0])

    def lower(self, run: Run, *inputs: Any) -> Any:
        return squash(inputs[0])


def squash(s: Any) -> Any:
    """The squashed capsules of an array whose last axis holds their dimensions, in float32 within."""
    import jax.numpy as jnp

    wide = s.astype(jnp.float32)
    squared = jnp.square(wide).sum(-1, keepdims=True)
    # |s|^2 / (1 + |s|^2) / |s| is |s| / (1 + |s|^2); the small number keeps the gradient of the root finite at zero.
    return (wide * jnp.sqrt(squared + 1e-9) / (1 + squared)).astype(s.dtype)


def capsules(x: TensorType, key: str) -> TensorType:
    """`x` itself if it is a list of capsules; raises E201 otherwise."""
    if x.rank != 2:
        raise Problem(
            "E201",
            f"`{key}` needs capsules (capsules x dimensions), and the input is {x.plain}",
            "`primary_capsules` makes them from a feature map; or `reshape: [-1, 8]`",
            operands=(0,),
        )
    return x
