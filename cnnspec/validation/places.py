"""Where in the tree, and where among the models, a path of pydantic leads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from cnnspec.diagnostics import Span
from cnnspec.source import Mapping, Sequence, Tree

Location = tuple[int | str, ...]


@dataclass(frozen=True)
class Named:
    """Marks a field whose value names a model and gives its fields, such as `{batch: {epsilon: 0.001}}`."""

    model: Callable[[str], type[BaseModel] | None]


@dataclass(frozen=True)
class Place:
    """The spans of a value, of its key, and of the mapping that should hold it; `None` where there is none."""

    value: Span | None
    key: Span | None
    owner: Span | None


def place_of(tree: Tree, location: Location) -> Place:
    """Where `location` leads; a name between, as in `{batch: {epsilon: 0.001}}`, is passed over."""
    key: Span | None = None
    for depth, part in enumerate(location):
        tree = _past_name(tree, part)
        if isinstance(tree, Mapping) and part in tree.entries:
            entry = tree.entries[str(part)]
            key, tree = entry.key_span, entry.value
        elif isinstance(tree, Sequence) and isinstance(part, int) and part < len(tree.items):
            tree = tree.items[part]
        else:
            return Place(tree.span if depth else None, key, tree.span if depth else None)
    return Place(tree.span, key, None)


def _past_name(tree: Tree, part: int | str) -> Tree:
    if isinstance(tree, Mapping) and part not in tree.entries and len(tree.entries) == 1:
        (entry,) = tree.entries.values()
        if isinstance(entry.value, Mapping) and part in entry.value.entries:
            return entry.value
    return tree


def model_at(model: type[BaseModel], tree: Tree, location: Location) -> type[BaseModel] | None:
    """The model whose fields stand at `location` below `model`, where it is one."""
    found: type[BaseModel] | None = model
    below: Tree | None = tree
    for part in location:
        below = below.get(str(part)) if isinstance(below, Mapping) else None
        if isinstance(part, int):
            continue
        info = found.model_fields.get(part) if found is not None else None
        if info is None:
            return None
        named = next((m for m in info.metadata if isinstance(m, Named)), None)
        if named is not None:
            found = named.model(next(iter(below.entries), "")) if isinstance(below, Mapping) else None
        else:
            found = _model_in(info.annotation)
    return found


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        inner = _model_in(argument)
        if inner is not None:
            return inner
    return None
