"""The header of a spec: its version, its params, where it is from."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from typing import Any

from cnnspec.diagnostics import Report, Source, Span
from cnnspec.document import LANGUAGE_VERSION, Document, Expect, InputSpec, Reference
from cnnspec.elaborate import evaluate_tree
from cnnspec.frontend.names import check_network_name
from cnnspec.merge import KEYS
from cnnspec.params import FAILED, bind, read_declarations
from cnnspec.scaling.fields import scale_param
from cnnspec.scaling.scaler import Scaler
from cnnspec.schema import Spec
from cnnspec.source import Entry, Mapping, Scalar, plain, tree_of
from cnnspec.synonyms import meant_field
from cnnspec.validation import part_of, validate
from cnnspec.validation.words import shown, word

_NEEDED = {"name": "vgg16", "layers": "[...]"}


def check_header(tree: Mapping, report: Report) -> None:
    """Report a version that is none, and keys that are missing."""
    version = tree.get("cnnspec")
    if version is None:
        if not misspelt("cnnspec", tree):
            report.error("E108", "the spec does not say its language version", tree.span.first,
                         f"add `cnnspec: {LANGUAGE_VERSION}` as the first line")  # fmt: skip
    elif not _is_version(version):
        report.error("E108", f"the language version should be {LANGUAGE_VERSION}, and is {shown(version)}", version.span,
                     f"write `cnnspec: {LANGUAGE_VERSION}`" + (", without quotes" if version.span.raw[:1] in "\"'" else ""))  # fmt: skip
    for name, example in _NEEDED.items():
        if name not in tree.entries and not misspelt(name, tree):
            report.error("E102", f"the spec needs `{name}`", tree.span.first, f"add `{name}: {example}`")


def misspelt(name: str, tree: Mapping) -> bool:
    """Whether a key that is missing is there under another name, or was refused already."""
    return tree.incomplete or any(word not in KEYS and meant_field(word, KEYS) == name for word in tree.entries)


def _is_version(tree: Any) -> bool:
    return isinstance(tree, Scalar) and type(tree.value) is int and tree.value == LANGUAGE_VERSION


def read_params(
    tree: Mapping, given: AnyMapping[str, Any], scale: Scaler, source: Source, report: Report
) -> dict[str, Any]:
    """The values of the params in force; `FAILED` for those that are wrong."""
    declarations = read_declarations(tree.get("params"), report)
    written = tree.get("set")
    at = tree.entries["scaling"].key_span if "scaling" in tree.entries else tree.span.first
    entries = {name: Entry(at, tree_of(value, at)) for name, value in scale.params.items()}
    if isinstance(written, Mapping):
        entries |= written.entries
    elif written is not None:
        report.error(
            "E103", "`set` should be a mapping of params to values", written.span, "write `set: {classes: 10}`"
        )
    for name, value in given.items():
        span = outside(f"{name}={word(value)}")
        if name in _input_names(tree) and name not in declarations:
            report.error("E405", f"`{name}` is an input, and has no value", span,
                         f"set its size: `{name}.height`, `{name}.width`, `{name}.channels`")  # fmt: skip
        elif "." not in name:
            entries[name] = Entry(span, tree_of(value, span))
    name_tree = tree.get("name")
    what = str(plain(name_tree)) if isinstance(name_tree, Scalar) else source.name
    values = scale.values = bind(
        declarations, Mapping(entries, tree.span), report, what=what, span=tree.span.first,
        scope={"scale": scale.names(_height(tree))},
        evaluate=lambda t, names: evaluate_tree(t, names, report), unknown="E405", missing="E406",
        sees_params=True, partial=True,
        convert=lambda d, t, value: scale_param(scale, d, t, value, "params", record=False),
    ) or {}  # fmt: skip
    return values


def _input_names(tree: Mapping) -> list[str]:
    many = tree.get("inputs")
    return [*many.entries] if isinstance(many, Mapping) else ["input"]


def outside(setting: str) -> Span:
    """The place of something that is set from outside."""
    return Span(Source("--set", setting), 1, 1, 1, len(setting) + 1)


def _height(tree: Mapping) -> int | None:
    """The height of the one input, where it is written as a number."""
    entry = tree.get("input")
    height = entry.get("height") if isinstance(entry, Mapping) else None
    return height.value if isinstance(height, Scalar) and isinstance(height.value, int) else None


def read_document(
    tree: Mapping, inputs: dict[str, InputSpec], params: dict[str, Any], report: Report
) -> Document | None:
    """The typed header; the parts that the walk needed are validated already."""
    parts = {"source": _read_part("source", Reference, tree, params, report),
             "expect": _read_part("expect", Expect, tree, params, report)}  # fmt: skip
    simple = {n: e for n, e in tree.entries.items() if n in ("cnnspec", "name", "family", "description")}
    if not _is_version(tree.get("cnnspec")):
        simple.pop("cnnspec", None)
    data = {n: evaluate_tree(e.value, params, report) for n, e in simple.items()}
    if any(value is FAILED for value in data.values()):
        return None
    if isinstance(data.get("name"), str):
        check_network_name(data["name"], simple["name"].value.span, report)
    data |= {n: v for n, v in parts.items() if v is not None}
    whole = {"cnnspec": LANGUAGE_VERSION, "name": "", **data, "inputs": inputs, "params": params}
    return validate(Document, Mapping(simple, tree.span), report, what="", data=whole, span=tree.span.first)


def _read_part(name: str, model: type[Spec], tree: Mapping, params: dict[str, Any], report: Report) -> Spec | None:
    """The fields of a part that are right, each apart from the others; `None` where none is given."""
    entry = tree.entries.get(name)
    if entry is None:
        return None
    if not isinstance(entry.value, Mapping):
        fields = ", ".join(list(model.model_fields)[:3])
        report.error("E103", f"`{name}` should be a mapping of fields, and is {shown(entry.value)}", entry.value.span,
                     f"its fields are {fields}, and more")  # fmt: skip
        return None
    values = {n: evaluate_tree(e.value, params, report) for n, e in entry.value.entries.items()}
    evaluated = {n: v for n, v in values.items() if v is not FAILED}
    written = Mapping({n: entry.value.entries[n] for n in evaluated}, entry.value.span, entry.value.incomplete)
    whole = validate(model, written, report, what=name, data=evaluated, span=entry.key_span)
    if whole is not None:
        return whole
    right = {}
    for field in evaluated.keys() & model.model_fields.keys():
        one = validate(part_of(model, (field,)), written, Report(), what=name, data={field: evaluated[field]})
        right[field] = getattr(one, field, None)
    return model.model_construct(**{n: v for n, v in right.items() if v is not None})
