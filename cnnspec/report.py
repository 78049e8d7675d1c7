"""The report of an artefact, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnspec.summary import summarise

if TYPE_CHECKING:
    from cnnspec.compiled import Compiled


def report_text(compiled: Compiled, manifest: dict[str, Any]) -> str:
    """What the network is, what goes in and out, what it costs, and of what it consists."""
    loaded = compiled.loaded
    document, counts = loaded.document, loaded.totals
    lines = [f"# {document.name}", ""]
    if document.description:
        lines += [document.description, ""]
    if document.source is not None:
        source = document.source
        place = f", {source.where}" if source.where else ""
        paper = f" arXiv:{source.arxiv}" if source.arxiv else ""
        lines += [f'{source.authors}, "{source.title}", {source.year}{paper}{place}', ""]
    lines.append(f"Weights: {manifest['trained'] or 'initial values; the network is **untrained**'}")
    lines += ["", "| | |", "| --- | --- |"]
    lines += [f"| input `{name}` | {_shape(entry['shape'])} |" for name, entry in manifest["inputs"].items()]
    lines += [f"| output `{name}` | {_shape(shape)} |" for name, shape in manifest["outputs"].items()]
    lines += [
        f"| parameters | {counts.params:,} |",
        f"| MACs an image | {counts.macs:,} |",
        f"| FLOPs an image | {counts.flops:,} |",
        f"| weights | {counts.weight_bytes / 2**20:.1f} MiB |",
        f"| computes in | {compiled.dtype} |",
        f"| platforms | {', '.join(manifest['platforms'])} |",
        "",
        "| node | block | output | parameters | MACs |",
        "| --- | --- | --- | ---: | ---: |",
    ]
    for line in summarise(compiled.graph):
        lines.append(f"| {line.path} | {line.kind} | {line.output} | {line.params:,} | {line.macs:,} |")
    lines += ["", "Passes: " + ", ".join(stage.name for stage in compiled.infer_stages[1:]), ""]
    lines += ["Versions: " + ", ".join(f"{name} {number}" for name, number in manifest["versions"].items()), ""]
    return "\n".join(lines)


def _shape(shape: list[int]) -> str:
    return " x ".join(["N", *map(str, shape)])
