"""The compiled network: pure functions over flat mappings of arrays, for training and for inference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import jax

from cnnspec.cache import enable_compilation_cache
from cnnspec.diagnostics import Diagnostic, SpecError
from cnnspec.frontend import LoadedSpec, load_spec
from cnnspec.graph import Graph
from cnnspec.lower.derive import arguments_of, derive
from cnnspec.lower.forms.choose import Choice, choose_all
from cnnspec.lower.initialise import initial_values, missing_and_unexpected
from cnnspec.lower.loops import find_loops, stack, stack_layout
from cnnspec.lower.program import Program, check_inputs
from cnnspec.lower.running import Arrays
from cnnspec.lower.tiles import in_tiles, tile_size, widest_activation
from cnnspec.lower.training import TrainingFunction, joined
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

    def __init__(
        self, loaded: LoadedSpec, dtype: ComputeType = "float32", measured: Mapping[str, str] | None = None,
        tile: int | None = None,
    ) -> None:  # fmt: skip
        enable_compilation_cache()
        self.loaded = loaded
        self.dtype = dtype
        #: Forms by path that were found fastest on this machine (`cnnspec.tune`).
        self.measured = dict(measured or {})
        self._tile = tile

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

    def choices(self, platform: str = "cpu") -> dict[str, Choice]:
        """The form of every node of inference and why, by path."""
        measured = self.measured if platform == "cpu" else {}
        return choose_all(self.infer_stages[-1].graph, platform, measured=measured)

    @cached_property
    def inference_program(self) -> Program:
        """The program of `infer`, in the forms that are fast on a CPU; on accelerators each is the plain one."""
        graph = self.infer_stages[-1].graph
        forms = {path: choice.form for path, choice in self.choices().items()}
        return Program(graph, forms, find_loops(graph, LOOP_LAYERS))

    @cached_property
    def tile(self) -> int:
        """Images that `infer` computes at a time on a CPU; larger batches are cut."""
        return self._tile or tile_size(widest_activation(self.infer_stages[-1].graph))

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
        for node in graph.nodes:
            types = graph.types_into(node)
            for name, path in node.parameters.items():
                dtype = both[path].dtype if path in both else "float32"
                shapes[path] = jax.ShapeDtypeStruct(node.op.parameters(*types)[name].shape, dtype)
        return dict(stack(stack_layout(self.inference_program.loops), shapes, joined))

    def infer(self, prepared: Arrays, inputs: Any, *, features: Sequence[str] = ()) -> dict[str, Any]:
        """The outputs for a batch, jitted."""
        outputs: dict[str, Any] = self._infer(prepared, inputs, tuple(features))
        return outputs

    def inference_function(self, prepared: Arrays, inputs: Any, features: tuple[str, ...] = ()) -> dict[str, Any]:
        """The pure function behind `infer`, for `jax.jit`, export and other transformations."""
        outputs, _ = self.inference_program.apply(prepared, prepared, inputs, features=features)
        return outputs

    def warm(self, params: Arrays, state: Arrays, batch: int = 1) -> None:
        """Compile `infer` ahead of time for a batch size; the compilation cache keeps the result."""
        graph = self.inference_program.graph
        weights = self.prepared_shapes(params, state)
        inputs = {e.name: jax.ShapeDtypeStruct((batch, *e.type.shape), e.type.dtype) for e in graph.inputs}
        self._infer.lower(weights, inputs, ()).compile()

    @cached_property
    def _infer(self) -> Any:
        def run(prepared: Arrays, inputs: Any, features: tuple[str, ...]) -> Any:
            function = partial(self.inference_function, features=features)
            return in_tiles(function, prepared, check_inputs(self.inference_program.graph, inputs), self.tile)

        return jax.jit(run, static_argnums=(2,))

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
