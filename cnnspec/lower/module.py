"""The Flax face of a network: an NNX module whose parameter paths are the node paths of the spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from cnnspec.diagnostics import Diagnostic, SpecError
from cnnspec.frontend import LoadedSpec, load_spec
from cnnspec.graph import Graph
from cnnspec.lower.initialise import initial_values, missing_and_unexpected
from cnnspec.lower.program import Program
from cnnspec.passes.pipeline import run_passes


class Scope(nnx.Module):  # type: ignore[misc]  # flax has no types
    """One level of a path: holds what stands below it, under the names of the spec."""


class Network(nnx.Module):  # type: ignore[misc]  # flax has no types
    """A network as an ordinary NNX module.

    Every parameter stands where its path says: `stage1.0.conv1.kernel` is `model.stage1[0].conv1.kernel`. It computes
    in plain forms, so that every JAX transformation works on it. `model.train()` and `model.eval()` switch between
    batch and running statistics, and dropout on and off; a new model is in evaluation mode.

    **Shape**: each input `[N, ...]` with the shape of the spec; the output of a network with one output is an array,
    else a mapping of names to arrays.
    """

    def __init__(self, program: Program, infer: Program, values: Mapping[str, Any], rngs: nnx.Rngs) -> None:
        self._program = nnx.static(program) if hasattr(nnx, "static") else program
        self._infer = nnx.static(infer) if hasattr(nnx, "static") else infer
        self.deterministic = True
        self.use_running_average = True
        table = program.graph.parameters
        tree: dict[str, Any] = {}
        for path, value in values.items():
            *scopes, leaf = path.split(".")
            level = tree
            for name in scopes:
                level = level.setdefault(name, {})
            kind = nnx.Param if table[path].trainable else nnx.BatchStat
            level[leaf] = kind(jnp.asarray(value))
        for name, item in tree.items():
            setattr(self, name, _module_of(item))
        self.rngs = rngs.fork() if hasattr(rngs, "fork") else rngs

    def __call__(self, inputs: Any, *, features: Sequence[str] = (), rngs: nnx.Rngs | None = None) -> Any:
        """Run the network on a batch; `features` are paths of nodes whose outputs are wanted as well."""
        train = not self.deterministic
        variables = dict(self.variables())
        params = {path: variable[...] for path, variable in variables.items()}
        program = self._program if train or self._wants_training(features) else self._infer
        source = rngs or self.rngs
        rng = source.dropout() if train else None
        given = inputs if isinstance(inputs, Mapping) else {program.graph.inputs[0].name: inputs}
        known = {entry.name for entry in program.graph.inputs}
        optional = {entry.name for entry in self._program.graph.inputs if entry.optional}
        given = {name: value for name, value in given.items() if name in known or name not in optional}
        outputs, state = program.apply(params, params, given, rng=rng, train=train, features=features)
        if train and not self.use_running_average:
            for path, parameter in program.graph.parameters.items():
                if not parameter.trainable:
                    variables[path][...] = state[path]
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def _wants_training(self, features: Sequence[str]) -> bool:
        return any(name not in self._infer.graph.scopes and name not in self._infer.graph.by_path for name in features)

    def variables(self) -> Iterator[tuple[str, Any]]:
        """Every variable with its path."""
        for path in self._program.graph.parameters:
            item: Any = self
            for name in path.split("."):
                item = item[int(name)] if isinstance(item, nnx.List) else getattr(item, name)
            yield path, item


def _module_of(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    if item and all(name.isdigit() for name in item) and sorted(map(int, item)) == list(range(len(item))):
        return nnx.List([_module_of(item[str(i)]) for i in range(len(item))])
    scope = Scope()
    for name, inner in item.items():
        setattr(scope, name, _module_of(inner))
    return scope


def build(
    spec: str | Path | Mapping[str, Any] | LoadedSpec,
    *,
    rngs: nnx.Rngs | int = 0,
    set: Mapping[str, Any] | None = None,
    weights: Mapping[str, Any] | None = None,
) -> Network:
    """A Flax NNX module from a spec: a path, a name of the zoo, YAML text, or a mapping.

    `rngs` seeds the initial values and later dropout; `weights` are arrays by path to begin with instead.

    **Errors**: `SpecError` with every diagnostic of the spec; E803 where the weights are not this network's.

    **Example**:

    ```python
    model = cnnspec.build("resnet18", rngs=nnx.Rngs(0), set={"classes": 10})
    logits = model(images)
    ```
    """
    loaded = spec if isinstance(spec, LoadedSpec) else load_spec(spec, set=set)
    graph = loaded.graph
    rngs = nnx.Rngs(rngs) if isinstance(rngs, int) else rngs
    program = Program(run_passes(graph, "train")[-1].graph)
    infer = Program(run_passes(graph, "module")[-1].graph)
    values = dict(weights) if weights is not None else _initial(program.graph, rngs)
    missing, unexpected, wrong = missing_and_unexpected(program.graph, values)
    if missing or unexpected or wrong:
        names = ", ".join([*missing, *unexpected, *wrong][:6])
        raise SpecError([Diagnostic("E803", f"the weights are not those of this network: {names}")])
    return Network(program, infer, values, rngs)


def _initial(graph: Graph, rngs: nnx.Rngs) -> dict[str, Any]:
    """Initial values that follow from the key of `rngs.params`."""
    key = jax.random.key_data(rngs.params())
    seed = int.from_bytes(bytes(jax.device_get(key).tobytes()), "little")
    params, state = initial_values(graph, seed)
    return {path: params[path] if path in params else state[path] for path in graph.parameters}


def parameters_of(model: Network) -> dict[str, Any]:
    """The arrays of a model by path."""
    return {path: variable[...] for path, variable in model.variables()}


def load_parameters(model: Network, arrays: Mapping[str, Any]) -> None:
    """Put arrays, by path, into a model."""
    for path, variable in model.variables():
        variable[...] = jnp.asarray(arrays[path])
