"""A training step beside hand-written NNX and PyTorch."""

from __future__ import annotations

from typing import Any

from benchmarks import side_by_side, tables, targets
from benchmarks.options import Options
from cnnspec.cli.output import Table

NAME = "training"
TITLE = "Training step"
METHOD = """Milliseconds a step at 128 pixels in float32: normalisation of the pixels, forward, cross-entropy, gradients, and SGD with momentum; columns as for inference.
cnnspec is the step of `cnnspec train`, which computes accuracy and the norm of the gradient besides, in huge pages, as that command asks for; the others have
the memory that programs get by themselves, and `python -m benchmarks.huge_pages` shows what they gain by such pages, too. NNX is split once and jitted with its state donated; PyTorch is
eager and channels-last."""

NETWORKS = ("resnet50", "mobilenet_v2", "resnext50_32x4d")
PIXELS = 128
line, notes = tables.line, tables.notes


def keys(options: Options) -> list[str]:
    names = options.networks_of(("mobilenet_v2",), NETWORKS)
    return [f"{name} {batch}" for batch in options.batches_of((8,), (8, 32)) for name in names]


def measure(key: str, options: Options) -> dict[str, Any]:
    name, batch = key.split()
    return side_by_side.measure("training", name, int(batch), options.rounds_of(3, 5), options, PIXELS)


def result_tables(rows: tables.Rows) -> list[tuple[str, Table]]:
    reached = targets.table(targets.training(rows))
    return [("", tables.side_by_side(rows)), *([("To reach", reached)] if reached.rows else [])]
