"""Ejected files in tests: written, imported as a module of its own, compared with the compiled network."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from safetensors.numpy import save_file

from cnnspec.compiled import Compiled
from cnnspec.eject import eject
from cnnspec.passes.specialise import for_inference
from cnnspec.weights.synthetic import synthetic_inputs, synthetic_weights
from tests.export.onnx_running import assert_close

RUFF = Path(sys.executable).with_name("ruff")
CONFIG = Path(__file__).parents[2] / "pyproject.toml"


def write(compiled: Compiled, folder: Path) -> tuple[Path, dict[str, Any]]:
    """The ejected file, and weights beside it."""
    path = folder / f"{compiled.loaded.document.name}.py"
    path.write_text(eject(compiled.loaded))
    weights = synthetic_weights(compiled.graph)
    save_file(weights, folder / "weights.safetensors")
    return path, weights


def import_file(path: Path) -> ModuleType:
    """The file as a module; it must not import cnnspec."""
    assert "import cnnspec" not in path.read_text()
    assert "from cnnspec" not in path.read_text()
    spec = importlib.util.spec_from_file_location(f"ejected_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def outputs_of(found: Any, names: list[str]) -> dict[str, Any]:
    return found if isinstance(found, dict) else {names[0]: found}


def _call(model: Any, given: list[Any]) -> Any:
    return model(*given)


def compare_inference(
    compiled: Compiled, module: ModuleType, folder: Path, weights: dict[str, Any], nonzero: bool = True
) -> None:
    """The ejected network in evaluation mode gives what the compiled one gives."""
    inputs = synthetic_inputs(for_inference(compiled.graph), 2)
    expected = compiled.infer(compiled.prepare(*compiled.split(weights)), inputs)
    model = module.load(str(folder / "weights.safetensors"))
    # A thousand layers one after the other would be compiled for many minutes.
    run = nnx.jit(_call) if len(compiled.graph.nodes) < 2000 else _call
    found = run(model, list(inputs.values()))
    found = outputs_of(found, list(compiled.graph.outputs))
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert_close(found[name], value, nonzero=nonzero)


def compare_training(compiled: Compiled, module: ModuleType, folder: Path, weights: dict[str, Any]) -> None:
    """In training mode, outputs and running statistics are those of `apply`; for networks that draw nothing."""
    params, state = compiled.split(weights)
    graph = compiled.graph
    inputs = {
        **synthetic_inputs(graph, 4),
        **{e.name: np.arange(4, dtype=np.int32) for e in graph.inputs if e.optional},
    }
    expected, new_state = jax.jit(lambda p, s, x: compiled.apply(p, s, x, rng=jax.random.key(0), train=True))(
        params, state, inputs
    )
    model = module.load(str(folder / "weights.safetensors"))
    model.train()
    given = [jnp.asarray(inputs[entry.name]) for entry in graph.inputs]
    found = outputs_of(nnx.jit(_call)(model, given), list(graph.outputs))
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert_close(found[name], value, 2e-4)
    for path, value in new_state.items():
        assert_close(module.variable(model, path.split("."))[...], value, 2e-4)


def check_form(path: Path) -> None:
    """The file is as the project's formatter writes it, and its linter has nothing to say."""
    for command in (["format", "--check"], ["check"]):  # a file, or a folder of them
        done = subprocess.run(
            [RUFF, *command, "--no-cache", "--config", CONFIG, path], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
