"""Reshaping."""

from __future__ import annotations

from math import prod
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from cnnspec.diagnostics import Problem
from cnnspec.ops.base import Op, Run
from cnnspec.types import TensorType


def _shape(value: Any) -> tuple[int, ...]:
    right = isinstance(value, list | tuple) and all(isinstance(v, int) and not isinstance(v, bool) for v in value)
    if not right or any(v < 1 and v != -1 for v in value) or list(value).count(-1) > 1 or not value:
        raise PydanticCustomError("sizes_type", "should be a list of sizes; one of them may be -1, for what remains")
    return tuple(value)


class Reshape(Op):
    """Lays out the same elements in another shape, in row-major order; -1 stands for what remains.

    **Shape**: `[...] -> shape`.
    **Params**: none.
    **Errors**: E207 the number of elements would change.
    **Source**: none.
    """

    key: ClassVar[str] = "reshape"
    main: ClassVar[str] = "shape"

    shape: Annotated[
        tuple[int, ...],
        BeforeValidator(_shape),
        PlainSerializer(list),
        WithJsonSchema({"type": "array", "items": {"type": "integer"}}),
    ] = Field(description="the new shape, without batch")

    def infer(self, *inputs: TensorType) -> TensorType:
        x, known = inputs[0], prod(d for d in self.shape if d != -1)
        fits = x.size % known == 0 if -1 in self.shape else x.size == known
        if not fits:
            wanted = "x".join(map(str, self.shape))
            raise Problem(
                "E207",
                f"{x.plain} has {x.size:,} elements, and {wanted} {'a multiple of ' if -1 in self.shape else ''}{known:,}",
                "give the sizes so that their product is the same, or one of them as -1",
                field="shape",
                operands=(0,),
            )
        return x.with_shape(*(x.size // known if d == -1 else d for d in self.shape))

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        return f"shape {list(self.shape)}"

    def does_nothing(self, *inputs: TensorType) -> bool:
        return self.infer(*inputs) == inputs[0]

    def lower(self, run: Run, *inputs: Any) -> Any:
        x = inputs[0]
        known = prod(d for d in self.shape if d != -1)
        sizes = [prod(x.shape[1:]) // known if d == -1 else d for d in self.shape]
        return x.reshape(x.shape[0], *sizes)
