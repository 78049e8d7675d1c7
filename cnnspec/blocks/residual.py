"""Residual of any body."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from cnnspec.blocks.base import Act, Block, Branch, Builder, Layers, Norm, Value
from cnnspec.blocks.shortcut import BATCH_NORM, Shortcut
from cnnspec.diagnostics import Problem
from cnnspec.ops.add import Add
from cnnspec.ops.scale import Scale
from cnnspec.residuals import Survival
from cnnspec.schema import either


class Residual(Survival, Block):
    """The sum of a body, written as a list of nodes, and of a shortcut of its input.

    **Shape**: that of the body.
    **Errors**: E203 the shortcut does not fit the body.
    **Example**:

    ```yaml
    input: {height: 16, width: 16, channels: 64}
    layers:
      - residual:
          scale: 0.2
          act: relu
          body:
            - conv: {filters: 32, kernel: 1, act: relu}
            - conv: {filters: 64, kernel: 3}
    ```

    **Source**: He et al. 2016, equation 1 and 2, arXiv:1512.03385; scaled: section 3.3, arXiv:1602.07261.
    """

    key: ClassVar[str] = "residual"

    body: Layers = Field(description="the nodes of the body")
    shortcut: Literal["auto", "identity", "projection", "pad", "pool"] = Field(
        "auto", description="how the input joins"
    )
    shortcut_layers: Branch = Field(None, description="nodes of a shortcut of your own, instead")
    shortcut_norm: Norm = Field(BATCH_NORM, description="normalisation of a projection")
    scale: float = Field(1.0, description="factor on the body's output")
    act: Act = Field(None, description="activation after the sum")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        either(self, "shortcut_layers", "shortcut")
        return self

    def unfold(self, build: Builder, *inputs: Value) -> Value:
        x = inputs[0]
        y = build.layers(self.body, x, id="body")
        if self.scale != 1:
            y = build(Scale(value=self.scale), y, id="scale")
        y = self.drop(build, y)
        if self.shortcut_layers is not None:
            short = build.branch(self.shortcut_layers, x, id="shortcut")
        else:
            short = build(self._shortcut(x, y), x, id="shortcut")
        y = build(Add(), y, short, id="add")
        return build(self.act, y, id="act") if self.act is not None else y

    def _shortcut(self, x: Value, y: Value) -> Shortcut:
        if x.type.rank != 3 or y.type.rank != 3:
            if x.type.shape == y.type.shape:
                return Shortcut(filters=y.channels, stride=1, kind="identity")
            raise Problem("E203", f"the body turns {x.type.plain} into {y.type.plain}, and no shortcut follows it",
                          "give `shortcut_layers`")  # fmt: skip
        strides = (-(-x.type.height // y.type.height), -(-x.type.width // y.type.width))
        return Shortcut(filters=y.channels, stride=strides, kind=self.shortcut, norm=self.shortcut_norm)
