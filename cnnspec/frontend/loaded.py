"""What stands for a spec in Python, and what checking it gives."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnspec.costs import Totals
from cnnspec.diagnostics import Report, Source
from cnnspec.document import Document
from cnnspec.graph import Graph
from cnnspec.scaling.scaler import Scaler
from cnnspec.source import dump, read
from cnnspec.zoo import find_spec


@dataclass(frozen=True)
class LoadedSpec:
    """A spec that is right: its graph (training-only parts included), its header, and its merged text."""

    graph: Graph
    document: Document
    totals: Totals
    expanded: str
    #: How the network was scaled.
    scaler: Scaler
    #: Whether the expectations of the spec were enforced; they are not where values were set from outside.
    expectations_hold: bool
    #: The graph with the nodes that no output depends on: they are checked as well.
    whole: Graph


#: What stands for a spec in Python: a path, a name of the zoo, YAML text, a mapping, or one that was loaded.
SpecLike = str | Path | AnyMapping[str, Any] | LoadedSpec


def open_spec(spec: SpecLike, report: Report) -> tuple[Source | None, Path | None]:
    """The text of a spec and where it is: a path, a name of the zoo, YAML text, or a mapping."""
    if isinstance(spec, LoadedSpec):
        return Source(f"<{spec.document.name}>", spec.expanded), None
    if isinstance(spec, AnyMapping):
        return Source("<spec>", dump(dict(spec))), None
    if isinstance(spec, str) and "\n" in spec:
        return Source("<text>", spec), None
    path = find_spec(str(spec)) or Path(spec)
    return read(path, report), path
