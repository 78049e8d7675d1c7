"""`python -m benchmarks.processes.save_nnx SPEC FOLDER`: what `cnnspec compile` does, by hand with Flax and JAX.

Weights and a portable program for cpu, cuda and tpu with any batch size are written, and it is compiled for this
machine.
"""

from __future__ import annotations

import sys
from pathlib import Path

import jax
import numpy as np
from jax import export
from safetensors.numpy import save_file

from benchmarks import handwritten
from benchmarks.networks import find, images


def main() -> None:
    spec, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    network = find(spec)
    run, state = handwritten.inference(spec)
    arrays = {handwritten.path_of(path): leaf for path, leaf in jax.tree.leaves_with_path(state)}
    kept = {path: np.asarray(array) for path, array in arrays.items() if array.dtype == np.float32}
    save_file(kept, folder / "weights.safetensors")
    (batch,) = export.symbolic_shape("b", constraints=["b >= 1"])
    shape = jax.ShapeDtypeStruct((batch, network.pixels, network.pixels, 3), np.float32)
    graphless = jax.jit(lambda arrays, x: run(jax.tree.unflatten(jax.tree.structure(state), arrays), x))
    exported = export.export(graphless, platforms=["cpu", "cuda", "tpu"])(jax.tree.leaves(state), shape)
    (folder / "program.stablehlo").write_bytes(exported.serialize())
    run.lower(state, images(network, 1)).compile()


if __name__ == "__main__":
    main()
