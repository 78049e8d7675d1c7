"""Readers of checkpoints: safetensors, torch files (weights only), keras files. Nothing is ever unpickled freely."""

from __future__ import annotations

import warnings
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np

from cnnspec.diagnostics import Diagnostic, SpecError
from cnnspec.weights.keras_files import read_keras

Array = np.ndarray[Any, np.dtype[Any]]


def read_checkpoint(path: Path) -> dict[str, Array]:
    """The arrays of a checkpoint by name; raises `SpecError` (E813) where it cannot be read."""
    name = path.name.lower()
    if not path.is_file():
        raise _error(f"there is no file {path}", "give the path of a checkpoint")
    if name.endswith(".safetensors"):
        return _safetensors(path)
    if name.endswith((".pth", ".pt", ".bin")):
        return _torch(path)
    if name.endswith(".h5"):
        return read_keras(path)
    raise _error(f"{path.name} is of no kind that is known", "known are .safetensors, .pth, .pt, .bin, .weights.h5")


def _error(message: str, help: str = "") -> SpecError:
    return SpecError([Diagnostic("E813", message, None, help)])


def _safetensors(path: Path) -> dict[str, Array]:
    import ml_dtypes  # gives numpy the number formats that it lacks, bfloat16 among them
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    assert ml_dtypes.bfloat16
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise _error(f"{path.name} cannot be read: {error}", "is it complete?") from None


def _torch(path: Path) -> dict[str, Array]:
    try:
        import torch
    except ImportError:
        raise _error("reading torch's files needs torch", "pip install 'cnnspec[import]'") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about how the file was written
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError:
        # torch's own words advise to read such a file all the same, and so to run what is in it.
        message = f"{path.name} is damaged, or holds more than names and tensors, and is not read"
        raise _error(message, "where you trust it, load it with torch and save `model.state_dict()` alone") from None
    except Exception as error:  # torch raises many kinds; whatever it is, the file is not to be had
        reason = str(error).split(".")[0][:160] or type(error).__name__
        raise _error(f"{path.name} cannot be read: {reason}", "is it complete?") from None
    for key in ("state_dict", "model"):
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    if not isinstance(loaded, dict) or not all(isinstance(v, torch.Tensor) for v in loaded.values()):
        raise _error(f"{path.name} holds no mapping of names to tensors", "save `model.state_dict()`")
    return {str(name): tensor.detach().float().numpy() for name, tensor in loaded.items()}
