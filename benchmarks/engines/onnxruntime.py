"""onnxruntime with its default options on the ONNX file that `cnnspec compile --target onnx` writes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.engines import Contender
from benchmarks.networks import Network, images

NAME = "onnxruntime"
LABEL = "onnxruntime"
NEEDS = ("onnxruntime", "onnx")
ENVIRONMENT = {"CNNSPEC_CACHE": "off"}
KINDS = ("inference",)


def has(network: Network) -> bool:
    return True


def inference(network: Network, batch: int) -> Contender:
    import numpy as np
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{network.spec}.onnx"
        # In a process of its own, so that no thread of JAX lives beside those of onnxruntime.
        command = [sys.executable, "-m", "cnnspec", "compile", network.spec, "--target", "onnx", "--output", str(path)]
        subprocess.run(command, check=True, stdout=sys.stderr)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    x = np.ascontiguousarray(images(network, batch).transpose(0, 3, 1, 2))
    name = session.get_inputs()[0].name
    return Contender({"run": lambda: session.run(["logits"], {name: x})}, lambda outputs: outputs[0])
