"""`dropout`: nothing at inference."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.dropout import Dropout

LAYOUT = "any"


def write(w: Writer, op: Dropout, x: str) -> str:
    """The input itself."""
    return x
