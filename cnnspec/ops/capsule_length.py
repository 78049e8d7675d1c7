"""Lengths of capsules."""

from __future__ import annotations

from typing import Any, ClassVar

from cnnspec.ops.base import Cost, Inputs, Op, Run
from cnnspec.ops.squash import capsules
from cnnspec.types import TensorType


class CapsuleLength(Op):
    """The length of every capsule: how probable it is that what it stands for is there.

    **Shape**: `[capsules, dimensions] -> [capsules]`.
    **Params**: none.
    **Errors**: E201 not capsules.
    **Source**: Sabour, Frosst and Hinton 2017, section 3, arXiv:1710.09829.
    """

    key: ClassVar[str] = "capsule_length"
    full_precision: ClassVar[bool] = True

    def infer(self, *inputs: TensorType) -> TensorType:
        x = capsules(inputs[0], self.key)
        return x.with_shape(x.shape[0])

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        return Cost(0, 2 * inputs[0].size + output.size)

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        return f"{inputs[0].shape[0]} capsules"

    def lower(self, run: Run, *inputs: Any) -> Any:
        import jax.numpy as jnp

        wide = inputs[0].astype(jnp.float32)
        return jnp.sqrt(jnp.square(wide).sum(-1) + 1e-9).astype(inputs[0].dtype)
