"""What `manifest.json` of an artefact has to hold for the artefact to be loaded."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FORMAT = 1


class ManifestInput(BaseModel):
    """One input."""

    model_config = ConfigDict(strict=True)

    shape: list[int]
    dtype: Literal["float32", "bfloat16", "int32"]
    spec: dict[str, Any]


class Manifest(BaseModel):
    """The entries that loading and running need; there are more, for people."""

    model_config = ConfigDict(strict=True)

    name: str
    trained: str
    compute_type: Literal["float32", "bfloat16"]
    inputs: dict[str, ManifestInput] = Field(min_length=1)
    outputs: dict[str, list[int]] = Field(min_length=1)
    weights: list[str]
    widest_activation: int
    arguments: list[str]
    derived: dict[str, dict[str, Any]]
    stacks: dict[str, list[str]]
    labels: list[str] = []
    files: dict[str, str]


def misfit(manifest: Any) -> str:
    """What is wrong with the contents of a manifest; empty where nothing is."""
    if not isinstance(manifest, dict):
        return "it is no mapping"
    if manifest.get("format") != FORMAT:
        return f"its format is {manifest.get('format')}, and this version reads {FORMAT}"
    try:
        Manifest.model_validate(manifest)
    except ValidationError as error:
        first = error.errors()[0]
        return f"`{'.'.join(map(str, first['loc']))}`: {first['msg']}"
    return ""
