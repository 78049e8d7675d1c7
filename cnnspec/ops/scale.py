"""Scaling by a constant or by learned coefficients."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from cnnspec.fields import ONES, ZEROS, InitializerField
from cnnspec.ops.base import Cost, Inputs, Op, Parameter, Run
from cnnspec.types import TensorType


class Scale(Op):
    """Multiplies by a constant, by learned coefficients (one a channel, or one in all), and may add a learned bias.

    **Shape**: unchanged.
    **Params**: with `learned`: `scale [C]` or `[1]`; with `bias`: `bias [C]` or `[1]`.
    **Source**: constant: Szegedy et al. 2016, section 3.3, arXiv:1602.07261; learned: the trainable subsampling of
    LeCun et al. 1998, section II.B (a coefficient and a bias a map).
    """

    key: ClassVar[str] = "scale"
    main: ClassVar[str] = "value"

    value: float = Field(1.0, description="the constant factor")
    learned: bool = Field(False, description="whether learned coefficients multiply")
    bias: bool = Field(False, description="whether a learned bias is added")
    per_channel: bool = Field(True, description="one coefficient a channel, or one in all")
    scale_init: InitializerField = Field(ONES, description="how the coefficients start")
    bias_init: InitializerField = Field(ZEROS, description="how the bias starts")

    def infer(self, *inputs: TensorType) -> TensorType:
        return inputs[0]

    def parameters(self, *inputs: TensorType) -> dict[str, Parameter]:
        shape = (inputs[0].channels if self.per_channel else 1,)
        found = {"scale": Parameter(shape, self.scale_init)} if self.learned else {}
        return found | ({"bias": Parameter(shape, self.bias_init)} if self.bias else {})

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        return Cost(0, output.size * ((self.value != 1) + self.learned + self.bias))

    @property
    def identity(self) -> bool:
        return self.value == 1 and not self.learned and not self.bias

    def lower(self, run: Run, *inputs: Any) -> Any:
        x = inputs[0]
        x = x * self.value if self.value != 1 else x
        x = x * run.param("scale").astype(x.dtype) if self.learned else x
        return x + run.param("bias").astype(x.dtype) if self.bias else x
