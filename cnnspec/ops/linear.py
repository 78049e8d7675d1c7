"""Linear (fully connected) layer."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from cnnspec.diagnostics import Problem
from cnnspec.fields import LECUN_NORMAL, ZEROS, InitializerField, Size
from cnnspec.ops.base import Cost, Inputs, Op, Parameter, Run
from cnnspec.schema import Spec
from cnnspec.types import TensorType


class LinearFields(Spec):
    """The fields that the op and the block share."""

    width_fields: ClassVar[tuple[str, ...]] = ("features",)

    features: Size = Field(description="length of the output vector")
    kernel_init: InitializerField = Field(LECUN_NORMAL, description="how the kernel starts")
    bias_init: InitializerField = Field(ZEROS, description="how the bias starts")


class Linear(LinearFields, Op):
    """A vector times a learned matrix, plus a bias.

    **Shape**: `[C] -> [features]`.
    **Params**: `kernel [C, features]`, `bias [features]`.
    **Errors**: E201 the input is not a vector.
    **Source**: Rosenblatt 1958; initial values as in Flax.
    """

    key: ClassVar[str] = "linear"

    bias: bool = Field(True, description="whether a learned bias is added")

    def infer(self, *inputs: TensorType) -> TensorType:
        x = inputs[0]
        if x.rank != 1:
            raise Problem(
                "E201",
                f"`linear` needs a vector, and the input is {x.plain}",
                f"add `flatten` before it (a vector of {x.size:,}), or `global_avg_pool`",
                operands=(0,),
            )
        return x.with_shape(self.features)

    def parameters(self, *inputs: TensorType) -> dict[str, Parameter]:
        fans = (inputs[0].size, self.features)
        found = {"kernel": Parameter(fans, self.kernel_init, *fans)}
        if self.bias:
            found["bias"] = Parameter((self.features,), self.bias_init, *fans)
        return found

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        macs = inputs[0].size * self.features
        return Cost(macs, 2 * macs + (self.features if self.bias else 0))

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        return f"features {self.features}"

    def lower(self, run: Run, *inputs: Any) -> Any:
        x = inputs[0]
        y = x @ run.param("kernel").astype(x.dtype)
        return y + run.param("bias").astype(y.dtype) if self.bias else y
