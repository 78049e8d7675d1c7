"""Dropout."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from cnnspec.fields import Rate
from cnnspec.ops.base import Op, Run
from cnnspec.types import TensorType


class Dropout(Op):
    """Sets a random share of the values to zero while training, and scales up the others; nothing at inference.

    **Shape**: unchanged.
    **Params**: none.
    **Source**: Srivastava et al. 2014; scaling while training instead of at test time, as in all frameworks.
    """

    key: ClassVar[str] = "dropout"
    main: ClassVar[str] = "rate"
    stochastic: ClassVar[bool] = True

    rate: Rate = Field(0.5, description="share of the values that is dropped")

    def infer(self, *inputs: TensorType) -> TensorType:
        return inputs[0]

    @property
    def identity(self) -> bool:
        return True

    def lower(self, run: Run, *inputs: Any) -> Any:
        import jax
        import jax.numpy as jnp

        x = inputs[0]
        if not run.train or self.rate == 0:
            return x
        keep = jax.random.bernoulli(run.key(), 1 - self.rate, x.shape)
        return jnp.where(keep, x / (1 - self.rate), 0).astype(x.dtype)
