"""Change of element type."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from cnnspec.ops.base import Op, Run
from cnnspec.types import TensorType


class Cast(Op):
    """Converts to another element type; the pass that lowers precision inserts it.

    **Shape**: unchanged.
    **Params**: none.
    **Source**: Micikevicius et al. 2018, arXiv:1710.03740.
    """

    key: ClassVar[str] = "cast"
    main: ClassVar[str] = "dtype"

    dtype: Literal["float32", "bfloat16"] = Field(description="the new element type")

    def infer(self, *inputs: TensorType) -> TensorType:
        return TensorType(inputs[0].shape, self.dtype)

    @property
    def identity(self) -> bool:
        return False

    def does_nothing(self, *inputs: TensorType) -> bool:
        return inputs[0].dtype == self.dtype

    def lower(self, run: Run, *inputs: Any) -> Any:
        return inputs[0].astype(self.dtype)
