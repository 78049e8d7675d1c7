"""Radial-basis output layer."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from cnnspec.diagnostics import Problem
from cnnspec.fields import InitializerField, Size, initializer
from cnnspec.ops.base import Cost, Inputs, Op, Parameter, Run
from cnnspec.types import TensorType


class RadialBasisOutput(Op):
    """The squared distance of a vector to a centre for each class; the nearest centre wins.

    y[c] = sum over j of (x[j] - centre[c, j])^2. The centres are fixed unless `trainable`. In the paper they are 7x12
    pictures of the characters in values of -1 and +1; here they start as random signs, or as given by weights.

    **Shape**: `[features] -> [classes]`.
    **Params**: with `trainable`: `centres [classes, features]`; else they are state.
    **Errors**: E201 the input is not a vector.
    **Source**: LeCun et al. 1998, equation 7 and figure 3.
    """

    key: ClassVar[str] = "radial_basis_output"
    main: ClassVar[str] = "classes"
    full_precision: ClassVar[bool] = True

    classes: Size = Field(description="number of classes")
    trainable: bool = Field(False, description="whether the centres are learned")
    centres_init: InitializerField = Field(initializer("signs"), description="how the centres start")

    def infer(self, *inputs: TensorType) -> TensorType:
        if inputs[0].rank != 1:
            raise Problem("E201", f"`radial_basis_output` needs a vector, and the input is {inputs[0].plain}",
                          "add `flatten` before it", operands=(0,))  # fmt: skip
        return inputs[0].with_shape(self.classes)

    def parameters(self, *inputs: TensorType) -> dict[str, Parameter]:
        shape = (self.classes, inputs[0].size)
        return {"centres": Parameter(shape, self.centres_init, trainable=self.trainable)}

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        return Cost(0, 3 * inputs[0].size * self.classes)

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        return f"classes {self.classes}"

    def lower(self, run: Run, *inputs: Any) -> Any:
        import jax.numpy as jnp

        x = inputs[0].astype(jnp.float32)
        centres = run.param("centres") if self.trainable else run.state("centres")
        return jnp.square(x[:, None, :] - centres).sum(-1).astype(inputs[0].dtype)
