"""The networks that are measured, and how each peer names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

#: What the floating point work of a network is mostly made of, where that decides how fast a plain convolution is.
Kind = Literal["dense", "depthwise", "grouped"]


@dataclass(frozen=True)
class Network:
    """A spec of the zoo and the same network of the peers; `pixels` is its height and width.

    `torch` names the library, the constructor and its arguments; `keras` an attribute of keras.applications.
    """

    spec: str
    kind: Kind = "dense"
    torch: tuple[str, str] | None = None
    torch_arguments: Mapping[str, Any] = field(default_factory=dict)
    keras: str | None = None
    pixels: int = 224
    classes: int = 1000
    #: Layers with weights, where depth is what a row is about.
    layers: int = 0


#: Mean and standard deviation of pixels of 0 to 1, which a training step normalises by.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

_HEADS = {"aux_logits": True, "init_weights": False}  # the heads only train, and their quick initial values will do

#: Of inference and training, by the name of the spec.
NETWORKS = {
    network.spec: network
    for network in (
        Network("vgg16", torch=("torchvision", "vgg16"), torch_arguments={"init_weights": False}, keras="VGG16"),
        Network("resnet50", torch=("torchvision", "resnet50"), keras="ResNet50"),
        Network("resnext50_32x4d", "grouped", torch=("torchvision", "resnext50_32x4d")),
        Network("mobilenet_v1", "depthwise", torch=("timm", "mobilenetv1_100"), keras="MobileNet"),
        Network("mobilenet_v2", "depthwise", torch=("torchvision", "mobilenet_v2"), keras="MobileNetV2"),
        Network("efficientnet_b0", "depthwise", torch=("torchvision", "efficientnet_b0"), keras="EfficientNetB0"),
        Network("densenet121", torch=("torchvision", "densenet121"), keras="DenseNet121"),
        Network("inception_v3", torch=("torchvision", "inception_v3"), torch_arguments=_HEADS, keras="InceptionV3",
                pixels=299),
        Network("squeezenet1_1", torch=("torchvision", "squeezenet1_1")),
        Network("shufflenet_v2_x1_0", "depthwise", torch=("torchvision", "shufflenet_v2_x1_0")),
        Network("googlenet_torchvision", torch=("torchvision", "googlenet"), torch_arguments=_HEADS),
    )
}  # fmt: skip

#: Of which compile time grows with depth.
DEPTHS = {
    f"resnet{layers}_cifar": Network(f"resnet{layers}_cifar", pixels=32, classes=10, layers=layers)
    for layers in (20, 56, 110, 1202)
}


def find(name: str) -> Network:
    """A network by the name of its spec."""
    return {**NETWORKS, **DEPTHS}[name]


def images(network: Network, batch: int) -> Any:
    """The images of inference: the same for every engine, `[batch, pixels, pixels, 3]` float32."""
    import numpy as np

    random = np.random.default_rng(0)
    return random.standard_normal((batch, network.pixels, network.pixels, 3)).astype(np.float32)


def examples(network: Network, batch: int) -> tuple[Any, Any]:
    """What a training step gets: pixels `[batch, pixels, pixels, 3]` uint8 and labels `[batch]` int32."""
    import numpy as np

    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (batch, network.pixels, network.pixels, 3)).astype(np.uint8)
    return pixels, random.integers(0, network.classes, batch).astype(np.int32)
