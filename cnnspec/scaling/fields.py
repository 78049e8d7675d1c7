"""Scaling of what is written on a node: literal widths and depths are multiplied, expressions give what they give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnnspec.params import Declaration
from cnnspec.scaling.scaler import Follower, Kind, Scaler
from cnnspec.schema import Spec
from cnnspec.source import Mapping, Scalar, Sequence, Tree, plain


def scale_fields(
    scale: Scaler, cls: type[Spec], tree: Mapping, data: dict[str, Any], path: str, why: dict[str, str]
) -> None:
    """Scale the evaluated fields of a node in place; `why` learns how each number came about."""
    groups = data.get("groups", 1) if cls.grouped_fields else 1
    depthwise = "filters" in cls.grouped_fields and _number(groups) and 1 < groups == data.get("filters")
    for name, value in data.items():
        keep = groups if name in cls.grouped_fields and _number(groups) and not depthwise else 1
        data[name] = _scaled(scale, cls, name, value, tree.entries[name].value, path, why, keep)
    if depthwise and is_literal(tree.entries["groups"].value):
        data["groups"] = scale.follow("groups", groups, data["filters"], path, tree.entries["groups"].value)


def scale_filled(scale: Scaler, spec: Spec, filled: Spec, trees: Callable[[str], Tree | None], path: str) -> Spec:
    """A part of a block with its defaults filled in, those that are widths or depths scaled."""
    if scale.idle or filled is spec:
        return filled
    changes: dict[str, Any] = {}
    for name in (*type(filled).width_fields, *type(filled).depth_fields):
        tree = trees(name) if name not in spec.model_fields_set else None
        if tree is not None:
            changes[name] = _scaled(scale, type(filled), name, getattr(filled, name), tree, path, {}, 1)
    return filled.model_copy(update=changes) if changes else filled


def scale_param(
    scale: Scaler, declaration: Declaration, tree: Tree, value: Any, path: str, index: str = "", record: bool = True
) -> Any:
    """The value of a param that is declared to scale; lists element by element."""
    kind = declaration.declared.scale
    if kind is None or not is_literal(tree):
        return value
    if isinstance(value, list) and isinstance(tree, Sequence):
        return [
            scale_param(scale, declaration, t, v, path, f"{index}[{number}]", record)
            for number, (t, v) in enumerate(zip(tree.items, value, strict=True))
        ]
    if _number(value):
        return scale(declaration.name + index, value, path, tree if record else None, kind)[0]
    return value


def is_literal(tree: Tree) -> bool:
    """Whether a tree holds no expression."""
    if isinstance(tree, Scalar):
        return not (isinstance(tree.value, str) and "$" in tree.value)
    if isinstance(tree, Sequence):
        return all(is_literal(item) for item in tree.items)
    return all(is_literal(entry.value) for entry in tree.entries.values())


def _scaled(
    scale: Scaler, cls: type[Spec], name: str, value: Any, tree: Tree, path: str, why: dict[str, str], groups: int
) -> Any:
    """A field with its numbers scaled; a field within a field is named `outer.inner`."""
    if isinstance(value, dict) and isinstance(tree, Mapping):
        return {
            inner: _scaled(scale, cls, f"{name}.{inner}", item, tree.entries[inner].value, path, why, 1)
            for inner, item in value.items()
        }
    if isinstance(value, list) and isinstance(tree, Sequence) and name in cls.width_fields:
        return [
            _scaled(scale, cls, f"{name}[{index}]", item, tree.items[index], path, why, groups)
            for index, item in enumerate(value)
        ]
    field = name.partition("[")[0]
    kind: Kind | None = "width" if field in cls.width_fields else "depth" if field in cls.depth_fields else None
    if kind is None or not _number(value):
        return value
    if not is_literal(tree):
        scale.followers.append(Follower(path, name, value, str(plain(tree))))
        return value
    value, how = scale(name, value, path, tree, kind, groups)
    if how:
        why[name] = how
    return value


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
