"""Checkpoints as peers write them, made without the peers: names by their patterns, values all different."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

Array = np.ndarray


class _Values:
    """Arrays whose numbers differ from array to array."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(0)

    def __call__(self, *shape: int) -> Array:
        return self.random.uniform(0.1, 1, shape).astype(np.float32)


def resnet18_of_torchvision() -> dict[str, Array]:
    """The state dict of torchvision's ResNet-18: 62 arrays of weights and statistics of 20 norms, with their counters."""
    values, found = _Values(), {}

    def norm(name: str, channels: int) -> None:
        for leaf in ("weight", "bias", "running_mean", "running_var"):
            found[f"{name}.{leaf}"] = values(channels)
        found[f"{name}.num_batches_tracked"] = np.zeros((), np.int64)

    found["conv1.weight"] = values(64, 3, 7, 7)
    norm("bn1", 64)
    before = 64
    for stage, width in enumerate((64, 128, 256, 512), 1):
        for block in (0, 1):
            path = f"layer{stage}.{block}"
            found[f"{path}.conv1.weight"] = values(width, before, 3, 3)
            norm(f"{path}.bn1", width)
            found[f"{path}.conv2.weight"] = values(width, width, 3, 3)
            norm(f"{path}.bn2", width)
            if before != width:
                found[f"{path}.downsample.0.weight"] = values(width, before, 1, 1)
                norm(f"{path}.downsample.1", width)
            before = width
    found["fc.weight"], found["fc.bias"] = values(1000, 512), values(1000)
    return found


def mobilenet_of_keras() -> dict[str, dict[str, Array]]:
    """The layers of keras' MobileNet of width 0.25 with their arrays, in the order of the file."""
    values, found = _Values(), {}

    def norm(name: str, channels: int) -> None:
        found[name] = {n: values(channels) for n in ("gamma", "beta", "moving_mean", "moving_variance")}

    found["conv1"] = {"kernel": values(3, 3, 3, 8)}
    norm("conv1_bn", 8)
    before = 8
    for number, width in enumerate((16, 32, 32, 64, 64, *6 * (128,), 256, 256), 1):
        found[f"conv_dw_{number}"] = {"kernel": values(3, 3, before, 1)}
        norm(f"conv_dw_{number}_bn", before)
        found[f"conv_pw_{number}"] = {"kernel": values(1, 1, before, width)}
        norm(f"conv_pw_{number}_bn", width)
        before = width
    found["conv_preds"] = {"kernel": values(1, 1, 256, 1000), "bias": values(1000)}
    return found


def kind_of(layer: str) -> str:
    """What keras calls the class of a layer of MobileNet in a file."""
    return "batch_normalization" if layer.endswith("_bn") else "depthwise_conv2d" if "_dw_" in layer else "conv2d"


def write_numbered(path: Path, layers: dict[str, dict[str, Array]], names: bool = True) -> Path:
    """As keras 3 writes `.weights.h5`: groups by class and number, arrays by number, the layer's name an attribute."""
    counts: dict[str, int] = {}
    with h5py.File(path, "w") as file:
        for layer, arrays in layers.items():
            kind = kind_of(layer)
            number = counts.setdefault(kind, 0)
            counts[kind] += 1
            group = file.create_group(f"layers/{kind}{f'_{number}' if number else ''}/vars")
            if names:
                group.attrs["name"] = layer
            for place, array in enumerate(arrays.values()):
                group[str(place)] = array
    return path


def write_named(path: Path, layers: dict[str, dict[str, Array]], oldest: bool = False) -> Path:
    """As keras wrote `.h5` before: attributes list the layers and their arrays (the oldest files: `conv1_W_1:0`)."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in layers]
        for layer, arrays in layers.items():
            leaf = {"kernel": f"{layer}_W_1", "bias": f"{layer}_b_1"} if oldest else {}
            names = {f"{layer}/{leaf.get(name, name)}:0": array for name, array in arrays.items()}
            group = file.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, array in names.items():
                group[name] = array
    return path
