"""Files of keras: `.weights.h5` of keras 3, which numbers the arrays of a layer, and the older `.h5`, which names them.

Both become `layer/array`, as a live model has it: `block1_conv1/kernel`, `conv1_bn/moving_mean`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from cnnspec.diagnostics import Diagnostic, SpecError

Array = np.ndarray[Any, np.dtype[Any]]

_BATCH_NORM = ("gamma", "beta", "moving_mean", "moving_variance")

#: Class of a layer, as the groups of the file are called -> its arrays in the order of the file.
_ARRAYS: dict[str, tuple[str, ...]] = {
    "conv2d": ("kernel", "bias"), "depthwise_conv2d": ("kernel", "bias"), "dense": ("kernel", "bias"),
    "separable_conv2d": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "normalization": ("mean", "variance", "count"),
}  # fmt: skip


def read_keras(path: Path) -> dict[str, Array]:
    """The arrays of a keras file by `layer/array`; raises `SpecError` (E813) where it cannot be read."""
    try:
        import h5py
    except ImportError:
        raise _error("reading keras' files needs h5py", "pip install 'cnnspec[import]'") from None
    found: dict[str, Array] = {}
    try:
        with h5py.File(path, "r") as file:
            found = _numbered(file, h5py) if "layers" in file else _named(file)
    except (OSError, KeyError, ValueError, AttributeError) as error:
        raise _error(f"{path.name} cannot be read: {error}", "is it complete, and a file of keras?") from None
    if not found:
        raise _error(f"{path.name} holds no arrays", "save it with `model.save_weights('NAME.weights.h5')`")
    return renumbered(found)


def _error(message: str, help: str = "") -> SpecError:
    return SpecError([Diagnostic("E813", message, None, help)])


def _numbered(file: Any, h5py: Any) -> dict[str, Array]:
    """keras 3: `layers/conv2d_3/vars/0`; what the layer is called is an attribute of `vars`."""
    groups: dict[str, Any] = {}
    file.visititems(lambda name, item: groups.update({name: item}) if name.endswith("/vars") else None)
    found: dict[str, Array] = {}
    for path, group in groups.items():
        arrays = [np.asarray(group[key]) for key in sorted(group, key=int) if isinstance(group[key], h5py.Dataset)]
        if not arrays:
            continue
        layer = group.attrs.get("name")
        if layer is None:
            raise _error("the file does not keep the names of the layers, as keras did before 3.4",
                         "load it into the model with a newer keras, and save it again")  # fmt: skip
        kind = re.sub(r"_\d+$", "", path.split("/")[-2])
        for name, array in zip(_names(kind, len(arrays)), arrays, strict=True):
            found[f"{layer}/{name}"] = array
    return found


def _names(kind: str, count: int) -> tuple[str, ...]:
    """What the arrays of a layer are called; a batch normalisation without scale or shift has the last ones."""
    if kind == "batch_normalization":
        return _BATCH_NORM if count == 4 else ("beta", *_BATCH_NORM[2:]) if count == 3 else _BATCH_NORM[2:]
    known = _ARRAYS.get(kind, ())
    return known[:count] if count <= len(known) else tuple(map(str, range(count)))


def _named(file: Any) -> dict[str, Array]:
    """Before keras 3: attributes list the layers and their arrays; in a file of a whole model under `model_weights`."""
    root = file.get("model_weights", file)
    found: dict[str, Array] = {}
    for layer in map(_text, root.attrs.get("layer_names", ())):
        for path in map(_text, root[layer].attrs.get("weight_names", ())):
            name = path.rsplit("/", 1)[-1].split(":")[0]
            if oldest := re.fullmatch(r".*_(W|b)(_\d+)?", name):
                name = {"W": "kernel", "b": "bias"}[oldest[1]]
            found[f"{layer.replace('/', '_')}/{name}"] = np.asarray(root[layer][path])
    return found


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


#: What keras calls a layer that was given no name; a number counts those of the process.
_AUTOMATIC = re.compile(
    r"(conv2d|batch_normalization|dense|depthwise_conv2d|separable_conv2d|normalization)(?:_(\d+))?"
)


def renumbered(arrays: dict[str, Any]) -> dict[str, Any]:
    """Arrays by `layer/array`, with layers that keras numbered itself counted from the first, `conv2d`, `conv2d_1`.

    The numbers grow in the order in which the layers were made, but begin wherever the process had come to.
    """
    places = _places({name.split("/")[0] for name in arrays})
    return {"/".join([places.get(name.split("/")[0], name.split("/")[0]), *name.split("/")[1:]]): array
            for name, array in arrays.items()}  # fmt: skip


def _places(layers: Iterable[str]) -> dict[str, str]:
    numbers: dict[str, list[int]] = {}
    for layer in layers:
        if automatic := _AUTOMATIC.fullmatch(layer):
            numbers.setdefault(automatic[1], []).append(int(automatic[2] or 0))
    return {
        f"{kind}_{number}" if number else kind: f"{kind}_{place}" if place else kind
        for kind, found in numbers.items()
        for place, number in enumerate(sorted(found))
    }
