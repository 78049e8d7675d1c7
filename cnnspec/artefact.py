"""The artefact of a compiled network: a folder that runs elsewhere, without the spec's files and without Python code.

    program.stablehlo     the portable program for cpu, cuda and tpu; any batch size; weights are arguments
    weights.safetensors   parameters and state by path
    spec.yaml             the merged spec
    manifest.json         hashes, versions, inputs, outputs, counts
    report.md             the same for people

`cnnspec.artefact_writing` writes it; here it is loaded. Nothing is pickled. Every file's hash stands in the manifest and
is checked when the folder is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from safetensors import SafetensorError
from safetensors.numpy import load_file

from cnnspec.cache import enable_compilation_cache
from cnnspec.compiled import Compiled, compile
from cnnspec.document import InputSpec
from cnnspec.graph import Derived
from cnnspec.lower.derive import derive
from cnnspec.lower.forms.memory import Memory, remembered
from cnnspec.lower.loops import stack
from cnnspec.lower.tiles import in_tiles, tile_size
from cnnspec.lower.training import joined
from cnnspec.lower.xla import Jitted, Options, compiler_options
from cnnspec.manifest import FILES, called_with, misfit, refusal, sha256


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

    @property
    def compiler_options(self) -> Options:
        """The options of XLA with which a function around `run` is fastest here: `jax.jit(f, compiler_options=...)`."""
        return compiler_options()

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
            raise refusal("E802", f"{path} is missing", "compile the artefact again")
        if sha256(path) != expected:
            raise refusal(
                "E802", f"{path} is damaged: it is not the file that was written", "compile the artefact again"
            )
    try:
        weights = dict(load_file(folder / "weights.safetensors"))
    except (SafetensorError, OSError, ValueError) as error:
        raise refusal("E802", f"the weights cannot be read: {error}", "compile the artefact again") from None
    missing = [path for path in manifest["weights"] if path not in weights]
    if missing:
        raise refusal(
            "E803", f"{len(missing)} weights are missing: {', '.join(missing[:6])}", "compile the artefact again"
        )
    call, manifest, note = _program(folder, manifest)
    return Artefact(folder, manifest, weights, call, note)


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    if not path.is_file():
        raise refusal("E801", f"{folder} is no artefact: it has no manifest.json", "`cnnspec compile FILE` makes one")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        wrong = misfit(manifest)
        if not wrong and set(manifest["files"]) != set(FILES):
            wrong = "it names other files"
        if wrong:
            raise ValueError(wrong)
    except (ValueError, RecursionError) as error:
        raise refusal("E801", f"{path} is not the manifest of an artefact: {error}", "compile it again") from None
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
            return compiled.infer, manifest | called_with(compiled), ""
    try:
        exported = export.deserialize(bytearray((folder / "program.stablehlo").read_bytes()))
        return _jitted(exported.call, manifest), manifest, ""
    except Exception as error:  # JAX says in many ways that a serialised program is of another time
        reason = str(error).split("\n")[0][:120]
    compiled = _compile_again(folder, manifest)
    if compiled is None:
        raise refusal("E804", f"the program cannot be read ({reason}), and the bundled spec is of another network",
                     "compile the artefact again")  # fmt: skip
    return (
        compiled.infer,
        manifest | called_with(compiled),
        f"the program was made anew from the bundled spec: {reason}",
    )


def _compile_again(folder: Path, manifest: dict[str, Any]) -> Compiled | None:
    """The bundled spec compiled here; `None` where it has other weights than the artefact."""
    compiled = compile((folder / "spec.yaml").read_text(encoding="utf-8"), dtype=manifest["compute_type"])
    return compiled if sorted(compiled.inference_program.graph.parameters) == sorted(manifest["weights"]) else None


def _jitted(program: Callable[..., Any], manifest: Mapping[str, Any]) -> Jitted:
    tile = tile_size(manifest["widest_activation"])

    def run(weights: Mapping[str, Any], inputs: Mapping[str, Any]) -> Any:
        return in_tiles(program, weights, inputs, tile)

    return Jitted(run, compiler_options())
