"""Concatenation along the channels."""

from __future__ import annotations

from typing import Any, ClassVar

from cnnspec.diagnostics import Problem
from cnnspec.ops.base import Op, Run
from cnnspec.types import TensorType


class Concat(Op):
    """Joins its inputs along the last axis: the channels of feature maps, the features of vectors.

    In a spec its value may be a list of branches: `concat: [left, right]`.

    **Shape**: `[H, W, C1], [H, W, C2], ... -> [H, W, C1 + C2 + ...]`.
    **Params**: none.
    **Errors**: E203 the inputs differ in more than their channels.
    **Source**: Szegedy et al. 2015, figure 2, arXiv:1409.4842.
    """

    key: ClassVar[str] = "concat"
    arity: ClassVar[tuple[int, int | None]] = (1, None)

    def infer(self, *inputs: TensorType) -> TensorType:
        first = inputs[0]
        for number, other in enumerate(inputs):
            if other.rank != first.rank or other.shape[:-1] != first.shape[:-1]:
                raise Problem(
                    "E203",
                    f"the inputs of `concat` differ in height and width: {first.plain} and {other.plain}",
                    "give their branches the same strides and paddings, or `upsample` or pool one of them",
                    axis=0,
                    operands=(0, number),
                )
        return first.with_channels(sum(t.channels for t in inputs))

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        return " + ".join(str(t.channels) for t in inputs) if axis == inputs[0].rank - 1 else None

    def does_nothing(self, *inputs: TensorType) -> bool:
        return len(inputs) == 1

    def lower(self, run: Run, *inputs: Any) -> Any:
        import jax.numpy as jnp

        return jnp.concatenate(inputs, axis=-1)
