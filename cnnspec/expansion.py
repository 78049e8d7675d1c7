"""The merged document as text: what `cnnspec expand` prints and what an artefact carries."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from typing import Any

from cnnspec.merge import KEYS
from cnnspec.source import Mapping, dump, plain


def expanded_text(tree: Mapping, given: AnyMapping[str, Any] | None = None) -> str:
    """The spec with nothing left to merge: values that were set are the defaults of their params.

    Where values come from outside (`given`) the expectations no longer speak of this network, and are left out.
    """
    data: dict[str, Any] = plain(tree)
    values = {**(data.pop("set", None) or {}), **(given or {})}
    for name, value in values.items():
        if name.startswith("input."):
            data["input"][name.removeprefix("input.")] = value
        elif isinstance(data.get("params"), dict) and name in data["params"]:
            data["params"][name] = _with_default(data["params"][name], value)
    if given:
        data.pop("expect", None)
        data["layers"] = _without_expect(data.get("layers"))
    return dump({key: data[key] for key in KEYS if key in data})


def _with_default(declared: Any, value: Any) -> Any:
    """A declaration with another default."""
    if isinstance(declared, dict):
        return {**declared, "default": value}
    if isinstance(declared, str) and declared in ("int", "float", "bool", "str", "any"):
        return {"type": declared, "default": value}
    if isinstance(declared, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _without_expect(layers: Any) -> Any:
    if isinstance(layers, list):
        return [_without_expect(item) for item in layers]
    if isinstance(layers, dict):
        return {name: _without_expect(value) for name, value in layers.items() if name != "expect"}
    return layers
