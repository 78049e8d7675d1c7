"""Networks while they train, ours and the peers': statistics of the batch, running averages, auxiliary heads.

Both sides get the same weights and images, and drop nothing: rates are set to zero. Where a peer takes up the unbiased
variance, ours does too, and both keep the same share of the old statistics, so that what a step makes of them compares.
`python -m tests.parity.training` writes the peers' outputs, and a number for each of their statistics, for the tests
that need no peer.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from cnnspec.compiled import Compiled, compile
from cnnspec.weights.fetching import layers_of
from cnnspec.weights.importing import family_slug
from cnnspec.weights.keras_files import renumbered
from cnnspec.weights.layouts import convert, export
from cnnspec.weights.names import Mapped, match_names, require_complete
from cnnspec.weights.rule import rules_for
from cnnspec.weights.synthetic import generator, synthetic_inputs, synthetic_weights
from tests.parity.pairs import FOLDER, Pair, pairs

BATCH = 4
SIDE = 96  # pixels, at least: on the smallest maps a statistic of four images must still be one
SIDES = {"inception_v4": 203, "inception_resnet_v2": 203}
MOMENTUM = 0.9

#: Added to the shift of every batch normalisation. Statistics of the batch multiply what rounding makes different by more
#: than one at each layer, since a rectifier takes half away: by 1.13 in a plain network, so that deep ones would show nothing else.
LIFT = 0.5

#: What a peer calls its outputs in training, where it gives several.
OUTPUTS = {"logits": "logits", "aux_logits": "aux", "aux_logits1": "aux1", "aux_logits2": "aux2"}


@dataclass(frozen=True)
class Step:
    """What one forward pass in training gives: outputs by name, and the statistics after it by our paths."""

    outputs: dict[str, np.ndarray]
    statistics: dict[str, np.ndarray]

    def digest(self) -> dict[str, np.ndarray]:
        """The outputs, and of each statistic its product with a vector of signs that belongs to its path."""
        signs = {
            path: np.sign(generator("signs", path).standard_normal(v.shape)) for path, v in self.statistics.items()
        }
        sums = [float((v.astype(np.float64) * signs[p]).sum() / v.size) for p, v in sorted(self.statistics.items())]
        return {**{f"output {name}": value for name, value in self.outputs.items()}, "statistics": np.array(sums)}


def training_pairs() -> dict[str, Pair]:
    """One pair a family and convention, at a size at which its smallest maps still have a statistic."""
    found: dict[str, Pair] = {}
    for pair in (pair for pair in pairs() if pair.training):
        if pair.size and pair.peer != "keras":  # keras' constructors have their size in them
            pair = replace(pair, size=max(pair.size, SIDES.get(pair.spec, SIDE)))
        found[pair.name] = pair
    return found


def stored(name: str) -> Path:
    return FOLDER / "training" / f"{name}.npz"


def network_of(pair: Pair) -> Compiled:
    """Our network with nothing dropped, and running averages as the peer counts them."""
    loaded = compile(pair.spec, set=pair.settings).loaded
    variance = "biased" if pair.peer == "keras" else "unbiased"

    def calm(op: Any) -> Any:
        if op.key in ("dropout", "drop_path"):
            return op.model_copy(update={"rate": 0.0})
        if op.key == "batch_norm":
            return op.model_copy(update={"running_variance": variance, "momentum": MOMENTUM})
        return op

    nodes = tuple(replace(node, op=calm(node.op)) for node in loaded.graph.nodes)
    return Compiled(replace(loaded, graph=loaded.graph.with_nodes(nodes)))


def _weights_and_image(pair: Pair, network: Compiled) -> tuple[dict[str, np.ndarray], np.ndarray]:
    image = next(iter(synthetic_inputs(network.inference_program.graph, BATCH).values()))
    weights = synthetic_weights(network.graph, gain=pair.gain)
    for node in network.graph.nodes:
        if node.op.key == "batch_norm" and "bias" in node.parameters:
            weights[node.parameters["bias"]] += LIFT
    return weights, image


def our_step(pair: Pair) -> Step:
    network = network_of(pair)
    weights, image = _weights_and_image(pair, network)
    params, state = network.split(weights)

    @jax.jit
    def step(params: Any, state: Any, image: Any) -> Any:
        return network.apply(params, state, image, rng=jax.random.key(0), train=True)

    outputs, after = step(params, state, image)
    return Step(*({name: np.asarray(v) for name, v in side.items()} for side in (outputs, after)))


def peer_step(pair: Pair) -> Step:
    network = network_of(pair)
    weights, image = _weights_and_image(pair, network)
    return (_keras_step if pair.peer == "keras" else _torch_step)(pair, network, weights, image)


def _mapped(pair: Pair, network: Compiled, names: list[str]) -> Mapped:
    mapped = match_names(network.graph, names, rules_for(pair.peer, family_slug(network.loaded), pair.spec), pair.peer)
    require_complete(mapped, pair.peer)
    return mapped


def _statistics(network: Compiled, arrays: dict[str, Any], mapped: Mapped, peer: str) -> dict[str, np.ndarray]:
    found = convert(network.graph, arrays, mapped, peer)
    return {path: found[path] for path, parameter in network.graph.parameters.items() if not parameter.trainable}


def _torch_step(pair: Pair, network: Compiled, weights: dict[str, np.ndarray], image: np.ndarray) -> Step:
    import torch

    from tests.parity.peers import torchvision

    names: dict[str, Any] = {"torch": torch, "torchvision": torchvision()}
    if pair.peer == "timm":
        import timm

        names["timm"] = timm
    model = eval(pair.constructor, names).train()  # a constructor of our own data file
    for module in model.modules():
        if type(module).__name__ in ("Dropout", "Dropout2d", "StochasticDepth"):
            module.p = 0.0
        elif isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = 1 - MOMENTUM
        if hasattr(module, "drop_rate"):
            module.drop_rate = 0.0
    arrays = {name: value for name, value in model.state_dict().items() if not name.endswith("num_batches_tracked")}
    mapped = _mapped(pair, network, list(arrays))
    shapes = {name: tuple(value.shape) for name, value in arrays.items()}
    for name, value in export(network.graph, weights, shapes, mapped, pair.peer).items():
        arrays[name].copy_(torch.tensor(value))  # the state dict's tensors are the model's own
    with torch.no_grad():
        given = model(torch.tensor(image).permute(0, 3, 1, 2).contiguous())
    named = given._asdict() if hasattr(given, "_asdict") else {"logits": given}
    outputs = {OUTPUTS[name]: np.asarray(value.numpy()) for name, value in named.items()}
    return Step(outputs, _statistics(network, {n: v.numpy() for n, v in arrays.items()}, mapped, pair.peer))


def _keras_step(pair: Pair, network: Compiled, weights: dict[str, np.ndarray], image: np.ndarray) -> Step:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras

    model = eval(pair.constructor, {"keras": keras})  # a constructor of our own data file
    for layer in layers_of(model):
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
        elif isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = MOMENTUM
    variables = renumbered({f"{layer.name}/{w.name}": w for layer in layers_of(model) for w in layer.weights})
    mapped = _mapped(pair, network, list(variables))
    shapes = {name: tuple(v.shape) for name, v in variables.items()}
    for name, value in export(network.graph, weights, shapes, mapped, "keras").items():
        variables[name].assign(value)
    logits = np.asarray(model(image * pair.input_scale, training=True))
    return Step(
        {"logits": logits}, _statistics(network, {n: np.asarray(v) for n, v in variables.items()}, mapped, "keras")
    )


def main() -> None:
    """Store what the peers give, for all pairs or those whose name holds the argument."""
    for name, pair in training_pairs().items():
        if all(word in name for word in sys.argv[1:]):
            theirs = peer_step(pair).digest()
            stored(name).parent.mkdir(exist_ok=True)
            np.savez_compressed(stored(name), **{key: value.astype(np.float32) for key, value in theirs.items()})
            ours = our_step(pair).digest()
            reached = {k: float(np.abs(ours[k] - v).max() / np.abs(v).max()) for k, v in theirs.items() if v.size}
            print(name, {key: f"{value:.1e}" for key, value in reached.items()}, flush=True)


if __name__ == "__main__":
    main()
