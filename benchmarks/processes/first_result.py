"""`python -m benchmarks.processes.first_result ENGINE SPEC FOLDER BATCH`: from saved weights to the first result.

With `cnnspec` it loads the artefact in FOLDER; with `nnx` it does what such a program by hand does: it makes the module
without values, reads the weights that `save_nnx` wrote, and jits. It prints a line when the result is there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def with_cnnspec(spec: str, folder: Path) -> Callable[[Any], Any]:
    import cnnspec

    artefact = cnnspec.load(folder)
    return lambda images: artefact.infer(images)["logits"]


def with_nnx(spec: str, folder: Path) -> Callable[[Any], Any]:
    from safetensors.numpy import load_file

    from benchmarks import handwritten

    weights = load_file(folder / "weights.safetensors")
    run, state = handwritten.inference(spec, lambda path, leaf: weights[path])
    return lambda images: run(state, images)


def main() -> None:
    engine, spec, folder, batch = sys.argv[1:]
    run = {"cnnspec": with_cnnspec, "nnx": with_nnx}[engine](spec, Path(folder))

    import numpy as np

    from benchmarks.networks import find, images

    logits = np.asarray(run(images(find(spec), int(batch))))
    assert np.isfinite(logits).all()
    print(f"logits {logits.shape}", flush=True)


if __name__ == "__main__":
    main()
