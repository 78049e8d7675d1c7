"""The merged document as text: what `cnnspec expand` prints and what an artefact carries."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from typing import Any

from cnnspec.document import InputSpec
from cnnspec.expressions import Template, parse_template
from cnnspec.merge import KEYS
from cnnspec.scaling.scaler import Scaler, place
from cnnspec.source import Entry, Mapping, Scalar, Sequence, dump, plain


def expanded_text(
    tree: Mapping,
    inputs: AnyMapping[str, InputSpec],
    given: AnyMapping[str, Any] | None = None,
    scaler: Scaler | None = None,
) -> str:
    """The spec with nothing left to merge: values that were set are the defaults of their params.

    Where values come from outside (`given`, or a `scaler`) the expectations no longer speak of this network, and are
    left out; scaled numbers, and the sizes of `inputs`, are written out, so that the result needs no scaling any more.
    """
    if scaler is not None and not scaler.ambiguous:
        tree = scaled_tree(tree, scaler)
    data: dict[str, Any] = plain(tree)
    values = {**(scaler.params if scaler else {}), **(data.pop("set", None) or {}), **(given or {})}
    for name, value in values.items():
        if "." in name:
            owner, _, field = name.partition(".")
            (data["input"] if owner == "input" and "input" in data else data["inputs"][owner])[field] = value
        elif isinstance(data.get("params"), dict) and name in data["params"]:
            data["params"][name] = _with_default(data["params"][name], value)
    if scaler is not None:
        data.pop("scale", None)
        for name, declared in (data.get("params") or {}).items():
            scaled = isinstance(declared, dict) and declared.get("scale") and not scaler.ambiguous
            if (scaled and not _template(declared)) or "scale" in getattr(_template(declared), "names", ()):
                value = scaler.values[name]
                data["params"][name] = _with_default(declared, list(value) if isinstance(value, tuple) else value)
        if "variants" in (data.get("scaling") or {}):
            # They are factors on the network that was scaled, and would scale this one a second time.
            del data["scaling"]["variants"]
        if scaler.ambiguous:
            # A literal that became two numbers cannot be written as one: the factors stay in the spec.
            data["scale"] = {"width": scaler.width, "depth": scaler.depth}
        for name, entry in ({"input": data["input"]} if "input" in data else data["inputs"]).items():
            if scaler.resizes and inputs[name].height:
                _resize(entry, inputs[name])
    if given or scaler is not None:
        data.pop("expect", None)
        data["layers"] = _without_expect(data.get("layers"))
    return dump({key: data[key] for key in KEYS if key in data})


def scaled_tree(tree: Any, scaler: Scaler) -> Any:
    """A tree with every literal that was scaled replaced by what it became."""
    if isinstance(tree, Scalar):
        at = place(tree.span)
        return Scalar(scaler.written[at], tree.span) if at in scaler.written else tree
    if isinstance(tree, Sequence):
        return Sequence(tuple(scaled_tree(item, scaler) for item in tree.items), tree.span)
    entries = {name: Entry(entry.key_span, scaled_tree(entry.value, scaler)) for name, entry in tree.entries.items()}
    return Mapping(entries, tree.span)


def _template(declared: Any) -> Template | None:
    """The expression that gives a param its value; one that asks for the scale loses its meaning once that is gone."""
    text = declared.get("default") if isinstance(declared, dict) else declared
    return parse_template(text) if isinstance(text, str) else None


def _resize(entry: dict[str, Any], scaled: InputSpec) -> None:
    """The size of an input, and those of its preprocessing, as numbers."""
    entry["height"], entry["width"] = scaled.height, scaled.width
    if scaled.preprocess is not None:
        written = scaled.preprocess.model_dump(mode="json")
        for key in ("resize", "pad", "crop", "stretch"):
            if written.get(key) is not None:
                entry["preprocess"][key] = written[key]


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
