"""How fast each form of a node is on this machine: what `choose` rests on, and what `--tune` remembers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import jax
import numpy as np

from cnnspec.graph import Node
from cnnspec.lower.derive import derive
from cnnspec.lower.forms.conv import Geometry
from cnnspec.lower.forms.layouts import layouts_of
from cnnspec.lower.forms.table import FORMS, TRAINING, fits
from cnnspec.lower.running import NodeRun
from cnnspec.lower.xla import Options
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
    kernel = node.op.parameters(x)["kernel"].shape
    geometry = Geometry(node.op.stride, ((0, 0), (0, 0)), node.op.dilation, node.op.resolved_groups(x))
    known = [name for name in FORMS if train or name not in TRAINING]
    return [name for name in known if fits(name, x.channels, kernel, geometry)]


def function_of(node: Node, form: str, train: bool, options: Options | None = None) -> Callable[..., Any]:
    """The node with the activation that follows most (a ReLU), and for training its gradients, as one function."""

    def forward(params: dict[str, Any], x: Any) -> Any:
        return jax.nn.relu(node.op.lower(NodeRun(node, params, {}, None, train, form), x))

    def both(params: dict[str, Any], x: Any) -> Any:
        return jax.grad(lambda params, x: jax.numpy.square(forward(params, x)).sum(), argnums=(0, 1))(params, x)

    jitted: Callable[..., Any] = jax.jit(both if train else forward, compiler_options=options)
    return jitted


def measure(
    node: Node,
    inputs: Sequence[TensorType],
    forms: Sequence[str],
    batch: int = 1,
    train: bool = False,
    options: Options | None = None,
) -> dict[str, float]:
    """The least seconds of a call in each form; the forms take turns, so that a drift of the machine meets all.

    `options` are those of XLA with which the whole network is compiled.
    """
    x = jax.device_put(random_array((batch, *inputs[0].shape))).astype(inputs[0].dtype)
    shapes = {path: node.op.parameters(*inputs)[name].shape for name, path in node.parameters.items()}
    weights = {path: random_array(shape) for path, shape in shapes.items()}
    layouts = {} if train else layouts_of(node, inputs, forms)
    table = dict(layouts.values())
    arrays = jax.device_put(derive([*weights, *table], table, weights))
    laid = replace(node, parameters={**node.parameters, **{name: path for name, (path, _) in layouts.items()}})
    functions = {form: partial(function_of(laid, form, train, options), arrays, x) for form in forms}
    return in_turns(functions)


def random_array(shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Normal values, the same every time."""
    return np.random.default_rng(0).standard_normal(shape, np.float32)


Key = TypeVar("Key")


def in_turns(functions: Mapping[Key, Callable[[], Any]], long: float = LONG, often: int = OFTEN) -> dict[Key, float]:
    """The least seconds of a call of each function, called in turns after one call to compile."""
    best = dict.fromkeys(functions, float("inf"))
    for function in functions.values():
        jax.block_until_ready(function())
    spent, rounds = 0.0, 0
    while rounds < often or spent < long * len(functions):
        for key, function in functions.items():
            begin = time.perf_counter()
            jax.block_until_ready(function())
            seconds = time.perf_counter() - begin
            best[key] = min(best[key], seconds)
            spent += seconds
        rounds += 1
    return best
