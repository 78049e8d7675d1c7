"""Elementwise product of several inputs, with broadcasting over height and width."""

from __future__ import annotations

from functools import reduce
from operator import mul
from typing import Any, ClassVar

from cnnspec.diagnostics import Problem
from cnnspec.ops.base import Cost, Inputs, Op, Run
from cnnspec.types import TensorType


class Multiply(Op):
    """Elementwise product of several inputs, with broadcasting over height and width.

    In a spec its value may be a list of branches: `multiply: [left, right]`.

    **Shape**: that of the largest input; the others may be 1x1 in height and width.
    **Params**: none.
    **Errors**: E203 the inputs differ.
    **Source**: Hu et al. 2018, equation 4, arXiv:1709.01507.
    """

    key: ClassVar[str] = "multiply"
    arity: ClassVar[tuple[int, int | None]] = (1, None)

    def infer(self, *inputs: TensorType) -> TensorType:
        widest = max(inputs, key=lambda t: t.size)
        for number, other in enumerate(inputs):
            fits = (
                other.rank == widest.rank
                and other.channels == widest.channels
                and other.shape[:-1]
                in (
                    widest.shape[:-1],
                    (1,) * (widest.rank - 1),
                )
            )
            if not fits:
                raise Problem(
                    "E203",
                    f"the inputs of `multiply` differ: {widest.plain} and {other.plain}",
                    f"give both {widest.channels} channels; one of them may be 1x1 in height and width",
                    axis=widest.rank - 1,
                    operands=(inputs.index(widest), number),
                )
        return widest

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        return Cost(0, output.size * (len(inputs) - 1))

    def does_nothing(self, *inputs: TensorType) -> bool:
        return len(inputs) == 1

    def lower(self, run: Run, *inputs: Any) -> Any:
        return reduce(mul, inputs)
