"""Inputs of random specs: one or two of the same kind, and a label now and then."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from cnnspec.testing.shapes import types
from cnnspec.types import TensorType


@st.composite
def headers(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, TensorType]]:
    """`input` or `inputs` of a spec, and the type of each by name."""
    x = draw(types(draw(st.sampled_from([3, 3, 3, 3, 3, 1]))))
    fields = {"features": x.size}
    if x.rank == 3:
        fields = {"height": x.height, "width": x.width, "channels": x.channels}
    if draw(st.integers(0, 3)):
        return {"input": fields}, {"input": x}
    found: dict[str, Any] = {"image": fields, "other": dict(fields)}
    kinds = {"image": x, "other": x}
    if draw(st.booleans()):
        classes = draw(st.integers(2, 4))
        found["label"], kinds["label"] = {"classes": classes, "optional": True}, TensorType((), "int32", classes)
    return {"inputs": found}, kinds
