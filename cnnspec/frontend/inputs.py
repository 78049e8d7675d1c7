"""The inputs of a network: their shapes, and how they are made from images."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from typing import Any

from cnnspec.diagnostics import Report, Span, did_you_mean, listing
from cnnspec.document import InputSpec
from cnnspec.elaborate import evaluate_tree
from cnnspec.elaborate.assembly import MOST_ELEMENTS
from cnnspec.frontend.header import misspelt, outside
from cnnspec.frontend.names import check_input_names
from cnnspec.frontend.preprocessing import check_preprocessing
from cnnspec.params import FAILED
from cnnspec.scaling.scaler import Scaler
from cnnspec.source import Entry, Mapping, tree_of
from cnnspec.types import TensorType
from cnnspec.validation import validate
from cnnspec.validation.words import shown, word

_EXAMPLE = "{height: 224, width: 224, channels: 3}"


@dataclass
class Inputs:
    """The inputs by name: those that are right, and where all of them are written."""

    specs: dict[str, InputSpec] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return list(self.spans)


def read_inputs(
    tree: Mapping, given: AnyMapping[str, Any], scale: Scaler, params: AnyMapping[str, Any], report: Report
) -> Inputs:
    """The inputs that a spec declares; what is wrong is reported."""
    found = Inputs()
    entries = _entries(tree, report)
    for setting in given:
        name, dot, _ = setting.partition(".")
        if dot and name not in entries:
            hint = did_you_mean(name, entries) or f"the inputs are {listing(entries)}"
            report.error("E405", f"there is no input `{name}` to set `{setting}` of", outside(setting), hint)
    check_input_names(entries.items(), report)
    for name, written in entries.items():
        entry = _changed(name, written, given)
        found.spans[name] = entry.key_span
        spec = _read(name, entry, params, report)
        if spec is not None:
            channels_are_set = f"{name}.channels" in given
            check_preprocessing(name, spec, entry, report, channels_are_set=channels_are_set)
            found.specs[name] = at_resolution(spec, scale)
    if found.specs and len(found.specs) == len(entries) and all(spec.optional for spec in found.specs.values()):
        entry = tree.entries.get("inputs") or tree.entries["input"]
        report.error(
            "E109", "a network needs an input that is not optional", entry.key_span, "let one of them be always there"
        )
    return found


def _entries(tree: Mapping, report: Report) -> dict[str, Entry]:
    """The inputs as they are written, by name."""
    many, one = tree.entries.get("inputs"), tree.entries.get("input")
    if many is None and one is None:
        if not misspelt("input", tree) and not misspelt("inputs", tree):
            report.error("E102", "the spec needs `input` or `inputs`", tree.span.first, f"add `input: {_EXAMPLE}`")
        return {}
    if many is not None and one is not None:
        report.error("E109", "the spec has both `input` and `inputs`", one.key_span, "name all of them in `inputs`")
    if many is None:
        assert one is not None
        return {"input": one}
    if isinstance(many.value, Mapping) and many.value.entries:
        return many.value.entries
    report.error("E103", f"`inputs` should be a mapping of names to inputs, and is {shown(many.value)}", many.value.span,
                 f"write `inputs: {{image: {_EXAMPLE}}}`")  # fmt: skip
    return {}


def _changed(name: str, entry: Entry, given: AnyMapping[str, Any]) -> Entry:
    """An input with what is set from outside (`--set input.height=192`)."""
    prefix = f"{name}."
    changes = {n.removeprefix(prefix): v for n, v in given.items() if n.startswith(prefix)}
    if not changes or not isinstance(entry.value, Mapping):
        return entry
    more = {}
    for field_name, value in changes.items():
        span = outside(f"{name}.{field_name}={word(value)}")
        more[field_name] = Entry(span, tree_of(value, span))
    return Entry(entry.key_span, Mapping({**entry.value.entries, **more}, entry.value.span))


def _read(name: str, entry: Entry, params: AnyMapping[str, Any], report: Report) -> InputSpec | None:
    """One input; `None` after reporting."""
    if not isinstance(entry.value, Mapping):
        report.error("E103", f"`{name}` should be a mapping of fields, and is {shown(entry.value)}", entry.value.span,
                     f"write `{name}: {_EXAMPLE}`")  # fmt: skip
        return None
    data = evaluate_tree(entry.value, params, report)
    spec = None
    if data is not FAILED:
        spec = validate(InputSpec, entry.value, report, what=name, data=data, span=entry.key_span)
    if spec is None:
        return None
    if spec.shape is None:
        report.error("E109", f"`{name}` should have height, width and channels, or features, or classes", entry.value.span,
                     "a feature map needs all three, and the others stand alone")  # fmt: skip
        return None
    if TensorType(spec.shape).size > MOST_ELEMENTS:
        size = "x".join(map(str, spec.shape))
        report.error("E704", f"`{name}` would be {size}; the most is {MOST_ELEMENTS:.2g} numbers an image", entry.value.span,
                     "make it smaller")  # fmt: skip
        return None
    return spec


def at_resolution(spec: InputSpec, scale: Scaler) -> InputSpec:
    """An input of the size that the scaling asks for, and its crop with it."""
    if not scale.resizes or not spec.height or not spec.width:
        return spec
    height, width = scale.resized(spec.height, spec.width)
    changes: dict[str, Any] = {"height": height, "width": width}
    if spec.preprocess is not None:
        sizes: dict[str, Any] = {}
        for name in ("resize", "pad"):
            if getattr(spec.preprocess, name):
                sizes[name] = round(getattr(spec.preprocess, name) * height / spec.height)
        for name in ("crop", "stretch"):
            if getattr(spec.preprocess, name):
                sizes[name] = (height, width)
        changes["preprocess"] = spec.preprocess.model_copy(update=sizes)
    return spec.model_copy(update=changes)
