"""Readers of checkpoints: safetensors, torch files (weights only), keras files. Nothing is ever unpickled freely."""

from __future__ import annotations

from pathlib import Path
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
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError, ValueError) as error:
        raise _error(f"{path.name} cannot be read: {error}", "is it complete?") from None


def _torch(path: Path) -> dict[str, Array]:
    try:
        import torch
    except ImportError:
        raise _error("reading torch's files needs torch", "pip install 'cnnspec[import]'") from None
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds; whatever it is, the file is not to be had
        reason = str(error).split("\n")[0][:200]
        raise _error(f"{path.name} cannot be read: {reason}", "only files of plain weights are read") from None
    for key in ("state_dict", "model"):
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    if not isinstance(loaded, dict) or not all(isinstance(v, torch.Tensor) for v in loaded.values()):
        raise _error(f"{path.name} holds no mapping of names to tensors", "save `model.state_dict()`")
    return {str(name): tensor.detach().float().numpy() for name, tensor in loaded.items()}
