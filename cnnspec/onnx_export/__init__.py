"""ONNX from the canonical graph: one file that every ONNX runtime runs, for any batch size.

`rules/` holds one small file an op, found by name; `writer` turns a graph into nodes, `model` into a file. The package
`onnx` is an optional extra, and is imported when something is exported.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnspec.diagnostics import Diagnostic, SpecError

if TYPE_CHECKING:
    from cnnspec.compiled import Compiled
    from cnnspec.graph import Graph

#: A file of protocol buffers cannot be larger; what is no weight takes far less than the last MiB.
MOST_BYTES = 2**31 - 2**20


def export_onnx(
    compiled: Compiled, path: str | Path, params: Mapping[str, Any], state: Mapping[str, Any], *, trained: str = ""
) -> Path:
    """Write the inference network as one ONNX file; `trained` says where the weights come from (empty: nowhere).

    **Shape**: feature maps go in and come out as `[N, C, H, W]`, vectors as `[N, C]`; N is free. An output in
    bfloat16 goes out as float32, which numpy can read.
    **Errors**: `SpecError` E815 without the package `onnx`, E816 where the file would exceed 2 GiB, E818 for an op
    that ONNX has no rule for, E807 where it cannot be written.

    **Example**:

    ```python
    network = cnnspec.compile("resnet50")
    cnnspec.export_onnx(network, "resnet50.onnx", *network.init(seed=0))
    ```
    """
    check_possible(compiled.graph)
    from cnnspec.onnx_export.model import save_model

    return save_model(compiled, Path(path), params, state, trained)


def check_possible(graph: Graph) -> None:
    """Raise `SpecError` where the network cannot be exported here: E815, E816."""
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise _error("E815", "exporting to ONNX needs the package onnx", "pip install 'cnnspec[onnx]'") from None
    size = 4 * sum(prod(parameter.shape) for parameter in graph.parameters.values())
    if size > MOST_BYTES:
        raise _error("E816", f"an ONNX file holds 2 GiB, and the weights take {size / 2**30:.1f}",
                     "use a smaller variant of the network, or the artefact that `cnnspec compile` writes")  # fmt: skip


def _error(code: str, message: str, help: str) -> SpecError:
    return SpecError([Diagnostic(code, message, None, help)])
