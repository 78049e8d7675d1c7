"""Runs ONNX models in onnxruntime, with arrays in our order of axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime


def run_model(model: onnx.ModelProto, inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """The outputs by name; maps go in and come out as [N, H, W, C]."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    found = session.run(names, {name: channels_first(np.asarray(value)) for name, value in inputs.items()})
    return {
        name: value.transpose(0, 2, 3, 1) if value.ndim == 4 else value
        for name, value in zip(names, found, strict=True)
    }


def channels_first(array: np.ndarray) -> np.ndarray:
    """A map [N, H, W, C] as [N, C, H, W]."""
    return np.ascontiguousarray(array.transpose(0, 3, 1, 2)) if array.ndim == 4 else array


def assert_close(reached: Any, expected: Any, tolerance: float = 5e-5, nonzero: bool = True) -> None:
    """The largest difference is at most `tolerance` of the largest value; all zeros would show nothing."""
    reached, expected = np.asarray(reached, np.float64), np.asarray(expected, np.float64)
    assert reached.shape == expected.shape
    assert np.isfinite(expected).all()
    scale = np.abs(expected).max()
    assert scale > 0 or not nonzero
    assert np.abs(reached - expected).max() <= tolerance * scale
