"""The network of torchvision or timm in eager PyTorch, in the channels-last layout."""

from __future__ import annotations

import os
from typing import Any

from benchmarks.engines import Contender
from benchmarks.networks import MEAN, STD, Network, examples, images

NAME = "torch"
LABEL = "torch, eager"
NEEDS = ("torch", "torchvision", "timm")
ENVIRONMENT: dict[str, str] = {}
KINDS = ("inference", "training")


def has(network: Network) -> bool:
    return network.torch is not None


def inference(network: Network, batch: int) -> Contender:
    import torch

    model = build(network).eval()
    x = torch.from_numpy(images(network, batch)).permute(0, 3, 1, 2)  # what is NHWC is channels-last already

    def once() -> Any:
        with torch.inference_mode():
            return model(x)

    return Contender({"eager": once}, lambda logits: logits.numpy())


def training(network: Network, batch: int) -> Contender:
    import torch
    from torch.nn.functional import cross_entropy

    model = build(network).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    pixels, labels = (torch.from_numpy(array) for array in examples(network, batch))
    pixels, labels = pixels.permute(0, 3, 1, 2), labels.long()
    mean, std = (torch.tensor(numbers).reshape(1, 3, 1, 1) for numbers in (MEAN, STD))

    def once() -> Any:
        optimizer.zero_grad(set_to_none=True)
        loss = cross_entropy(model((pixels.float() / 255 - mean) / std), labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return Contender({"step": once}, lambda loss: loss.numpy())


def build(network: Network) -> Any:
    """The peer's network in the channels-last layout, with kernels that keep activations in range."""
    import torch

    torch.set_num_threads(os.cpu_count() or 1)
    library, constructor = network.torch or ("", "")
    vision = _torchvision()
    if library == "timm":
        import timm

        model = timm.create_model(constructor, **network.torch_arguments)
    else:
        model = getattr(vision.models, constructor)(weights=None, **network.torch_arguments)
    torch.manual_seed(0)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.kaiming_normal_(parameter, nonlinearity="relu")
    return model.to(memory_format=torch.channels_last)


def _torchvision() -> Any:
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
