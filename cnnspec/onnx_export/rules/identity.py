"""`identity`: nothing."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.identity import Identity

LAYOUT = "any"


def write(w: Writer, op: Identity, x: str) -> str:
    """The input itself."""
    return x
