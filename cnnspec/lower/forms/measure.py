"""How fast each form of a node is on this machine: what `choose` rests on, and what `--tune` remembers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from cnnspec.graph import Node
from cnnspec.lower.forms.table import FORMS, TRAINING, fits
from cnnspec.lower.running import NodeRun
from cnnspec.ops.conv import Conv
from cnnspec.pooling import Pool
from cnnspec.types import TensorType

#: Every form is called for at least so long, in seconds, and at least so often.
LONG, OFTEN = 0.02, 5


def candidates(node: Node, inputs: Sequence[TensorType], train: bool = False) -> list[str]:
    """The forms that can compute a node; the plain one first."""
    if isinstance(node.op, Pool):
        return ["plain", "slices"]
    if not isinstance(node.op, Conv):
        return ["plain"]
    (x,) = inputs
    kernel, groups = node.op.parameters(x)["kernel"].shape, node.op.resolved_groups(x)
    known = [name for name in FORMS if train or name not in TRAINING]
    taps = kernel[0] * kernel[1]
    return [name for name in known if fits(name, x.channels, kernel, groups) and not (name == "im2col" and taps == 1)]


def signature(node: Node, inputs: Sequence[TensorType], batch: int, train: bool) -> str:
    """What the time of a node depends on, as text: nodes of one signature are measured once."""
    fields = node.op.model_dump(mode="json", exclude_defaults=True)
    for name in ("kernel_init", "bias_init"):
        fields.pop(name, None)
    shapes = "x".join(map(str, (batch, *inputs[0].shape)))
    return f"{node.op.key} {json.dumps(fields, sort_keys=True)} {shapes} {'train' if train else 'infer'}"


def function_of(node: Node, inputs: Sequence[TensorType], form: str, train: bool) -> Callable[..., Any]:
    """The node with the activation that follows most (a ReLU), and for training its gradients, as one function."""

    def forward(params: dict[str, Any], x: Any) -> Any:
        return jax.nn.relu(node.op.lower(NodeRun(node, params, {}, None, train, form), x))

    def both(params: dict[str, Any], x: Any) -> Any:
        return jax.grad(lambda params, x: jax.numpy.square(forward(params, x)).sum(), argnums=(0, 1))(params, x)

    jitted: Callable[..., Any] = jax.jit(both if train else forward)
    return jitted


def measure(
    node: Node, inputs: Sequence[TensorType], forms: Sequence[str], batch: int = 1, train: bool = False
) -> dict[str, float]:
    """The least seconds of a call in each form; the forms take turns, so that a drift of the machine meets all."""
    random = np.random.default_rng(0)
    x = jax.device_put(random.standard_normal((batch, *inputs[0].shape)).astype(np.float32))
    shapes = node.op.parameters(*inputs)
    params = {
        node.parameters[name]: jax.device_put(random.standard_normal(shapes[name].shape).astype(np.float32))
        for name in node.parameters
    }
    functions = {form: function_of(node, inputs, form, train) for form in forms}
    best = dict.fromkeys(forms, float("inf"))
    for function in functions.values():
        jax.block_until_ready(function(params, x))
    spent, rounds = 0.0, 0
    while rounds < OFTEN or spent < LONG * len(forms):
        for form, function in functions.items():
            begin = time.perf_counter()
            jax.block_until_ready(function(params, x))
            seconds = time.perf_counter() - begin
            best[form] = min(best[form], seconds)
            spent += seconds
        rounds += 1
    return best
