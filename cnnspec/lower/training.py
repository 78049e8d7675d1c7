"""The compiled training function: fast forms whose gradients are fast too, and depth as a loop.

It computes what `Compiled.apply` computes. It refuses forward-mode differentiation, and may hold the parameters of
repeated blocks stacked while it runs; `stack` and `unstack` go from and to the paths of the spec.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cnnspec.graph import Graph
from cnnspec.lower.forms.choose import choose_all
from cnnspec.lower.loops import Loop, find_loops, stack, stack_layout, unstack
from cnnspec.lower.program import Program
from cnnspec.lower.xla import Options, compiler_options, usable
from cnnspec.ops.conv import Conv

#: Convolutions in loops from which a training step compiles so much faster that a loop pays.
LOOP_LAYERS = 150
#: The form that a convolution takes in the body of a loop, by the one it would take outside.
IN_LOOPS = {"plain": "ordinary", "split": "ordinary", "block_diagonal": "ordinary_block_diagonal"}


class TrainingFunction:
    """`(params, state, inputs, *, rng, train) -> (outputs, new state)`, for gradients on any platform."""

    def __init__(
        self,
        graph: Graph,
        remat: Sequence[str] = (),
        kind: Callable[[str], object] = lambda path: None,
        recorded: Mapping[str, Any] | None = None,
        loop_layers: int = LOOP_LAYERS,
    ) -> None:
        """`kind` of a path: parameters of different kinds are never held in one array. `recorded`: an earlier `record`.

        A repeat within `remat` is a loop however shallow the network is: outside of loops, XLA's CPU compiler finds what
        is computed again to be what it has already, and keeps it.
        """
        loops = find_loops(graph, 0, lambda paths: len(set(map(kind, paths))) == 1)
        if recorded is not None:
            loops = tuple(loop for loop in loops if loop.name in recorded["loops"])
        elif sum(loop.layers for loop in loops) < loop_layers:
            loops = tuple(loop for loop in loops if _within(loop, remat))
        forms = {path: choice.form for path, choice in choose_all(graph, train=True).items()}
        for node in (node for loop in loops for node in loop.body if isinstance(node.op, Conv)):
            forms[node.path] = IN_LOOPS.get(forms[node.path], forms[node.path])
        if recorded is not None:  # which names all that are not plain
            forms = dict.fromkeys(forms, "plain") | recorded["forms"]
        self.program = Program(graph, forms, loops, tuple(remat))
        self.layout = stack_layout(loops)
        #: The options of XLA with which a step around this function is fastest here: `jax.jit(step, compiler_options=...)`.
        self.compiler_options: Options = (
            compiler_options(train=True) if recorded is None else usable(recorded.get("compiler_options", {}))
        )

    def __call__(
        self, params: Any, state: Any, inputs: Any, *, rng: Any = None, train: bool = True, features: Sequence[str] = ()
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Run the network on a batch; see `Program.apply`."""
        return self.program.apply(params, state, inputs, rng=rng, train=train, features=features)

    @property
    def record(self) -> dict[str, Any]:
        """What was chosen, to be kept with a checkpoint: given back as `recorded`, a resumed run is the same run."""
        chosen = {path: form for path, form in self.program.forms.items() if form != "plain"}
        loops = [loop.name for loop in self.program.loops]
        return {"forms": chosen, "loops": loops, "compiler_options": dict(self.compiler_options)}

    def stack(self, tree: Any) -> Any:
        """A tree of flat mappings by path (parameters, state, an optimiser's) as this function runs fastest over it."""
        return stack(self.layout, tree, joined) if self.layout else tree

    def unstack(self, tree: Any) -> Any:
        """The inverse of `stack`."""
        return unstack(self.layout, tree, lambda array, i: array[i]) if self.layout else tree


def _within(loop: Loop, scopes: Sequence[str]) -> bool:
    region = loop.name[: loop.name.rindex(".[")]
    return any(region == scope or region.startswith(f"{scope}.") for scope in scopes)


def joined(parts: list[Any]) -> Any:
    """Arrays, or their shapes, as one with a new first dimension; of truths, which are all alike, the first."""
    if isinstance(parts[0], jax.ShapeDtypeStruct):
        return jax.ShapeDtypeStruct((len(parts), *parts[0].shape), parts[0].dtype)
    if isinstance(parts[0], bool):
        return parts[0]
    return np.stack(parts) if isinstance(parts[0], np.ndarray) else jnp.stack(parts)
