"""The artefact of a compiled network: a folder that runs elsewhere, without the spec's files and without Python code.

    program.stablehlo     the portable program for cpu, cuda and tpu; any batch size; weights are arguments
    weights.safetensors   parameters and state by path
    spec.yaml             the merged spec
    manifest.json         hashes, versions, inputs, outputs, counts
    report.md             the same for people

Nothing is pickled. Every file's hash stands in the manifest and is checked when the folder is loaded.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from cnnspec.cache import enable_compilation_cache
from cnnspec.compiled import Compiled, compile
from cnnspec.diagnostics import Diagnostic, SpecError
from cnnspec.document import InputSpec
from cnnspec.files import folder_written_whole
from cnnspec.graph import Derived
from cnnspec.lower.derive import arguments_of, derive
from cnnspec.lower.forms.memory import Memory, remembered
from cnnspec.lower.loops import stack, stack_layout
from cnnspec.lower.tiles import in_tiles, tile_size, widest_activation
from cnnspec.lower.training import joined
from cnnspec.manifest import FORMAT, misfit
from cnnspec.report import report_text

PLATFORMS = ("cpu", "cuda", "tpu")
FILES = ("program.stablehlo", "weights.safetensors", "spec.yaml", "report.md")


def _error(code: str, message: str, help: str = "") -> SpecError:
    return SpecError([Diagnostic(code, message, None, help)])


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
        raise _error("E805", f"{folder} is there already, and is no artefact", "choose another --output, or --force")
    try:
        with folder_written_whole(folder) as beside:
            # What was measured of this machine stays here: another one would be slowed by it.
            _fill(compiled.usual(), beside, params, state, trained, labels)
    except OSError as error:
        raise _error(
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
    manifest["files"] = {name: _sha256(folder / name) for name in FILES}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _inference_paths(compiled: Compiled) -> list[str]:
    return list(compiled.inference_program.graph.parameters)


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
        "weights": _inference_paths(compiled),
        "widest_activation": widest_activation(graph),
        **_arguments(compiled),
        "counts": {"params": counts.params, "state": counts.state, "macs": counts.macs, "flops": counts.flops},
        "versions": {name: version(name) for name in ("cnnspec", "jax", "jaxlib", "flax", "numpy")},
    }


def _arguments(compiled: Compiled) -> dict[str, Any]:
    """What the program is called with, and how that is made of the weights."""
    program = compiled.inference_program
    return {
        "arguments": arguments_of(program.graph),
        "derived": {path: asdict(derived) for path, derived in program.graph.derived.items()},
        "stacks": stack_layout(program.loops),
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass
class Artefact:
    """A loaded artefact: call it, or `infer`, on a batch."""

    folder: Path
    manifest: dict[str, Any]
    weights: dict[str, Any]
    _call: Any
    #: Set where the program was exported again, because the installed JAX cannot read the one in the folder.
    note: str = ""

    @property
    def labels(self) -> list[str]:
        """Names of the classes; empty where nobody named them."""
        return list(self.manifest.get("labels", ()))

    @property
    def trained(self) -> str:
        """Where the weights come from; empty for a network that was never trained."""
        return str(self.manifest["trained"])

    def input_spec(self, name: str | None = None) -> InputSpec:
        """How an input is made from an image."""
        inputs = self.manifest["inputs"]
        chosen = inputs[name or next(iter(inputs))]["spec"]
        return InputSpec.model_validate(chosen)

    def infer(self, inputs: Any) -> dict[str, Any]:
        """The outputs for a batch of any size; **Errors**: `ValueError` for an input of another shape."""
        given = inputs if isinstance(inputs, Mapping) else {next(iter(self.manifest["inputs"])): inputs}
        arrays = {}
        for name, entry in self.manifest["inputs"].items():
            if name not in given:
                raise ValueError(f"the input `{name}` is missing")
            array = jnp.asarray(given[name], jnp.dtype(entry["dtype"]))
            if list(array.shape[1:]) != entry["shape"]:
                raise ValueError(
                    f"the input `{name}` should be [N, {', '.join(map(str, entry['shape']))}], and is {list(array.shape)}"
                )
            arrays[name] = array
        return self.run(self.prepared, arrays)

    __call__ = infer

    @cached_property
    def prepared(self) -> dict[str, Any]:
        """What the program needs of the weights, computed once and put on the device."""
        table = {path: Derived(**entry) for path, entry in self.manifest["derived"].items()}
        derived = derive(self.manifest["arguments"], table, self.weights)
        stacked = stack({key: tuple(paths) for key, paths in self.manifest["stacks"].items()}, derived, joined)
        return {path: jax.device_put(array) for path, array in stacked.items()}

    def run(self, prepared: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The program as a function of `prepared` and its inputs, for use inside other jitted functions."""
        outputs: dict[str, Any] = self._call(prepared, inputs)
        return outputs


def load(folder: str | Path) -> Artefact:
    """Load an artefact.

    **Errors**: `SpecError` E801 no artefact, E802 a file is missing or damaged, E803 weights of another network.
    """
    enable_compilation_cache()
    folder = Path(folder)
    manifest = _read_manifest(folder)
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise _error("E802", f"{path} is missing", "compile the artefact again")
        if _sha256(path) != expected:
            raise _error(
                "E802", f"{path} is damaged: it is not the file that was written", "compile the artefact again"
            )
    try:
        weights = dict(load_file(folder / "weights.safetensors"))
    except (SafetensorError, OSError, ValueError) as error:
        raise _error("E802", f"the weights cannot be read: {error}", "compile the artefact again") from None
    missing = [path for path in manifest["weights"] if path not in weights]
    if missing:
        raise _error(
            "E803", f"{len(missing)} weights are missing: {', '.join(missing[:6])}", "compile the artefact again"
        )
    call, manifest, note = _program(folder, manifest)
    return Artefact(folder, manifest, weights, call, note)


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    if not path.is_file():
        raise _error("E801", f"{folder} is no artefact: it has no manifest.json", "`cnnspec compile FILE` makes one")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        wrong = misfit(manifest)
        if not wrong and set(manifest["files"]) != set(FILES):
            wrong = "it names other files"
        if wrong:
            raise ValueError(wrong)
    except (ValueError, RecursionError) as error:
        raise _error("E801", f"{path} is not the manifest of an artefact: {error}", "compile it again") from None
    return dict(manifest)


Program = tuple[Callable[..., Any], dict[str, Any], str]


def _program(folder: Path, manifest: dict[str, Any]) -> Program:
    """The program as a jitted function, the manifest with its arguments, and a note.

    It is lowered again from the bundled spec where other forms were measured to be faster on this machine, and where
    this JAX cannot read the program.
    """
    from jax import export

    memory = remembered()
    if memory != Memory() and jax.default_backend() == "cpu":
        compiled = _compile_again(folder, manifest)
        if compiled is not None and compiled.tuned:
            return _program_of(compiled, manifest, "")
    try:
        exported = export.deserialize(bytearray((folder / "program.stablehlo").read_bytes()))
        return _in_tiles(exported.call, tile_size(manifest["widest_activation"])), manifest, ""
    except Exception as error:  # JAX says in many ways that a serialised program is of another time
        reason = str(error).split("\n")[0][:120]
    compiled = _compile_again(folder, manifest)
    if compiled is None:
        raise _error("E804", f"the program cannot be read ({reason}), and the bundled spec is of another network",
                     "compile the artefact again")  # fmt: skip
    return _program_of(compiled, manifest, f"the program was made anew from the bundled spec: {reason}")


def _compile_again(folder: Path, manifest: dict[str, Any]) -> Compiled | None:
    """The bundled spec compiled here; `None` where it has other weights than the artefact."""
    compiled = compile((folder / "spec.yaml").read_text(encoding="utf-8"), dtype=manifest["compute_type"])
    return compiled if sorted(_inference_paths(compiled)) == sorted(manifest["weights"]) else None


def _in_tiles(program: Callable[..., Any], tile: int) -> Callable[..., Any]:
    def run(weights: Mapping[str, Any], inputs: Mapping[str, Any]) -> Any:
        return in_tiles(program, weights, inputs, tile)

    jitted: Callable[..., Any] = jax.jit(run)
    return jitted


def _program_of(compiled: Compiled, manifest: dict[str, Any], note: str) -> Program:
    return compiled.infer, manifest | _arguments(compiled), note


def class_output(outputs: Mapping[str, Any]) -> str | None:
    """The first output that holds a score for each class of each image; `None` where there is none."""
    names = ("logits", "lengths", "distances", "output", "probabilities")
    return next((name for name, values in outputs.items() if name in names and np.ndim(values) == 2), None)


def top_classes(outputs: Mapping[str, Any], most: int) -> list[list[tuple[int, float]]]:
    """For each image the most probable classes and their probabilities, from the first output.

    Logits go through a softmax; lengths of capsules are probabilities already; of distances the smallest is the best.
    """
    name = class_output(outputs)
    if name is None:
        raise ValueError("no output is the scores of classes")
    values = outputs[name]
    scores = np.asarray(values, np.float64)
    if name == "distances":
        scores = -scores
    if name in ("logits", "output", "distances"):
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
    order = np.argsort(-scores, axis=-1, kind="stable")[:, :most]
    return [[(int(c), float(row[c])) for c in best] for best, row in zip(order, scores, strict=True)]


def is_finite(outputs: Mapping[str, Any]) -> bool:
    """Whether every number that came out is finite."""
    return all(math.isfinite(float(np.abs(np.asarray(value, np.float64)).max())) for value in outputs.values())
