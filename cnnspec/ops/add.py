"""Elementwise sum of several inputs."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any, ClassVar

from cnnspec.ops.base import Cost, Inputs, Op, Run, same_shape
from cnnspec.types import TensorType


class Add(Op):
    """Elementwise sum of several inputs.

    In a spec its value may be a list of branches: `add: [left, right]`.

    **Shape**: all inputs alike; unchanged.
    **Params**: none.
    **Errors**: E203 the inputs differ.
    **Source**: He et al. 2016, equation 1, arXiv:1512.03385.
    """

    key: ClassVar[str] = "add"
    arity: ClassVar[tuple[int, int | None]] = (1, None)

    def infer(self, *inputs: TensorType) -> TensorType:
        return same_shape(self.key, inputs)

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        return Cost(0, output.size * (len(inputs) - 1))

    def does_nothing(self, *inputs: TensorType) -> bool:
        return len(inputs) == 1

    def lower(self, run: Run, *inputs: Any) -> Any:
        return reduce(add, inputs)
