"""Nothing."""

from __future__ import annotations

from typing import Any, ClassVar

from cnnspec.ops.base import Op, Run
from cnnspec.types import TensorType


class Identity(Op):
    """Returns its input; gives a name to it, or stands where a family chooses nothing.

    **Shape**: unchanged.
    **Params**: none.
    **Source**: none.
    """

    key: ClassVar[str] = "identity"
    takes_labels: ClassVar[bool] = True

    def infer(self, *inputs: TensorType) -> TensorType:
        return inputs[0]

    @property
    def identity(self) -> bool:
        return True

    def lower(self, run: Run, *inputs: Any) -> Any:
        return inputs[0]
