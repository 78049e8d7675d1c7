"""Inference in float32 beside hand-written NNX, keras, PyTorch and onnxruntime."""

from __future__ import annotations

from typing import Any

from benchmarks import side_by_side, tables, targets
from benchmarks.figures import geometric_mean
from benchmarks.networks import NETWORKS
from benchmarks.options import Options
from cnnspec.cli.output import Table

NAME = "inference"
TITLE = "Inference"
METHOD = """Milliseconds a batch in float32, the median of all turns and in brackets the least of all calls; × is how many times as long as cnnspec an engine takes,
the median over rounds. *others* is the share of the machine that other processes used meanwhile. keras is the faster of `predict_on_batch` and a jitted stateless call;
onnxruntime runs the ONNX file of `cnnspec compile --target onnx`. *cnnspec, tuned* is what `infer` does after
`cnnspec compile --tune` for that batch."""

SHORT = ("resnet50", "resnext50_32x4d", "mobilenet_v2")
line, notes = tables.line, tables.notes


def keys(options: Options) -> list[str]:
    names = options.networks_of(SHORT, list(NETWORKS))
    return [f"{name} {batch}" for batch in options.batches_of((1,), (1, 8)) for name in names]


def measure(key: str, options: Options) -> dict[str, Any]:
    name, batch = key.split()
    return side_by_side.measure("inference", name, int(batch), options.rounds_of(5, 9), options)


def result_tables(rows: tables.Rows) -> list[tuple[str, Table]]:
    found = [("", tables.side_by_side(rows)), ("Geometric means over the networks that both have", means(rows))]
    reached = targets.table(targets.inference(rows))
    return [*found, ("To reach", reached)] if reached.rows else found


#: Ratios of which the mean is taken: over cnnspec for those it should leave behind, of it to those to be reached.
MEANS = (
    ("keras", "cnnspec"), ("nnx", "cnnspec"), ("torch", "cnnspec"), ("cnnspec", "torch.compile"), ("tuned", "torch.compile"),
    ("cnnspec", "onnxruntime"), ("tuned", "onnxruntime"),
)  # fmt: skip


def means(rows: tables.Rows) -> Table:
    """The geometric means of the ratios at each batch size."""
    heads = [f"{engine} / {base}" for engine, base in MEANS]
    table = Table(["batch", *heads], right=range(len(heads) + 1))
    for batch in sorted({row["batch"] for row in rows.values()}):
        cells = []
        for engine, base in MEANS:
            found = tables.ratios(rows, engine, batch, base)
            cells.append(f"{geometric_mean(found.values()):.2f} ({len(found)})" if found else "")
        table.add(batch, *cells)
    return table
