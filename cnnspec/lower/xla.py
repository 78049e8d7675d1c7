"""Options of XLA's compiler with which a network runs faster on a CPU.

XLA has two libraries for convolutions and products of matrices, Eigen and YNNPACK, and loops of its own for what lies
between. XLA is told for a whole program which to use; `python -m benchmarks.libraries` measures both.

An option counts where this jaxlib knows it and `XLA_FLAGS` does not say otherwise. Other platforms have none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jax

Options = dict[str, str | int]

LIBRARY = "xla_cpu_experimental_ynn_fusion_type"
#: What YNNPACK computes in inference, and in a training step: sums over a map, and products. Its convolutions are slower.
SUMS = "LIBRARY_FUSION_TYPE_REDUCE"
SUMS_AND_PRODUCTS = f"{SUMS},LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT"
#: Loops use the full width of AVX-512 where the processor has it, and not half of it, as XLA does by itself.
VECTORS: Options = {"xla_cpu_prefer_vector_width": 512}


def compiler_options(train: bool = False) -> Options:
    """The options of a program for this machine, of inference or of a training step, as `jax.jit` takes them."""
    return usable({LIBRARY: SUMS_AND_PRODUCTS if train else SUMS, **VECTORS})


def usable(options: Mapping[str, str | int]) -> Options:
    """Those of the options that this jaxlib knows and that are not set by `XLA_FLAGS`; none but on a CPU."""
    if jax.default_backend() != "cpu":
        return {}
    asked = os.environ.get("XLA_FLAGS", "")
    return {name: value for name, value in options.items() if f"--{name}=" not in asked and _known(name, value)}


@cache
def _known(name: str, value: str | int) -> bool:
    try:
        jax.jit(lambda: 0, compiler_options={name: value}).lower().compile()
    except (RuntimeError, ValueError):
        return False
    return True


class Jitted:
    """A function under `jax.jit` with options; within another transformation, where JAX allows none, without them."""

    def __init__(self, function: Callable[..., Any], options: Options, **jit: Any) -> None:
        self._outermost = jax.jit(function, compiler_options=options or None, **jit)
        self._within = jax.jit(function, **jit)

    def __call__(self, *arguments: Any) -> Any:
        try:
            return self._outermost(*arguments)
        except ValueError as error:
            if "compiler_options" not in str(error):
                raise
        return self._within(*arguments)

    def compile(self, *arguments: Any) -> Any:
        """The program for arguments of which only shapes and types are looked at, ahead of time."""
        return self._outermost.lower(*arguments).compile()
