"""What is only for training may ask for a larger input than the network itself; a param can leave it out."""

from __future__ import annotations

from cnnspec.diagnostics import Report, Source
from cnnspec.frontend import LoadedSpec
from cnnspec.source import Mapping, Scalar, Sequence, parse


def switch(loaded: LoadedSpec) -> str | None:
    """The param that leaves out every row which is only for training (`when: $aux`), where there is one and it is on."""
    tree = parse(Source(loaded.document.name, loaded.expanded), Report())
    layers = tree.get("layers") if isinstance(tree, Mapping) else None
    rows = [row for row in layers.items if isinstance(row, Mapping)] if isinstance(layers, Sequence) else []
    conditions = {_condition(row) for row in rows if "training_only" in row.entries}
    names = {name for name, value in loaded.document.params.items() if value is True}
    (only,) = conditions if len(conditions) == 1 else (None,)
    return only if only in names else None


def _condition(row: Mapping) -> str | None:
    """The param that a row's `when` names."""
    when = row.get("when")
    text = when.value if isinstance(when, Scalar) else None
    return text.removeprefix("$") if isinstance(text, str) and text.startswith("$") else None
