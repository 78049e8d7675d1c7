"""The networks as a Flax user would write them with NNX, by its documentation; and how such a user runs them fast.

The module is split once; `jax.jit` sees the state as a plain tree, and the module is merged inside, as the performance
guide of Flax advises. Initial values come from numpy, since every initialiser of an eager module compiles by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod, sqrt
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from benchmarks.handwritten.densenet import DenseNet121
from benchmarks.handwritten.efficientnet import EfficientNetB0
from benchmarks.handwritten.googlenet import GoogLeNet
from benchmarks.handwritten.inception_v3 import InceptionV3
from benchmarks.handwritten.mobilenet_v1 import MobileNetV1
from benchmarks.handwritten.mobilenet_v2 import MobileNetV2
from benchmarks.handwritten.resnet import ResNet50, ResNeXt50
from benchmarks.handwritten.resnet_cifar import ResNetCIFAR
from benchmarks.handwritten.shufflenet_v2 import ShuffleNetV2
from benchmarks.handwritten.squeezenet import SqueezeNet11
from benchmarks.handwritten.vgg import VGG16
from benchmarks.networks import MEAN, STD

#: By the name of our spec.
NETWORKS: dict[str, Callable[..., nnx.Module]] = {
    "vgg16": VGG16,
    "resnet50": ResNet50,
    "resnext50_32x4d": ResNeXt50,
    "mobilenet_v1": MobileNetV1,
    "mobilenet_v2": MobileNetV2,
    "efficientnet_b0": EfficientNetB0,
    "densenet121": DenseNet121,
    "inception_v3": InceptionV3,
    "squeezenet1_1": SqueezeNet11,
    "shufflenet_v2_x1_0": ShuffleNetV2,
    "googlenet_torchvision": GoogLeNet,
    **{f"resnet{6 * n + 2}_cifar": partial(ResNetCIFAR, blocks=n) for n in (3, 9, 18, 200)},
}

#: From the path of an array (`stages.0.1.conv1.conv.kernel`) and its shape to its value.
Values = Callable[[str, Any], Any]


def split(name: str, values: Values | None = None, train: bool = False) -> tuple[Any, Any]:
    """The definition and the state of a network; without `values`, with He-normal kernels."""
    model = nnx.eval_shape(lambda: NETWORKS[name](rngs=nnx.Rngs(0)))
    if not train:
        model.eval()
    graphdef, state = nnx.split(model)
    found = values or he_normal()
    return graphdef, jax.tree.map_with_path(lambda path, leaf: _value(found, path, leaf), state)


def path_of(path: Any) -> str:
    """The name of a leaf of a state."""
    return jax.tree_util.keystr(path, simple=True, separator=".").removesuffix(".value")


def _value(values: Values, path: Any, leaf: Any) -> Any:
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return jax.random.key(0)
    if leaf.dtype == jnp.uint32:  # how many keys were drawn
        return jnp.zeros(leaf.shape, leaf.dtype)
    return jax.device_put(values(path_of(path), leaf))


def he_normal(seed: int = 0) -> Values:
    """Kernels that keep the variance of activations, and norms that do nothing yet."""
    random = np.random.default_rng(seed)

    def value(path: str, leaf: Any) -> Any:
        name = path.rsplit(".", 1)[-1]
        if name == "kernel":
            kernel = random.standard_normal(leaf.shape, np.float32)
            return kernel * np.float32(sqrt(2 / prod(leaf.shape[:-1])))
        return np.full(leaf.shape, float(name in ("scale", "var")), np.float32)

    return value


def inference(name: str, values: Values | None = None) -> tuple[Any, Any]:
    """A jitted function `(state, images) -> logits`, and the state."""
    graphdef, state = split(name, values)

    @jax.jit
    def run(state: Any, images: Any) -> Any:
        return nnx.merge(graphdef, state)(images)

    return run, state


def training(name: str, values: Values | None = None, learning_rate: float = 1e-3) -> tuple[Any, Any]:
    """A jitted step `(state, pixels, labels) -> (state, loss)` that takes its state over, and the state.

    Forward, cross-entropy, gradients, and SGD with momentum.
    """
    model = nnx.merge(*split(name, values, train=True))
    optimizer = nnx.Optimizer(model, optax.sgd(learning_rate, momentum=0.9), wrt=nnx.Param)
    graphdef, state = nnx.split((model, optimizer))

    @partial(jax.jit, donate_argnums=0)
    def step(state: Any, pixels: Any, labels: Any) -> tuple[Any, Any]:
        model, optimizer = nnx.merge(graphdef, state)

        def objective(model: Any) -> Any:
            images = (pixels.astype(jnp.float32) / 255 - jnp.array(MEAN)) / jnp.array(STD)
            return optax.softmax_cross_entropy_with_integer_labels(model(images), labels).mean()

        loss, gradients = nnx.value_and_grad(objective)(model)
        optimizer.update(model, gradients)
        return nnx.state((model, optimizer)), loss

    return step, state
