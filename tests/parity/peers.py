"""Peers, built and run with our weights: torchvision and timm by torch, keras on JAX."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from cnnspec.weights.fetching import layers_of
from cnnspec.weights.importing import family_slug
from cnnspec.weights.keras_files import renumbered
from cnnspec.weights.layouts import export
from cnnspec.weights.names import match_names, require_complete
from cnnspec.weights.rule import rules_for
from cnnspec.weights.synthetic import synthetic_inputs, synthetic_weights
from tests.parity.pairs import BATCH, Pair, compiled


def torchvision() -> Any:
    """torchvision, also where its compiled part is not installed: two of its operators are declared, not built."""
    import torch

    try:
        import torchvision
    except (RuntimeError, ImportError):
        library = torch.library.Library("torchvision", "FRAGMENT")  # lives as long as the process
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision
    return torchvision


def peer_logits(pair: Pair) -> np.ndarray:
    """The peer's logits on the synthetic weights and inputs."""
    network = compiled(pair)
    weights = synthetic_weights(network.graph, gain=pair.gain)
    image = next(iter(synthetic_inputs(network.inference_program.graph, BATCH).values()))
    run = _keras if pair.peer == "keras" else _torch
    return run(pair, network, weights, image)


def _rules(pair: Pair, network: Any, names: list[str]) -> Any:
    rules = rules_for(pair.peer, family_slug(network.loaded), network.loaded.document.name, pair.rules_file)
    mapped = match_names(network.graph, names, rules, pair.peer)
    require_complete(mapped, pair.peer)
    return mapped


def _torch(pair: Pair, network: Any, weights: Any, image: np.ndarray) -> np.ndarray:
    import torch

    model = _torch_model(pair, network, weights)
    with torch.no_grad():
        outputs = model(torch.tensor(image).permute(0, 3, 1, 2).contiguous())
    return np.asarray((outputs[0] if isinstance(outputs, tuple) else outputs).numpy())


def with_our_weights(pair: Pair) -> Any:
    """The peer's network, of torch, with the synthetic weights."""
    network = compiled(pair)
    return _torch_model(pair, network, synthetic_weights(network.graph, gain=pair.gain))


def _torch_model(pair: Pair, network: Any, weights: Any) -> Any:
    import torch

    names: dict[str, Any] = {"torch": torch}
    if pair.peer == "torchvision":
        names["torchvision"] = torchvision()
    else:
        torchvision()
        import timm

        names["timm"] = timm
    model = eval(pair.constructor, names).eval()  # a constructor of our own data file
    arrays = {name: value for name, value in model.state_dict().items() if not name.endswith("num_batches_tracked")}
    mapped = _rules(pair, network, list(arrays))
    shapes = {name: tuple(value.shape) for name, value in arrays.items()}
    for name, value in export(network.graph, weights, shapes, mapped, pair.peer).items():
        arrays[name].copy_(torch.tensor(value))  # the state dict's tensors are the model's own
    return model


def _keras(pair: Pair, network: Any, weights: Any, image: np.ndarray) -> np.ndarray:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras

    model = eval(pair.constructor, {"keras": keras})  # a constructor of our own data file
    variables = renumbered({f"{layer.name}/{w.name}": w for layer in layers_of(model) for w in layer.weights})
    mapped = _rules(pair, network, list(variables))
    shapes = {name: tuple(v.shape) for name, v in variables.items()}
    for name, value in export(network.graph, weights, shapes, mapped, "keras").items():
        variables[name].assign(value)
    return np.asarray(model(image * pair.input_scale, training=False))
