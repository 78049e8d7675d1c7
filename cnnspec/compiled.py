"""The compiled network: pure functions over flat mappings of arrays, for training and for inference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from math import log
from pathlib import Path
from typing import Any, Literal

import jax

from cnnspec.cache import enable_compilation_cache
from cnnspec.diagnostics import Diagnostic, SpecError
from cnnspec.frontend import LoadedSpec, load_spec
from cnnspec.graph import Graph
from cnnspec.lower import onednn
from cnnspec.lower.derive import arguments_of, derive
from cnnspec.lower.forms.choose import Choice, choose_all
from cnnspec.lower.forms.layouts import laid_out
from cnnspec.lower.forms.memory import Memory, network_signature, remembered
from cnnspec.lower.fuse import fuse
from cnnspec.lower.initialise import initial_values, missing_and_unexpected
from cnnspec.lower.loops import find_loops, stack, stack_layout
from cnnspec.lower.native import Native, concrete
from cnnspec.lower.program import Program, check_inputs
from cnnspec.lower.running import Arrays
from cnnspec.lower.tiles import in_tiles, tile_size, widest_activation
from cnnspec.lower.training import TrainingFunction, joined
from cnnspec.lower.xla import Jitted, Options, compiler_options
from cnnspec.passes.pipeline import Stage, run_passes
from cnnspec.scaling import Factors

#: Convolutions in loops from which inference compiles so much faster that a loop pays.
LOOP_LAYERS = 300

ComputeType = Literal["float32", "bfloat16"]


class Compiled:
    """A network as pure functions.

    `apply(params, state, inputs, *, rng, train)` is for training and for anything that transforms; `prepare` and
    `infer` are for inference. Parameters and state are flat mappings from path (`stage1.0.conv1.kernel`) to array.
    """

    def __init__(self, loaded: LoadedSpec, dtype: ComputeType = "float32", memory: Memory | None = None) -> None:
        """`memory` is what was measured of this machine; without it, what `cnnspec compile --tune` remembered."""
        enable_compilation_cache()
        self.loaded = loaded
        self.dtype = dtype
        self.memory = remembered() if memory is None else memory

    @property
    def graph(self) -> Graph:
        """The canonical graph, with what exists only in training."""
        return self.loaded.graph

    @cached_property
    def train_stages(self) -> list[Stage]:
        """The graph after each pass for training."""
        return run_passes(self.graph, "train", self.dtype)

    @cached_property
    def infer_stages(self) -> list[Stage]:
        """The graph after each pass for inference."""
        return run_passes(self.graph, "infer", self.dtype)

    @cached_property
    def program(self) -> Program:
        """The program of `apply`."""
        return Program(self.train_stages[-1].graph)

    def choices(self, platform: str = "cpu", batch: int | None = None, native: bool = False) -> dict[str, Choice]:
        """The form of every node of inference and why, by path; without `batch`, that of the portable program.

        With `native`, those of the programs of this process (`native`).
        """
        return choose_all(self.infer_graph, platform, batch=batch, memory=self.memory, native=native)

    @property
    def infer_graph(self) -> Graph:
        """The last graph for inference, before the kernels get the layouts of their forms."""
        return self.infer_stages[-1].graph

    def usual(self) -> Compiled:
        """The same network as a machine computes it of which nothing was measured: what an artefact holds."""
        return Compiled(self.loaded, self.dtype, Memory())

    @property
    def tuned(self) -> bool:
        """Whether anything that was measured of this machine changes how the network is computed here."""
        known = self._signature in self.memory.tiles or (self._signature in self.memory.native and self.may_be_native)
        return known or any(forms != self._forms[None] for forms in self._forms.values())

    @cached_property
    def _forms(self) -> dict[int | None, dict[str, str]]:
        """The form of every node by its path, for each batch that was measured; under `None` by the thresholds."""
        batches = {batch for by_batch in self.memory.forms.values() for batch in by_batch}
        return {b: {path: c.form for path, c in self.choices("cpu", b).items()} for b in (None, *sorted(batches))}

    @cached_property
    def inference_program(self) -> Program:
        """The portable program of `infer`, in the forms that are fast on most CPUs; on accelerators each is the plain one."""
        forms: dict[str, set[str]] = {}
        for chosen in self._forms.values():
            for path, form in chosen.items():
                forms.setdefault(path, set()).add(form)
        graph = laid_out(self.infer_graph, forms)
        return Program(graph, self._forms[None], find_loops(graph, LOOP_LAYERS))

    @cached_property
    def compiler_options(self) -> Options:
        """The options of XLA with which inference is fastest on this machine: `jax.jit(f, compiler_options=...)`.

        `infer` has them by itself; they are for functions of your own around `inference_function`.
        """
        return compiler_options()

    def program_for(self, batch: Any) -> Program:
        """The portable program for a batch on this machine: in the forms that were measured to be the fastest here."""
        measured = [known for known in self._forms if known is not None]
        if not isinstance(batch, int) or not measured:
            return self.inference_program
        return replace(
            self.inference_program, forms=self._forms[min(measured, key=lambda known: abs(log(known / batch)))]
        )

    @property
    def may_be_native(self) -> bool:
        """Whether oneDNN could compute this network here, which `--tune` finds out."""
        return self.dtype == "float32" and not self.inference_program.loops and onednn.available()

    @cached_property
    def native(self) -> Native:
        """Inference by programs of this process, which call oneDNN; for `infer`, and for `cnnspec.lower.trial`."""
        return Native(self.native_program, self.compiler_options)

    def native_tile(self, batch: Any) -> int | None:
        """The tile in which `infer` computes a batch by oneDNN; `None` where it was never seen to, and does not."""
        found = self.memory.native.get(self._signature, {}) if self.memory.native else {}
        return found.get(batch) if found and self.may_be_native else None

    @cached_property
    def _signature(self) -> str:
        return network_signature(self.infer_graph)

    def native_program(self, batch: int) -> Program:
        """The program that calls oneDNN, for a tile of `batch` images."""
        forms = {path: choice.form for path, choice in self.choices("cpu", batch, native=True).items()}
        convolutions = {path for path, form in forms.items() if form == "onednn"}
        return Program(fuse(self.inference_program.graph, convolutions), forms)

    def tile(self, batch: int) -> int:
        """Images of a batch that `infer` computes at a time on a CPU."""
        measured = self.native_tile(batch) or self.memory.tile(self._signature, batch)
        return measured or tile_size(widest_activation(self.infer_graph))

    def training(
        self, remat: Sequence[str] = (), kind: Callable[[str], object] = lambda path: None,
        recorded: Mapping[str, Any] | None = None,
    ) -> TrainingFunction:  # fmt: skip
        """The function that a training step differentiates: what `apply` computes, in forms with fast gradients.

        What lies under the paths of `remat` is computed again for the gradient instead of being kept. Parameters may be
        held stacked (`TrainingFunction.stack`), but never with others of another `kind` (frozen and learned ones, say).
        `recorded` is what `TrainingFunction.record` gave for an earlier run, to be the same again.
        """
        return TrainingFunction(self.train_stages[-1].graph, remat, kind, recorded)

    def init(self, seed: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
        """Initial parameters and state, as numpy arrays, each keyed by path."""
        return initial_values(self.graph, seed)

    def apply(
        self, params: Arrays, state: Arrays, inputs: Any, *, rng: Any = None, train: bool = False,
        features: Sequence[str] = (),
    ) -> tuple[dict[str, Any], dict[str, Any]]:  # fmt: skip
        """Run the network: the declared outputs (and the features asked for by path), and the new state.

        Not jitted: wrap it, or what you build of it, in `jax.jit`. Without `train`, outputs that exist only in
        training are computed too where their inputs are given; `infer` leaves them out.
        """
        return self.program.apply(params, state, inputs, rng=rng, train=train, features=features)

    def prepare(self, params: Arrays, state: Arrays) -> dict[str, Any]:
        """What inference needs of the weights, computed once and put on the device."""
        graph = self.inference_program.graph
        derived = derive(arguments_of(graph), graph.derived, {**params, **state})
        stacked = stack(stack_layout(self.inference_program.loops), derived, joined)
        return {path: jax.device_put(array) for path, array in stacked.items()}

    def prepared_shapes(self, params: Arrays, state: Arrays) -> dict[str, Any]:
        """The shapes and types of what `prepare` gives, without computing it."""
        graph = self.inference_program.graph
        both = {**params, **state}
        shapes = {}
        for path in arguments_of(graph):
            shape, dtype = (
                (both[path].shape, both[path].dtype) if path in both else (graph.derived[path].shape, "float32")
            )
            shapes[path] = jax.ShapeDtypeStruct(shape, dtype)
        return dict(stack(stack_layout(self.inference_program.loops), shapes, joined))

    def infer(self, prepared: Arrays, inputs: Any, *, features: Sequence[str] = ()) -> dict[str, Any]:
        """The outputs for a batch, jitted. Where that was measured to be faster, by oneDNN (`native`), but under a
        transformation of JAX, and with `features`, by the portable program."""
        if self.memory.native and not features:
            given = check_inputs(self.inference_program.graph, inputs)
            tile = self.native_tile(next(iter(given.values())).shape[0])
            if tile is not None and concrete(prepared, given):
                return self.native(prepared, given, tile)
        outputs: dict[str, Any] = self._infer(prepared, inputs, tuple(features))
        return outputs

    def inference_function(self, prepared: Arrays, inputs: Any, features: tuple[str, ...] = ()) -> dict[str, Any]:
        """The pure function behind `infer`, for `jax.jit`, export and other transformations."""
        batch = next(iter(inputs.values())).shape[0] if isinstance(inputs, Mapping) else inputs.shape[0]
        outputs, _ = self.program_for(batch).apply(prepared, prepared, inputs, features=features)
        return outputs

    def warm(self, params: Arrays, state: Arrays, batch: int = 1) -> None:
        """Compile `infer` ahead of time for a batch size; the compilation cache keeps the result."""
        graph = self.inference_program.graph
        weights = self.prepared_shapes(params, state)
        inputs = {e.name: jax.ShapeDtypeStruct((batch, *e.type.shape), e.type.dtype) for e in graph.inputs}
        tile = self.native_tile(batch)
        if tile is not None:
            self.native.warm(weights, inputs, tile)
        else:
            self._infer.compile(weights, inputs, ())

    def tiled_inference(self, prepared: Arrays, inputs: Any, features: tuple[str, ...] = ()) -> Any:
        """`inference_function`, a large batch in tiles on a CPU: what `infer` jits."""
        function = partial(self.inference_function, features=features)
        given = check_inputs(self.inference_program.graph, inputs)
        return in_tiles(function, prepared, given, self.tile(next(iter(given.values())).shape[0]))

    @cached_property
    def _infer(self) -> Jitted:
        return Jitted(self.tiled_inference, self.compiler_options, static_argnums=(2,))

    def split(self, arrays: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Arrays by path as parameters and state; raises `SpecError` (E803) where they are not this network's."""
        missing, unexpected, wrong = missing_and_unexpected(self.graph, arrays)
        lists = (("are missing", missing), ("are not of this network", unexpected), ("have another shape", wrong))
        found = [
            Diagnostic("E803", f"{len(names)} of the weights {what}: {', '.join(names[:6])}"
                       + (" ..." if len(names) > 6 else ""), None, "`cnnspec weights transfer` keeps what still fits")
            for what, names in lists
            if names
        ]  # fmt: skip
        if found:
            raise SpecError(found)
        table = self.graph.parameters
        return (
            {path: array for path, array in arrays.items() if table[path].trainable},
            {path: array for path, array in arrays.items() if not table[path].trainable},
        )


def compile(
    spec: str | Path | Mapping[str, Any] | LoadedSpec,
    *,
    set: Mapping[str, Any] | None = None,
    scale: Factors | None = None,
    dtype: ComputeType = "float32",
) -> Compiled:
    """A network from a spec: a path, a name of the zoo, YAML text, or a mapping.

    **Errors**: `SpecError` with every diagnostic of the spec.

    **Example**:

    ```python
    network = cnnspec.compile("resnet50", set={"classes": 10})
    params, state = network.init(seed=0)
    logits = network.infer(network.prepare(params, state), images)["logits"]
    ```
    """
    loaded = spec if isinstance(spec, LoadedSpec) else load_spec(spec, set=set, scale=scale)
    return Compiled(loaded, dtype)
