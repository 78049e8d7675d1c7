"""Dynamic routing between capsules."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from cnnspec.diagnostics import Problem
from cnnspec.fields import Size
from cnnspec.ops.base import Cost, Inputs, Op, Run
from cnnspec.ops.squash import squash
from cnnspec.types import TensorType


class DynamicRouting(Op):
    """Routing by agreement: capsules send their predictions to those above that agree with them.

    With `stop_gradient` the predictions are constants in all but the last iteration, as in several implementations;
    the paper does not say, and the default follows the whole procedure.

    **Shape**: `[n, capsules, dimensions] -> [capsules, dimensions]`.
    **Params**: none (the logits start at zero for every image).
    **Errors**: E201 not predictions of capsules.
    **Source**: Sabour, Frosst and Hinton 2017, procedure 1, arXiv:1710.09829.
    """

    key: ClassVar[str] = "dynamic_routing"
    main: ClassVar[str] = "iterations"
    full_precision: ClassVar[bool] = True

    iterations: Size = Field(3, le=100, description="rounds of agreement")
    stop_gradient: bool = Field(False, description="whether only the last round passes gradients to the predictions")

    def infer(self, *inputs: TensorType) -> TensorType:
        x = inputs[0]
        if x.rank != 3:
            raise Problem("E201", f"`dynamic_routing` needs predictions (n x capsules x dimensions), not {x.plain}",
                          "put `capsule_prediction` before it", operands=(0,))  # fmt: skip
        return x.with_shape(*x.shape[1:])

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        n, capsules, _ = inputs[0].shape
        each = 2 * inputs[0].size + 4 * n * capsules + 4 * output.size
        return Cost(0, self.iterations * each + (self.iterations - 1) * 2 * inputs[0].size)

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        return f"{'capsules' if axis == 0 else 'dimensions'} {inputs[0].shape[axis + 1]}"

    def lower(self, run: Run, *inputs: Any) -> Any:
        import jax
        import jax.numpy as jnp
        from jax import lax

        predictions = inputs[0].astype(jnp.float32)
        fixed = lax.stop_gradient(predictions) if self.stop_gradient else predictions
        logits = jnp.zeros(predictions.shape[:-1], jnp.float32)
        for turn in range(self.iterations):
            last = turn == self.iterations - 1
            # At first all logits are zero. Said in one number, XLA need not fold the softmax of a large constant.
            coupling = jax.nn.softmax(logits, axis=-1) if turn else jnp.full_like(logits, 1 / logits.shape[-1])
            chosen = predictions if last else fixed
            above = squash(jnp.einsum("bij,bije->bje", coupling, chosen))
            if not last:
                logits = logits + jnp.einsum("bije,bje->bij", fixed, above)
        return above.astype(inputs[0].dtype)
