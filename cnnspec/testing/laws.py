"""The laws that every network keeps, each as a function that raises `AssertionError` where it is broken.

They hold for every spec that the checker accepts; the strategies of this package look for one where they do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cnnspec.diagnostics import Report, Source
from cnnspec.frontend import LoadedSpec, load_spec
from cnnspec.graph import Graph, Input, print_graph
from cnnspec.source import dump, parse, plain
from cnnspec.types import TensorType


def expansion_keeps_the_graph(loaded: LoadedSpec) -> None:
    """The expanded text is a spec of its own that elaborates to the same printed graph, and expands to itself."""
    source = Source("<expanded>", loaded.expanded)
    tree = parse(source, Report())
    assert tree is not None, "the expanded text is not YAML"
    assert dump(plain(tree)) == loaded.expanded, "reading the expanded text and writing it gives another text"
    again = load_spec(loaded.expanded)
    assert print_graph(again.graph) == print_graph(loaded.graph), "the expanded spec means another network"
    assert again.expanded == loaded.expanded, "expanding twice gives another text"


def counts_are_those_of_the_arrays(loaded: LoadedSpec) -> None:
    """The parameters and the state counted are the elements of the initial arrays."""
    from cnnspec.lower.initialise import initial_values

    params, state = initial_values(loaded.graph)
    totals = loaded.totals
    learned, kept = sum(a.size for a in params.values()), sum(a.size for a in state.values())
    assert learned == totals.params + totals.training_params, f"{learned} learned numbers, and the counts differ"
    assert kept == totals.state + totals.training_state, f"{kept} numbers of state, and the counts differ"
    for path, array in {**params, **state}.items():
        assert array.shape == loaded.graph.parameters[path].shape, f"`{path}` has the shape {array.shape}"


def inferred_shapes_are_those_of_the_trace(loaded: LoadedSpec) -> None:
    """The type inferred for every node is what `jax.eval_shape` finds, at inference and in training."""
    import jax

    from cnnspec.lower.program import Program

    graph = loaded.graph
    program, params, state, inputs = Program(graph), *_abstract_arrays(graph), _abstract_inputs(graph, 2)
    types = {node.path: _typed(graph, node.path) for node in graph.nodes}
    types |= {f"{n.path}:{port}": t for n in graph.nodes if len(n.types) > 1 for port, t in enumerate(n.types)}
    ops = {node.path: node.op.key for node in graph.nodes}
    for train in (False, True):

        def run(params: Any, state: Any, inputs: Any, key: Any, train: bool = train) -> Any:
            return program.apply(params, state, inputs, rng=key, train=train, features=list(types))

        traced, new_state = jax.eval_shape(run, params, state, inputs, jax.ShapeDtypeStruct((2,), "uint32"))
        for path, expected in types.items():
            _same(path, ops[path.split(":")[0]], traced[path], expected, 2)
        for path, before in state.items():
            assert new_state[path].shape == before.shape, f"training changes the shape of `{path}`"


def the_module_has_the_counted_parameters(loaded: LoadedSpec) -> None:
    """The parameters and the state of the Flax module, by path, are those that were counted."""
    from flax import nnx

    from cnnspec.lower.module import build

    model = build(loaded)
    totals = loaded.totals
    learned = sum(int(variable[...].size) for _, variable in model.variables() if isinstance(variable, nnx.Param))
    every = sum(int(variable[...].size) for _, variable in model.variables())
    assert learned == totals.params + totals.training_params, f"the module has {learned} parameters"
    assert every - learned == totals.state + totals.training_state, f"the module has {every - learned} numbers of state"
    assert {path for path, _ in model.variables()} == set(loaded.graph.parameters), "the module has other paths"


def a_run_gives_the_inferred_shapes(loaded: LoadedSpec) -> None:
    """A run on numbers gives arrays of the inferred types, without anything that is not a number."""
    import numpy as np

    from cnnspec.lower.program import Program
    from cnnspec.weights.synthetic import synthetic_inputs, synthetic_weights

    graph = loaded.graph
    weights = synthetic_weights(graph)
    state = {path: weights.pop(path) for path, p in graph.parameters.items() if not p.trainable}
    outputs, _ = Program(graph).apply(weights, state, synthetic_inputs(graph, 2))
    for name, ref in graph.outputs.items():
        _same(name, "output", outputs[name], graph.type_of(ref), 2)
        assert not np.isnan(np.asarray(outputs[name], np.float32)).any(), f"`{name}` holds what is not a number"


def jit_keeps_the_outputs(loaded: LoadedSpec) -> None:
    """The compiled program gives what the program gives node by node."""
    import jax

    from cnnspec.lower.program import Program
    from cnnspec.weights.synthetic import synthetic_inputs, synthetic_weights

    graph = loaded.graph
    weights, inputs = synthetic_weights(graph), synthetic_inputs(graph, 2)
    state = {path: weights.pop(path) for path, p in graph.parameters.items() if not p.trainable}
    program = Program(graph)
    plain, _ = program.apply(weights, state, inputs)
    compiled, _ = jax.jit(program.apply)(weights, state, inputs)
    _close(plain, compiled, _half(graph))


def the_module_gives_what_the_program_gives(loaded: LoadedSpec) -> None:
    """The Flax module in evaluation mode and the compiled inference agree."""
    from cnnspec.compiled import Compiled
    from cnnspec.lower.module import build
    from cnnspec.weights.synthetic import synthetic_inputs, synthetic_weights

    compiled, weights = Compiled(loaded), synthetic_weights(loaded.graph)
    inputs = {name: x for name, x in synthetic_inputs(loaded.graph, 2).items() if name in _needed(loaded)}
    found = build(loaded, weights=weights)(inputs)
    outputs = compiled.infer(compiled.prepare(*compiled.split(weights)), inputs)
    _close(found if isinstance(found, dict) else {next(iter(outputs)): found}, outputs, _half(loaded.graph))


def the_artefact_gives_what_the_network_gives(loaded: LoadedSpec) -> None:
    """What is saved and loaded gives the same outputs, for batches of one and of several."""
    import tempfile
    from pathlib import Path

    from cnnspec.artefact import load
    from cnnspec.artefact_writing import save
    from cnnspec.compiled import Compiled
    from cnnspec.weights.synthetic import synthetic_inputs, synthetic_weights

    compiled = Compiled(loaded)
    params, state = compiled.split(synthetic_weights(loaded.graph))
    with tempfile.TemporaryDirectory() as folder:
        save(compiled, Path(folder) / "artefact", params, state)
        artefact = load(Path(folder) / "artefact")
        for batch in (1, 3):
            inputs = {name: x for name, x in synthetic_inputs(loaded.graph, batch).items() if name in _needed(loaded)}
            outputs = compiled.infer(compiled.prepare(params, state), inputs)
            _close(artefact(inputs), outputs, _half(loaded.graph))


#: The laws that need no run, and those that do.
STATIC: tuple[Callable[[LoadedSpec], None], ...] = (expansion_keeps_the_graph, counts_are_those_of_the_arrays)
DYNAMIC: tuple[Callable[[LoadedSpec], None], ...] = (
    inferred_shapes_are_those_of_the_trace,
    a_run_gives_the_inferred_shapes,
)
COMPILED: tuple[Callable[[LoadedSpec], None], ...] = (
    the_module_has_the_counted_parameters,
    jit_keeps_the_outputs,
    the_module_gives_what_the_program_gives,
    the_artefact_gives_what_the_network_gives,
)


def _needed(loaded: LoadedSpec) -> set[str]:
    return {entry.name for entry in loaded.graph.inputs if not entry.optional}


def _half(graph: Graph) -> bool:
    """Whether anything is computed in bfloat16."""
    return any(t.dtype == "bfloat16" for node in graph.nodes for t in node.types)


def _close(found: Mapping[str, Any], expected: Mapping[str, Any], half: bool) -> None:
    """The same outputs, as near as rounding allows."""
    import numpy as np

    assert set(found) == set(expected), f"the outputs are {sorted(found)}, not {sorted(expected)}"
    for name, value in expected.items():
        a, b = np.asarray(value, np.float32), np.asarray(found[name], np.float32)
        assert a.shape == b.shape, f"`{name}` has the shape {b.shape}, not {a.shape}"
        scale = float(np.abs(a).max(initial=1.0))
        assert np.allclose(a, b, rtol=0.05 if half else 1e-3, atol=(0.05 if half else 1e-4) * scale), (
            f"`{name}` differs by {np.abs(a - b).max()}, where numbers go up to {scale}"
        )


def _typed(graph: Graph, path: str) -> TensorType:
    """The type of what is asked for by a path: a block's path stands for its output."""
    ref = graph.scopes.get(path)
    return graph.type_of(ref) if ref is not None else graph.by_path[path].type


def _same(path: str, what: str, array: Any, expected: TensorType, batch: int) -> None:
    shape, dtype = tuple(array.shape), str(array.dtype)
    wanted = (batch, *expected.shape)
    assert shape == wanted, f"`{path}` ({what}) was inferred as {wanted}, and is {shape}"
    assert dtype == expected.dtype, f"`{path}` ({what}) was inferred as {expected.dtype}, and is {dtype}"


def _abstract_arrays(graph: Graph) -> tuple[dict[str, Any], dict[str, Any]]:
    import jax

    made = {path: jax.ShapeDtypeStruct(p.shape, "float32") for path, p in graph.parameters.items()}
    learned = {path: array for path, array in made.items() if graph.parameters[path].trainable}
    return learned, {path: array for path, array in made.items() if path not in learned}


def _abstract_inputs(graph: Graph, batch: int) -> dict[str, Any]:
    import jax

    def abstract(entry: Input) -> Any:
        return jax.ShapeDtypeStruct((batch, *entry.type.shape), entry.type.dtype)

    return {entry.name: abstract(entry) for entry in graph.inputs if not entry.optional}
