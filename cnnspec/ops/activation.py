"""Elementwise activations and softmax."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from cnnspec.ops.base import Cost, Inputs, Op, Run
from cnnspec.schema import refuse
from cnnspec.types import TensorType

Function = Literal[
    "relu", "relu6", "leaky_relu", "elu", "tanh", "scaled_tanh", "sigmoid", "hard_sigmoid", "silu", "swish",
    "hard_swish", "gelu", "softmax",
]  # fmt: skip

FUNCTIONS: tuple[str, ...] = get_args(Function)

#: Fields that one function has, and the others have not.
_OWN = {"slope": "leaky_relu", "alpha": "elu", "approximate": "gelu"}

#: Arithmetic operations an element, counted from the formulas.
_FLOPS: dict[str, int] = {
    "relu": 1, "relu6": 2, "leaky_relu": 2, "elu": 3, "tanh": 1, "scaled_tanh": 3, "sigmoid": 3, "hard_sigmoid": 4,
    "silu": 4, "swish": 4, "hard_swish": 5, "gelu": 8, "softmax": 4,
}  # fmt: skip


class Activation(Op):
    """A nonlinearity, elementwise but for `softmax`, which normalises over the last axis.

    `silu` and `swish` are one function. `scaled_tanh` is LeNet-5's 1.7159 tanh(2a / 3).

    **Shape**: unchanged.
    **Params**: none.
    **Source**: ReLU: Nair and Hinton 2010; ELU: arXiv:1511.07289; GELU: arXiv:1606.08415; swish: arXiv:1710.05941;
    hard-swish: arXiv:1905.02244; scaled tanh: LeCun et al. 1998, appendix A.
    """

    key: ClassVar[str] = "activation"
    main: ClassVar[str] = "function"

    function: Function = Field(description="which one")
    slope: float = Field(0.01, description="of `leaky_relu` below zero")
    alpha: float = Field(1.0, description="of `elu`: minus its limit below zero")
    approximate: bool = Field(False, description="`gelu` by its tanh approximation")

    @model_validator(mode="after")
    def _own_fields(self) -> Self:
        for name, function in _OWN.items():
            if name in self.model_fields_set and self.function != function:
                raise refuse(name, f"belongs to `{function}`, and the function is `{self.function}`", "leave it out")
        return self

    def infer(self, *inputs: TensorType) -> TensorType:
        return inputs[0]

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        return Cost(0, output.size * _FLOPS[self.function])

    def lower(self, run: Run, *inputs: Any) -> Any:
        import jax
        import jax.numpy as jnp

        x = inputs[0]
        match self.function:
            case "relu":
                return jax.nn.relu(x)
            case "relu6":
                return jnp.clip(x, 0, 6)
            case "leaky_relu":
                return jax.nn.leaky_relu(x, self.slope)
            case "elu":
                return jax.nn.elu(x, self.alpha)
            case "tanh":
                return jnp.tanh(x)
            case "scaled_tanh":
                return 1.7159 * jnp.tanh(x * (2 / 3))
            case "sigmoid":
                return jax.nn.sigmoid(x)
            case "hard_sigmoid":
                return jax.nn.hard_sigmoid(x)
            case "silu" | "swish":
                return jax.nn.silu(x)
            case "hard_swish":
                return jax.nn.hard_swish(x)
            case "gelu":
                return jax.nn.gelu(x, approximate=self.approximate)
            case "softmax":
                return jax.nn.softmax(x.astype(jnp.float32), axis=-1).astype(x.dtype)
