"""Masking of capsules."""

from __future__ import annotations

from typing import Any, ClassVar

from cnnspec.diagnostics import Problem
from cnnspec.ops.base import Cost, Inputs, Op, Run
from cnnspec.ops.squash import capsules
from cnnspec.types import TensorType


class CapsuleMask(Op):
    """Keeps one capsule and sets the others to zero: that of the label, or the longest where there is none.

    **Shape**: `[capsules, dimensions]` and optionally a label `[] -> [capsules * dimensions]`.
    **Params**: none.
    **Errors**: E201 not capsules, or not a label; E203 a label of other classes than there are capsules.
    **Source**: Sabour, Frosst and Hinton 2017, section 4.1, arXiv:1710.09829.
    """

    key: ClassVar[str] = "capsule_mask"
    takes_labels: ClassVar[bool] = True
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    optional_from: ClassVar[int | None] = 1

    def infer(self, *inputs: TensorType) -> TensorType:
        x = capsules(inputs[0], self.key)
        if len(inputs) > 1 and (inputs[1].rank or inputs[1].dtype != "int32"):
            raise Problem("E201", f"the second input of `capsule_mask` should be a label, and is {inputs[1].plain}",
                          "declare it under `inputs:` as {classes: 10, optional: true}", operands=(1,))  # fmt: skip
        if len(inputs) > 1 and inputs[1].classes not in (None, x.shape[0]):
            raise Problem(
                "E203",
                f"`capsule_mask` keeps one of {x.shape[0]} capsules, and the label is one of {inputs[1].classes} classes",
                "there is a capsule for each class: give both the same number",
                axis=0,
                operands=(0, 1),
            )
        return x.with_shape(x.size)

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        return Cost(0, 3 * output.size)

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        return inputs[0].plain.replace("x", " x ")

    def lower(self, run: Run, *inputs: Any) -> Any:
        import jax
        import jax.numpy as jnp

        x = inputs[0]
        label = inputs[1] if len(inputs) > 1 and inputs[1] is not None else None
        if label is None:
            label = jnp.square(x.astype(jnp.float32)).sum(-1).argmax(-1)
        mask = jax.nn.one_hot(label, x.shape[1], dtype=x.dtype)
        return (x * mask[:, :, None]).reshape(x.shape[0], -1)
