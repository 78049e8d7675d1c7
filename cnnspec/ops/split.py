"""Splitting the channels."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from cnnspec.diagnostics import Problem
from cnnspec.fields import Size, Sizes
from cnnspec.ops.base import Op, Run
from cnnspec.types import TensorType


class Split(Op):
    """Splits the channels into several outputs, `id:0`, `id:1`, ...: equal parts, or of given sizes.

    **Shape**: `[..., C] -> [..., C / parts]` several times, or `[..., sizes[i]]`.
    **Params**: none.
    **Errors**: E205 the channels cannot be split so.
    **Source**: Ma et al. 2018, section 3, arXiv:1807.11164.
    """

    key: ClassVar[str] = "split"
    main: ClassVar[str] = "parts"

    parts: Size | None = Field(None, description="number of equal parts")
    sizes: Sizes | None = Field(None, description="channels of each part")

    @model_validator(mode="after")
    def _one_of_both(self) -> Split:
        if (self.parts is None) == (self.sizes is None):
            raise PydanticCustomError("split_fields", "should have either `parts` or `sizes`")
        return self

    def resolved(self, channels: int) -> tuple[int, ...]:
        """The channels of each output."""
        if self.sizes is not None:
            return self.sizes
        parts = self.parts or 1
        return (channels // parts,) * parts if parts <= channels else ()

    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        x = inputs[0]
        sizes = self.resolved(x.channels)
        if sum(sizes) != x.channels:
            wanted = f"{self.parts} equal parts" if self.sizes is None else " + ".join(map(str, sizes))
            raise Problem(
                "E205",
                f"{x.channels} channels cannot be split into {wanted}",
                "use a number of parts that divides the channels, or sizes that add up to them",
                field="parts" if self.sizes is None else "sizes",
                axis=x.rank - 1,
                operands=(0,),
            )
        return tuple(x.with_channels(size) for size in sizes)

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        return f"a part of {inputs[0].channels}" if axis == inputs[0].rank - 1 else None

    def lower(self, run: Run, *inputs: Any) -> Any:
        x, start, found = inputs[0], 0, []
        for size in self.resolved(x.shape[-1]):
            found.append(x[..., start : start + size])
            start += size
        return tuple(found)
