"""The same PyTorch network through torch.compile, with its weights frozen into the program."""

from __future__ import annotations

from typing import Any

from benchmarks.engines import Contender
from benchmarks.engines import torch as eager
from benchmarks.networks import Network, images

NAME = "torch.compile"
LABEL = "torch.compile, frozen"
NEEDS = eager.NEEDS
ENVIRONMENT: dict[str, str] = {}
KINDS = ("inference",)
has = eager.has


def inference(network: Network, batch: int) -> Contender:
    import torch
    import torch._inductor.config

    torch._inductor.config.freezing = True
    model = torch.compile(eager.build(network).eval(), dynamic=False)
    x = torch.from_numpy(images(network, batch)).permute(0, 3, 1, 2)

    def once() -> Any:
        with torch.no_grad():  # freezing asks for it
            return model(x)

    return Contender({"compiled": once}, lambda logits: logits.numpy())
