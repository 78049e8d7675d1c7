"""`squash` by its formula."""

from __future__ import annotations

from cnnspec.onnx_export.capsules import squashed
from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.squash import Squash

LAYOUT = "own"


def write(w: Writer, op: Squash, x: str) -> str:
    """Seven operators on the last axis."""
    return squashed(w, x)
