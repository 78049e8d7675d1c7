"""Inference in this process alone: programs that call oneDNN, which no artefact and no cache could hold.

A program is compiled ahead of time for each batch, with what `fuse` made of the graph. Whatever transforms or exports
inference gets the portable program instead. Only what `cnnspec.lower.trial` has seen to work is run so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import jax

from cnnspec.cache import not_cached
from cnnspec.lower.program import Program
from cnnspec.lower.running import Arrays
from cnnspec.lower.tiles import in_tiles
from cnnspec.lower.xla import Options

#: Whoever runs a program: two at a time could hold the threads that the other needs (see `FusedConv`).
_TURN = threading.Lock()

Shapes = tuple[tuple[str, tuple[int, ...], Any], ...]


def concrete(*arrays: Mapping[str, Any]) -> bool:
    """Whether no value is one that JAX is tracing, for a transformation or another program."""
    return not any(isinstance(value, jax.core.Tracer) for mapping in arrays for value in mapping.values())


class Native:
    """`infer` by programs of this process; `program` gives that of a tile of so many images."""

    def __init__(self, program: Callable[[int], Program], options: Options) -> None:
        self._program, self._options = program, options
        self._compiled: dict[tuple[int, Shapes], Any] = {}

    def __call__(self, prepared: Arrays, inputs: Mapping[str, Any], tile: int) -> dict[str, Any]:
        """The outputs for a batch, `tile` images at a time; they are there when it returns.

        **Errors**: `TypeError` for weights of other shapes or types than the first time.
        """
        run = self.warm(prepared, inputs, tile)
        with _TURN:
            outputs: dict[str, Any] = jax.block_until_ready(run(prepared, inputs))
        return outputs

    def warm(self, prepared: Mapping[str, Any], inputs: Mapping[str, Any], tile: int) -> Any:
        """The program for arrays of these shapes; only shapes and types are looked at."""
        key = (tile, tuple((name, x.shape, x.dtype) for name, x in inputs.items()))
        if key not in self._compiled:
            self._compiled[key] = self._compile(prepared, inputs, tile)
        return self._compiled[key]

    def _compile(self, prepared: Mapping[str, Any], inputs: Mapping[str, Any], tile: int) -> Any:
        batch = next(iter(inputs.values())).shape[0]
        program = self._program(-(-batch // -(-batch // tile)))  # the images that `in_tiles` takes at a time

        def run(prepared: Arrays, inputs: Mapping[str, Any]) -> Any:
            return in_tiles(lambda weights, part: program.apply(weights, weights, part)[0], prepared, inputs, tile)

        with not_cached():
            return jax.jit(run, compiler_options=self._options).lower(prepared, inputs).compile()
