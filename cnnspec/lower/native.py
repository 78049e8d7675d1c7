"""Inference in this process alone: programs that call a library, which no artefact and no cache could hold.

A program is compiled ahead of time for each batch, with what `fuse` made of the graph. Whatever transforms or exports
inference gets the portable program instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax

from cnnspec.cache import not_cached
from cnnspec.lower.program import Program
from cnnspec.lower.running import Arrays
from cnnspec.lower.tiles import in_tiles

Shapes = tuple[tuple[str, tuple[int, ...], Any], ...]


def concrete(*arrays: Mapping[str, Any]) -> bool:
    """Whether no value is one that JAX is tracing, for a transformation or another program."""
    return not any(isinstance(value, jax.core.Tracer) for mapping in arrays for value in mapping.values())


class Native:
    """`infer` by programs of this process; `program` and `tile` say how a batch is computed."""

    def __init__(self, program: Callable[[int], Program], tile: Callable[[int], int]) -> None:
        self._program, self._tile = program, tile
        self._compiled: dict[Shapes, Any] = {}

    def __call__(self, prepared: Arrays, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs for a batch; **Errors**: `TypeError` for weights of other shapes than the first time."""
        outputs: dict[str, Any] = self.warm(prepared, inputs)(prepared, inputs)
        return outputs

    def warm(self, prepared: Mapping[str, Any], inputs: Mapping[str, Any]) -> Any:
        """The program for arrays of these shapes; only shapes and types are looked at."""
        shapes = tuple((name, x.shape, x.dtype) for name, x in inputs.items())
        if shapes not in self._compiled:
            self._compiled[shapes] = self._compile(prepared, inputs)
        return self._compiled[shapes]

    def _compile(self, prepared: Mapping[str, Any], inputs: Mapping[str, Any]) -> Any:
        batch = next(iter(inputs.values())).shape[0]
        tile = self._tile(batch)
        program = self._program(min(batch, tile))

        def run(prepared: Arrays, inputs: Mapping[str, Any]) -> Any:
            return in_tiles(lambda weights, part: program.apply(weights, weights, part)[0], prepared, inputs, tile)

        with not_cached():
            return jax.jit(run).lower(prepared, inputs).compile()
