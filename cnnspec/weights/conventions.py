"""Weights are right in a network that is built as the one they were trained in: which convention they were imported for.

Where peers differ in what no shape shows (padding, epsilon, the place of a stride), a family has a param `convention`.
A file of imported weights bears its value, and whoever loads the file into a network of another one is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnspec.diagnostics import Diagnostic, Report, SpecError
from cnnspec.frontend import LoadedSpec, SpecLike, check_spec

CONVENTION = "convention"


def convention_of(loaded: LoadedSpec) -> str | None:
    """Whose network it is, where the family says so."""
    value = loaded.document.params.get(CONVENTION)
    return value if isinstance(value, str) else None


def as_built_by(spec: SpecLike, settings: Mapping[str, Any], peer: str) -> dict[str, Any]:
    """The settings, with the peer's convention where the family has one of its name and none was asked for."""
    asked = {**settings, CONVENTION: settings.get(CONVENTION, peer)}
    return asked if check_spec(spec, Report(), set=asked) is not None else dict(settings)


def recorded_convention(path: Path) -> str | None:
    """The convention that a file of imported weights bears."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return (file.metadata() or {}).get(CONVENTION)
    except (SafetensorError, OSError):
        return None  # whoever reads the arrays says what is wrong with the file


def require_convention(loaded: LoadedSpec, path: Path) -> None:
    """Raise `SpecError` (E817) where weights were imported for another convention than the network follows."""
    theirs, ours = recorded_convention(path), convention_of(loaded)
    if theirs is not None and ours is not None and theirs != ours:
        message = f"{path.name} was imported for the convention {theirs}, and this network follows {ours}"
        raise SpecError([Diagnostic("E817", message, None, f"give `--set {CONVENTION}={theirs}`")])
