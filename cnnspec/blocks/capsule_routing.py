"""Capsule layer with dynamic routing."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from cnnspec.blocks.base import Block, Builder, Value
from cnnspec.fields import Size
from cnnspec.ops.capsule_prediction import CapsulePrediction
from cnnspec.ops.dynamic_routing import DynamicRouting


class CapsuleRouting(Block):
    """Capsules that are predicted by all below, and routed to by agreement.

    **Shape**: `[n, d] -> [capsules, dimensions]`.
    **Example**:

    ```yaml
    input: {height: 20, width: 20, channels: 256}
    layers:
      - primary_capsules: {capsules: 32, dimensions: 8, kernel: 9, stride: 2}
      - capsule_routing: {capsules: 10, dimensions: 16, iterations: 3}
    ```

    **Source**: Sabour, Frosst and Hinton 2017, section 2 and procedure 1, arXiv:1710.09829.
    """

    key: ClassVar[str] = "capsule_routing"

    capsules: Size = Field(description="capsules: one a class")
    dimensions: Size = Field(16, description="dimensions of each")
    iterations: Size = Field(3, le=100, description="rounds of routing")

    def unfold(self, build: Builder, *inputs: Value) -> Value:
        prediction = CapsulePrediction(capsules=self.capsules, dimensions=self.dimensions)
        y = build(prediction, inputs[0])
        return build(DynamicRouting(iterations=self.iterations), y, id="routing")
