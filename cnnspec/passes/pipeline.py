"""The passes, in order, each with its reason; the driver verifies the graph between them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from cnnspec.graph import Graph
from cnnspec.passes.drop_identities import drop_identities
from cnnspec.passes.fold_affine import fold_affine
from cnnspec.passes.fold_pads import fold_pads
from cnnspec.passes.lower_precision import lower_precision
from cnnspec.passes.merge_convs import merge_convs
from cnnspec.passes.prune import prune
from cnnspec.passes.specialise import for_inference
from cnnspec.passes.split_affine import split_affine
from cnnspec.passes.verify import verify


@dataclass(frozen=True)
class Pass:
    """A step from graph to graph. `when` says for which runs: "infer", "train", "module", "bfloat16"."""

    name: str
    run: Callable[[Graph], Graph]
    when: frozenset[str]
    reason: str


BOTH = frozenset({"infer", "train", "module"})
#: The module that users transform is specialised for inference as well, and keeps its parameters as they are.
INFER = frozenset({"infer", "module"})
#: Passes that change parameters, for which `prepare` computes the new ones once.
ONCE = frozenset({"infer"})

PIPELINE: tuple[Pass, ...] = (
    Pass("specialise", for_inference, INFER, "auxiliary heads and optional inputs have no part in inference"),
    Pass("prune", prune, BOTH, "what no output needs is not computed"),
    Pass("drop_identities", drop_identities, INFER, "dropout and identities do nothing at inference"),
    Pass(
        "split_affine",
        split_affine,
        ONCE,
        "a normalisation of a concatenation is one of its parts, which can be folded",
    ),
    Pass("fold_affine", fold_affine, ONCE, "fixed statistics and scales are part of the layer before or behind them"),
    Pass("fold_pads", fold_pads, ONCE, "a border of zeros is what a convolution pads with anyway"),
    Pass("merge_convs", merge_convs, ONCE, "one wide product of a small map is faster than several narrow ones"),
    Pass("lower_precision", lower_precision, frozenset({"bfloat16"}), "bfloat16 halves memory; sums stay in float32"),
)


@dataclass(frozen=True)
class Stage:
    """What one pass made, and how long it took in seconds."""

    name: str
    graph: Graph
    seconds: float


def run_passes(graph: Graph, mode: str, dtype: str = "float32") -> list[Stage]:
    """The graph after every pass that `mode` ("infer", "train" or "module") and `dtype` ask for; the first stage is the input."""
    stages = [Stage("elaborate", graph, 0.0)]
    verify(graph, "elaborate")
    for step in PIPELINE:
        if mode not in step.when and dtype not in step.when:
            continue
        begin = time.perf_counter()
        graph = step.run(graph)
        seconds = time.perf_counter() - begin
        verify(graph, step.name)
        stages.append(Stage(step.name, graph, seconds))
    return stages
