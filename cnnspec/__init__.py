"""cnnspec: write a convolutional network as a YAML table, know at once whether it is right, and run it as jitted Flax.

Everything here is imported when it is first used, so that checking a spec needs no JAX.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Public name -> the module that defines it.
_PUBLIC = {
    "build": "cnnspec.lower.module",
    "check_spec": "cnnspec.frontend",
    "compile": "cnnspec.compiled",
    "Compiled": "cnnspec.compiled",
    "Diagnostic": "cnnspec.diagnostics",
    "Factors": "cnnspec.scaling",
    "export_onnx": "cnnspec.onnx_export",
    "load": "cnnspec.artefact",
    "load_spec": "cnnspec.frontend",
    "LoadedSpec": "cnnspec.frontend",
    "Report": "cnnspec.diagnostics",
    "save": "cnnspec.artefact_writing",
    "scale": "cnnspec.scaling.scale",
    "SpecError": "cnnspec.diagnostics",
    "train": "cnnspec.training",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module `cnnspec` has no attribute `{name}`")


def __dir__() -> list[str]:
    return sorted(__all__)
