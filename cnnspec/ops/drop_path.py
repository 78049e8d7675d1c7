"""Drop path: stochastic depth."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from cnnspec.fields import Rate
from cnnspec.ops.base import Cost, Inputs, Op, Run
from cnnspec.types import TensorType


class DropPath(Op):
    """Drops the whole branch of a residual while training, with a given probability.

    With `inference: expected`, as in the paper, a branch that survives stays as it is, and at inference it is
    multiplied by its probability of survival; with `rescale`, as in timm and torchvision, a survivor is divided by
    it while training and nothing happens at inference. The paper drops for the whole batch at once.

    **Shape**: unchanged.
    **Params**: none.
    **Source**: Huang et al. 2016, equations 2 and 5, arXiv:1603.09382.
    """

    key: ClassVar[str] = "drop_path"
    main: ClassVar[str] = "rate"
    stochastic: ClassVar[bool] = True

    rate: Rate = Field(description="probability of dropping; survival is 1 minus it")
    per: Literal["sample", "batch"] = Field("sample", description="whether each image is drawn for, or the batch")
    inference: Literal["rescale", "expected"] = Field("rescale", description="where the expectation is kept")

    def infer(self, *inputs: TensorType) -> TensorType:
        return inputs[0]

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        return Cost(0, 0 if self.identity else output.size)

    @property
    def identity(self) -> bool:
        return self.inference == "rescale" or self.rate == 0

    def lower(self, run: Run, *inputs: Any) -> Any:
        import jax

        x = inputs[0]
        survival = 1 - run.value("rate", self.rate)  # in a loop over blocks, an array of its own for each
        if not run.train:
            return x if self.inference == "rescale" else x * survival
        if self.rate == 0:
            return x
        shape = (x.shape[0] if self.per == "sample" else 1,) + (1,) * (x.ndim - 1)
        alive = jax.random.bernoulli(run.key(), survival, shape).astype(x.dtype)
        return x * (alive / survival if self.inference == "rescale" else alive)
