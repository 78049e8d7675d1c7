"""The pairs of a spec and a peer's network that are compared, and how each side is computed.

Both sides get the same weights, generated from the names of our parameters, and the same inputs; the peer gets them
under its own names and in its own layouts by the rules of `cnnspec.weights`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from cnnspec.compiled import Compiled, compile
from cnnspec.weights.synthetic import synthetic_inputs, synthetic_weights

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
BATCH = 2

#: What the largest difference may be, as a share of the largest logit.
TOLERANCE = 5e-5

#: How much the logits of two inputs must differ for a comparison to mean something, as a share of the largest logit.
VARIATION = 200 * TOLERANCE


@dataclass(frozen=True)
class Pair:
    """One comparison.

    `spec` is a name of the zoo, or a file of the repository with `rules` of its own beside it; `size` is the input's height and width in pixels, `gain` that of the synthetic kernels, `input_scale` what a peer
    that scales its input divides by, `variant` tells apart two pairs of one peer. Everyday tests compare those that are
    `everyday`, and CI all; those that are `training` are compared while they train too.
    """

    spec: str
    peer: str
    constructor: str
    set: dict[str, Any] = field(default_factory=dict)
    size: int | None = None
    gain: float = 1.0
    input_scale: float = 1.0
    variant: str = ""
    rules: str | None = None
    everyday: bool = False
    training: bool = False

    @property
    def name(self) -> str:
        return f"{Path(self.spec).stem}--{self.peer}{self.variant and '_' + self.variant}"

    @property
    def stored(self) -> Path:
        return FOLDER / "logits" / f"{self.name}.npy"

    @property
    def source(self) -> str | Path:
        return ROOT / self.spec if "/" in self.spec else self.spec

    @property
    def rules_file(self) -> Path | None:
        return ROOT / self.rules if self.rules else None

    @property
    def settings(self) -> dict[str, Any]:
        size = {"input.height": self.size, "input.width": self.size} if self.size else {}
        return {**self.set, **size}


@cache
def pairs() -> tuple[Pair, ...]:
    """Every pair of `pairs.yaml`."""
    return tuple(Pair(**entry) for entry in yaml.safe_load((FOLDER / "pairs.yaml").read_text(encoding="utf-8")))


def compiled(pair: Pair) -> Compiled:
    return compile(pair.source, set=pair.settings)


def our_logits(network: Compiled, pair: Pair) -> np.ndarray:
    """Our first output on the synthetic weights and inputs."""
    weights = synthetic_weights(network.graph, gain=pair.gain)
    params, state = network.split(weights)
    inputs = synthetic_inputs(network.inference_program.graph, BATCH)
    outputs = network.infer(network.prepare(params, state), inputs)
    return np.asarray(next(iter(outputs.values())))


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest difference as a share of the largest logit."""
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def variation(logits: np.ndarray) -> float:
    """How much the logits of two inputs differ, as a share of the largest: what a comparison can see."""
    return float(np.abs(logits[0] - logits[1]).max() / np.abs(logits).max())
