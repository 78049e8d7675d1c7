"""Writes the artefact of a compiled network: the folder that `cnnspec.artefact` describes and loads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import save_file

from cnnspec.compiled import Compiled
from cnnspec.files import folder_written_whole
from cnnspec.lower.tiles import widest_activation
from cnnspec.manifest import FILES, FORMAT, called_with, refusal, sha256
from cnnspec.report import report_text

PLATFORMS = ("cpu", "cuda", "tpu")


def export_program(compiled: Compiled, prepared: Mapping[str, Any], platforms: Sequence[str] = PLATFORMS) -> bytes:
    """The inference program in its portable form: weights as arguments, any batch size."""
    from jax import export

    (batch,) = export.symbolic_shape("b", constraints=["b >= 1"])
    graph = compiled.inference_program.graph
    weights = {path: jax.ShapeDtypeStruct(a.shape, a.dtype) for path, a in prepared.items()}
    inputs = {
        entry.name: jax.ShapeDtypeStruct((batch, *entry.type.shape), jnp.dtype(entry.type.dtype))
        for entry in graph.inputs
    }
    exported = export.export(jax.jit(compiled.inference_function), platforms=list(platforms))(weights, inputs)
    return bytes(exported.serialize())


def save(
    compiled: Compiled,
    folder: str | Path,
    params: Mapping[str, Any],
    state: Mapping[str, Any],
    *,
    trained: str = "",
    labels: Sequence[str] = (),
    force: bool = False,
) -> Path:
    """Write an artefact; `trained` says where the weights come from (empty: nowhere, they are initial values).

    `labels` name the classes of the first output.
    The folder is filled beside its place and then renamed; an artefact that is there is replaced whole.
    **Errors**: `SpecError` E805 where something else is there (unless `force`), E807 where it cannot be written.
    """
    folder = Path(folder)
    if (
        folder.exists()
        and not (folder / "manifest.json").is_file()
        and not force
        and (not folder.is_dir() or any(folder.iterdir()))
    ):
        raise refusal("E805", f"{folder} is there already, and is no artefact", "choose another --output, or --force")
    try:
        with folder_written_whole(folder) as beside:
            # What was measured of this machine stays here: another one would be slowed by it.
            _fill(compiled.usual(), beside, params, state, trained, labels)
    except OSError as error:
        raise refusal(
            "E807", f"{folder} cannot be written: {error.strerror or error}", "is there room, and the right to?"
        ) from None
    return folder


def _fill(
    compiled: Compiled, folder: Path, params: Mapping[str, Any], state: Mapping[str, Any], trained: str,
    labels: Sequence[str],
) -> None:  # fmt: skip
    weights = {path: np.ascontiguousarray(array) for path, array in {**params, **state}.items()}
    save_file(weights, folder / "weights.safetensors")
    (folder / "weights.safetensors").chmod(folder.stat().st_mode & 0o666)
    shapes = compiled.prepared_shapes(params, state)
    (folder / "program.stablehlo").write_bytes(export_program(compiled, shapes))
    (folder / "spec.yaml").write_text(compiled.loaded.expanded, encoding="utf-8")
    manifest = _manifest(compiled, trained) | {"labels": list(labels)}
    (folder / "report.md").write_text(report_text(compiled, manifest), encoding="utf-8")
    manifest["files"] = {name: sha256(folder / name) for name in FILES}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _manifest(compiled: Compiled, trained: str) -> dict[str, Any]:
    loaded, graph = compiled.loaded, compiled.inference_program.graph
    counts = loaded.totals
    return {
        "format": FORMAT,
        "name": loaded.document.name,
        "trained": trained,
        "compute_type": compiled.dtype,
        "platforms": list(PLATFORMS),
        "inputs": {
            entry.name: {
                "shape": list(entry.type.shape),
                "dtype": entry.type.dtype,
                "spec": loaded.document.inputs[entry.name].model_dump(exclude_none=True, mode="json"),
            }
            for entry in graph.inputs
        },
        "outputs": {name: list(graph.type_of(ref).shape) for name, ref in graph.outputs.items()},
        "weights": list(compiled.inference_program.graph.parameters),
        "widest_activation": widest_activation(graph),
        **called_with(compiled),
        "counts": {"params": counts.params, "state": counts.state, "macs": counts.macs, "flops": counts.flops},
        "versions": {name: version(name) for name in ("cnnspec", "jax", "jaxlib", "flax", "numpy")},
    }
