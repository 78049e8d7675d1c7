"""Channel shuffle."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from cnnspec.diagnostics import Problem
from cnnspec.fields import Size
from cnnspec.ops.base import Op, Run, feature_map
from cnnspec.types import TensorType


class ChannelShuffle(Op):
    """Interleaves the channels of groups, so that information crosses between them.

    **Shape**: unchanged.
    **Params**: none.
    **Errors**: E201 not a feature map, E205 the channels cannot be split into so many groups.
    **Source**: Zhang et al. 2018, figure 1, arXiv:1707.01083.
    """

    key: ClassVar[str] = "channel_shuffle"
    main: ClassVar[str] = "groups"

    groups: Size = Field(2, description="groups that are interleaved")

    def infer(self, *inputs: TensorType) -> TensorType:
        x = feature_map(inputs[0], self.key)
        if x.channels % self.groups:
            raise Problem(
                "E205",
                f"{x.channels} channels cannot be split into {self.groups} groups",
                f"use a number of groups that divides {x.channels}",
                field="groups",
                axis=2,
                operands=(0,),
            )
        return x

    def does_nothing(self, *inputs: TensorType) -> bool:
        return self.groups in (1, inputs[0].channels)

    def lower(self, run: Run, *inputs: Any) -> Any:
        x = inputs[0]
        grouped = x.reshape(*x.shape[:-1], self.groups, x.shape[-1] // self.groups)
        return grouped.swapaxes(-1, -2).reshape(x.shape)
