"""The type of what flows along an edge: a shape without the batch dimension, and an element type."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

DType = Literal["float32", "bfloat16", "int32"]

#: Bytes of one element.
ITEM_SIZE: dict[DType, int] = {"float32": 4, "bfloat16": 2, "int32": 4}

_SHORT: dict[DType, str] = {"float32": "f32", "bfloat16": "bf16", "int32": "i32"}


@dataclass(frozen=True, slots=True)
class TensorType:
    """Shape and element type of one tensor; the batch dimension stays symbolic and is left out.

    **Shape**: `(height, width, channels)` for feature maps, `(features,)` for vectors, `(capsules, dimensions)`
    for capsules, `()` for one class label an image, whose number of classes is `classes`.
    """

    shape: tuple[int, ...]
    dtype: DType = "float32"
    classes: int | None = None

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def height(self) -> int:
        return self.shape[0]

    @property
    def width(self) -> int:
        return self.shape[1]

    @property
    def channels(self) -> int:
        """The last dimension: channels of a feature map, features of a vector, dimensions of a capsule."""
        return self.shape[-1]

    @property
    def size(self) -> int:
        """Elements an image."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """Bytes an image."""
        return self.size * ITEM_SIZE[self.dtype]

    def with_shape(self, *shape: int) -> TensorType:
        return TensorType(shape, self.dtype)

    def with_channels(self, channels: int) -> TensorType:
        return TensorType((*self.shape[:-1], channels), self.dtype)

    @property
    def plain(self) -> str:
        """`28x28x256`, as people write it; `scalar` for a rank of 0."""
        return "x".join(map(str, self.shape)) if self.shape else "scalar"

    def __str__(self) -> str:
        return f"{_SHORT[self.dtype]}[{','.join(['N', *map(str, self.shape)])}]"
