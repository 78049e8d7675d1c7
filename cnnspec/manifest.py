"""`manifest.json` of an artefact: what it has to hold, and what those who write and who load an artefact share."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cnnspec.diagnostics import Diagnostic, SpecError
from cnnspec.lower.derive import arguments_of
from cnnspec.lower.loops import stack_layout

if TYPE_CHECKING:
    from cnnspec.compiled import Compiled

#: The format that is written, and those that are read: 2 knows one layout of kernels more.
FORMAT, FORMATS = 2, (1, 2)
#: The files whose hashes it has.
FILES = ("program.stablehlo", "weights.safetensors", "spec.yaml", "report.md")


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
    if manifest.get("format") not in FORMATS:
        return f"its format is {manifest.get('format')}, and this version reads {', '.join(map(str, FORMATS))}"
    try:
        Manifest.model_validate(manifest)
    except ValidationError as error:
        first = error.errors()[0]
        return f"`{'.'.join(map(str, first['loc']))}`: {first['msg']}"
    return ""


def called_with(compiled: Compiled) -> dict[str, Any]:
    """The entries that say what the program is called with, and how that is made of the weights."""
    program = compiled.inference_program
    return {
        "arguments": arguments_of(program.graph),
        "derived": {path: asdict(derived) for path, derived in program.graph.derived.items()},
        "stacks": stack_layout(program.loops),
    }


def sha256(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refusal(code: str, message: str, help: str = "") -> SpecError:
    """An artefact that cannot be written or read."""
    return SpecError([Diagnostic(code, message, None, help)])
