"""Looks over what is not walked: nodes left out, blocks that nothing uses, and what stands behind a mistake.

Only what is wrong whatever comes in is reported: blocks and fields that are not there, and values that do not fit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from collections.abc import Mapping as AnyMapping
from typing import Any

from pydantic import ValidationError

from cnnspec.blocks.base import nested_fields
from cnnspec.diagnostics import Label, Report, Span
from cnnspec.elaborate.defaults import Defaults
from cnnspec.elaborate.frames import Frame, NodeParts
from cnnspec.elaborate.nodes import OwnBlocks, node_parts, not_a_list
from cnnspec.elaborate.user_blocks import UserBlock
from cnnspec.merge import merge_mappings
from cnnspec.ops.base import Op
from cnnspec.params import FAILED, bind
from cnnspec.registry import keys, spec_class
from cnnspec.scaling.fields import is_literal
from cnnspec.schema import Spec
from cnnspec.source import Entry, Mapping, Scalar, Sequence, Tree, plain
from cnnspec.validation.explaining import explain

_MOST_DEPTH = 32


class Survey:
    """Looks over trees for one report; what the walk reports as well is reported once."""

    def __init__(
        self, fields: OwnBlocks, blocks: AnyMapping[str, UserBlock], defaults: Defaults, report: Report
    ) -> None:
        self._fields = fields
        self._blocks = blocks
        self._defaults = defaults
        self._report = report
        #: What was looked over: a block that is used at many places is looked over once.
        self._seen: set[int] = set()

    def layers(self, tree: Tree | None) -> None:
        """A list of nodes."""
        if isinstance(tree, Sequence):
            for item in tree.items:
                self.node(item)
        elif tree is not None and not (isinstance(tree, Scalar) and "$" in str(tree.value)):
            not_a_list(tree, self._report)

    def nested(self, tree: Any) -> None:
        """What a field that holds nodes has: a list, a node, an id, or lists of them."""
        if isinstance(tree, Sequence):
            for item in tree.items:
                self.nested(item)
        elif isinstance(tree, Mapping):
            self.node(tree)

    def node(self, tree: Tree) -> None:
        """One node."""
        if id(tree) in self._seen:
            return
        self._seen.add(id(tree))
        if isinstance(tree, Sequence):
            self.nested(tree)
            return
        parts = node_parts(tree, Frame("", {}, None), self._fields, lambda t, f: FAILED, self._report)
        if parts is not None:
            self.parts(parts)

    def parts(self, parts: NodeParts) -> None:
        """What a node applies: its block, and the different first or last one."""
        self.applied(parts.key, parts.arguments, parts.key_span)
        for word in ("first", "last"):
            over = parts.reserved.get(word)
            if isinstance(over, Mapping) and isinstance(parts.arguments, Mapping):
                self.applied(parts.key, merge_mappings(parts.arguments, over), parts.key_span)

    def applied(self, key: str, arguments: Tree | None, span: Span | None = None) -> None:
        """A block with its arguments."""
        where = span or (arguments.span if arguments is not None else None)
        if key == "layers":
            self.layers(arguments)
        elif key in self._blocks:
            self._call(self._blocks[key], arguments, where)
        elif key in keys():
            cls = spec_class(key)
            if isinstance(arguments, Mapping) and where is not None:
                merged = self._defaults.merge(key, arguments)
                self.fields(cls, merged, key, where, skip=self._defaults.wrong(key, merged))
            elif isinstance(arguments, Sequence) and issubclass(cls, Op) and cls.arity[1] is None:
                self.nested(arguments)
            elif cls.main is not None and arguments is not None and where is not None and plain(arguments) is not None:
                self.fields(cls, Mapping({cls.main: Entry(where, arguments)}, arguments.span), key, where)

    def _call(self, block: UserBlock, arguments: Tree | None, span: Span | None) -> None:
        if block.broken or span is None or not (arguments is None or isinstance(arguments, Mapping)):
            return
        bind(
            block.params, self._defaults.merge(block.name, arguments or Mapping({}, span)), self._report, what=block.name, span=span, scope={},
            evaluate=lambda tree, names: plain(tree) if is_literal(tree) else FAILED,
        )  # fmt: skip

    def fields(
        self,
        cls: type[Spec],
        tree: Mapping,
        key: str,
        span: Span,
        skip: Collection[str] = (),
        labels: Iterable[Label] = (),
    ) -> None:
        """The fields of a block; those that hold expressions, and those in `skip`, are taken as right."""
        keep = nested_fields(cls)
        data: dict[str, Any] = {}
        unknown = set(skip)
        for name, entry in tree.entries.items():
            if name in keep:
                self.nested(entry.value)
                data[name] = entry.value
            elif is_literal(entry.value) and name not in skip:
                data[name] = plain(entry.value)
            elif name in cls.model_fields:
                unknown.add(name)
            else:
                data[name] = None
        try:
            cls.model_validate(data, strict=True)
        except ValidationError as error:
            for diagnostic in explain(error, cls, tree, key, span, tuple(labels), given=unknown):
                self._report.add(diagnostic)
