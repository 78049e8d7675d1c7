"""Reconstruction decoder of the capsule network."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from pydantic import Field

from cnnspec.blocks.base import Act, Block, Builder, Value
from cnnspec.blocks.linear import LinearBlock
from cnnspec.blocks.squeeze_excite import RELU
from cnnspec.fields import Sizes
from cnnspec.ops.activation import Activation
from cnnspec.ops.capsule_mask import CapsuleMask
from cnnspec.ops.reshape import Reshape


class CapsuleDecoder(Block):
    """Draws the image from the capsule of its class: a mask, linear layers, and a sigmoid.

    The second input is the label, and may be absent: then the longest capsule is decoded.

    **Shape**: `[capsules, dimensions]`, label `[] -> image`.
    **Example**:

    ```yaml
    inputs: {image: {height: 28, width: 28, channels: 1}, label: {classes: 10, optional: true}}
    layers:
      - {id: first, conv: {filters: 16, kernel: 9, padding: valid, act: relu}}
      - primary_capsules: {capsules: 4, dimensions: 8}
      - {id: digits, capsule_routing: {capsules: 10, dimensions: 16}}
      - {from: [digits, label], capsule_decoder: {features: [64, 128], image: [28, 28, 1]}}
    ```

    **Source**: Sabour, Frosst and Hinton 2017, figure 2, arXiv:1710.09829.
    """

    key: ClassVar[str] = "capsule_decoder"
    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    takes_labels: ClassVar[bool] = True
    width_fields: ClassVar[tuple[str, ...]] = ("features",)

    features: Sizes = Field((512, 1024), description="widths of the hidden linear layers")
    image: Sizes = Field(min_length=1, description="shape of the image: height, width, channels")
    act: Act = Field(RELU, description="activation of the hidden layers")

    def unfold(self, build: Builder, *inputs: Value) -> Value:
        y = build(CapsuleMask(), *inputs, id="mask")
        for number, features in enumerate(self.features, 1):
            y = build(LinearBlock(features=features, norm=None, act=self.act), y, id=f"linear{number}")
        last = LinearBlock(features=prod(self.image), norm=None, act=Activation(function="sigmoid"))
        y = build(last, y, id=f"linear{len(self.features) + 1}")
        return build(Reshape(shape=list(self.image)), y, id="reshape")
