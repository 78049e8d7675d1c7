"""`defaults:` of a spec: values for the fields of a block or op, wherever they are not given.

They reach the nodes that are written in the spec, and those that a block makes when it expands.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as AnyMapping
from typing import Any

from cnnspec.blocks.base import nested_fields
from cnnspec.diagnostics import Report
from cnnspec.params import FAILED
from cnnspec.registry import keys, spec_class
from cnnspec.schema import Spec
from cnnspec.source import Entry, Mapping, Tree
from cnnspec.synonyms import meant_block
from cnnspec.validation import part_of, validate
from cnnspec.validation.explaining import unknown_field


class Defaults:
    """The checked defaults of one document."""

    def __init__(
        self, tree: Tree | None, report: Report, evaluate: Callable[[Tree], Any], user_blocks: AnyMapping[str, Any]
    ) -> None:
        self._trees: dict[str, Mapping] = {}
        self._values: dict[str, dict[str, Any]] = {}
        self._wrong: dict[str, list[Entry]] = {}
        self._merged: dict[int, tuple[Mapping, Mapping]] = {}
        #: By identity, with what was filled, so that no other comes to have the same one.
        self._filled: dict[int, tuple[Spec, Spec]] = {}
        if tree is None:
            return
        if not isinstance(tree, Mapping):
            report.error("E103", "`defaults` should be a mapping of blocks to fields", tree.span,
                         "write `defaults: {conv: {act: relu}}`")  # fmt: skip
            return
        for key, entry in tree.entries.items():
            if key not in keys() and key not in user_blocks:
                near = meant_block(key, sorted({*keys(), *user_blocks}))
                hint = f"did you mean `{near}`?" if near else "`cnnspec list --blocks` shows them"
                report.error("E106", f"there is no block `{key}`", entry.key_span, hint)
            elif not isinstance(entry.value, Mapping):
                report.error("E103", f"the defaults of `{key}` should be a mapping of fields", entry.value.span,
                             f"write `{key}: {{...}}`")  # fmt: skip
            else:
                own = key in user_blocks
                self._trees[key] = entry.value if own else self._check(key, entry.value, report, evaluate)

    def _check(self, key: str, tree: Mapping, report: Report, evaluate: Callable[[Tree], Any]) -> Mapping:
        """The fields that there are; values that are wrong are reported here and nowhere else."""
        cls = spec_class(key)
        known: dict[str, Entry] = {}
        for name, entry in tree.entries.items():
            if name not in cls.model_fields:
                hint = unknown_field(name, list(cls.model_fields))
                report.error("E101", f"unknown field `{name}` in the defaults of `{key}`", entry.key_span, hint)
            elif name not in nested_fields(cls):
                known[name] = entry
        for name, entry in known.items():
            value = evaluate(entry.value)
            one = Mapping({name: entry}, tree.span)
            part = None
            if value is not FAILED:
                part = validate(part_of(cls, (name,)), one, report, what=f"the defaults of `{key}`", data={name: value})
            if part is None:
                self._wrong.setdefault(key, []).append(entry)
            else:
                self._values.setdefault(key, {})[name] = getattr(part, name)
        return Mapping({n: e for n, e in tree.entries.items() if n in cls.model_fields}, tree.span)

    def wrong(self, key: str, fields: Mapping) -> list[str]:
        """The `fields` of a node that come from a default which was reported as wrong."""
        wrong = self._wrong.get(key, ())
        return [name for name, entry in fields.entries.items() if any(entry is other for other in wrong)]

    def merge(self, key: str, arguments: Mapping) -> Mapping:
        """The fields written on a node, with those of the defaults that it does not give."""
        tree = self._trees.get(key)
        if tree is None:
            return arguments
        known = self._merged.get(id(arguments))
        if known is None or known[0] is not arguments:
            entries: dict[str, Entry] = {**tree.entries, **arguments.entries}
            known = self._merged[id(arguments)] = (arguments, Mapping(entries, arguments.span))
        return known[1]

    def written(self, key: str, field: str) -> Tree | None:
        """What the defaults of `key` say of a field, as it is written."""
        tree = self._trees.get(key)
        return tree.get(field) if tree is not None else None

    def fill(self, spec: Spec) -> Spec:
        """`spec` with the defaults of its key for every field that was not given."""
        values = self._values.get(spec.key)
        if not values:
            return spec
        known = self._filled.get(id(spec))
        if known is None:
            given, fields = spec.model_fields_set, type(spec).model_fields
            missing = {name: value for name, value in values.items() if name not in given and name in fields}
            known = self._filled[id(spec)] = (spec, spec.model_copy(update=missing) if missing else spec)
        return known[1]
