"""One application of a block: its fields evaluated, validated, and expanded into ops."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cnnspec.blocks.base import Value, nested_fields
from cnnspec.diagnostics import Label, Problem, Span, listing
from cnnspec.elaborate.assembly import UNKNOWN, Exhausted, Poisoned
from cnnspec.elaborate.building import Building
from cnnspec.elaborate.calling import call_block, share
from cnnspec.elaborate.evaluation import evaluate_tree
from cnnspec.elaborate.frames import Frame, NodeParts
from cnnspec.expressions import parse_template
from cnnspec.graph import Origin
from cnnspec.ops.base import Op
from cnnspec.params import FAILED
from cnnspec.registry import spec_class
from cnnspec.scaling.fields import is_literal, scale_fields
from cnnspec.schema import Spec
from cnnspec.source import Entry, Mapping, Scalar, Sequence, Tree, dump, plain
from cnnspec.validation import validate

if TYPE_CHECKING:
    from cnnspec.elaborate.walk import Elaborator

MOST_NESTING = 32


class Applications:
    """Applies blocks for a walk."""

    def __init__(self, walk: Elaborator) -> None:
        self._walk = walk
        #: Validated fields without expressions, by what they were written as: a repetition validates once.
        self._constant: dict[tuple[type[Spec], int], tuple[Mapping, Spec]] = {}

    def apply(
        self, parts: NodeParts, arguments: Tree | None, frame: Frame, path: str, inputs: tuple[Value, ...]
    ) -> Value:
        """Apply a block once, at `path`."""
        walk, key = self._walk, parts.key
        if frame.depth > MOST_NESTING:
            _too_deep(walk, parts, frame)
        if key == "shared":
            return share(walk, parts, arguments, frame, path, inputs)
        if key == "layers":
            return self._grouped(arguments, frame, path, inputs)
        if key in walk.blocks:
            return call_block(walk, walk.blocks[key], parts, arguments, frame, path, inputs)
        cls = spec_class(key)
        written = arguments.span if arguments is not None else parts.key_span
        if issubclass(cls, Op) and cls.arity[1] is None:
            if isinstance(arguments, Sequence):
                inputs, arguments = walk.branches(arguments, frame, path, inputs), None
            elif "from" not in parts.reserved:
                _not_joined(walk, parts, frame)
        tree = walk.defaults.merge(key, self._as_mapping(cls, parts, arguments, frame))

        def expand(inputs: tuple[Value, ...]) -> Value:
            spec, origin = self._spec(cls, parts, tree, frame, path, written)
            if any(value is UNKNOWN for value in inputs):
                for name in nested_fields(cls):
                    walk.survey.nested(getattr(spec, name))
                raise Poisoned
            try:
                return Building(walk, frame, path, origin)(spec, *inputs)
            except Problem as problem:
                raise walk.fail(problem, origin, inputs) from None

        if walk.folding is None or issubclass(cls, Op):
            return expand(inputs)
        return walk.folding.apply(key, tree, nested_fields(cls), cls.chance_fields, frame, path, inputs, expand)

    def _grouped(self, layers: Tree | None, frame: Frame, path: str, inputs: tuple[Value, ...]) -> Value:
        """A list of nodes in the place of a block."""

        def expand(inputs: tuple[Value, ...]) -> Value:
            return known(self._walk.layers(layers, frame.nested(path, inputs)))

        if self._walk.folding is None or layers is None:
            return expand(inputs)
        return self._walk.folding.apply("layers", layers, (), (), frame, path, inputs, expand)

    def _spec(
        self, cls: type[Spec], parts: NodeParts, tree: Mapping, frame: Frame, path: str, written: Span
    ) -> tuple[Spec, Origin]:
        """The validated fields of a node, with where each was written and how it came by its value."""
        walk = self._walk
        fields = {name: entry.value.span for name, entry in tree.entries.items()}
        origin = Origin(f"`{parts.key}` at `{path}`", written, frame.origin, fields)
        remembered = self._constant.get((cls, id(tree)))
        if remembered is not None and remembered[0] is tree:
            return remembered[1], origin
        data, why, constant = self._fields(cls, tree, frame, path)
        labels = [Label(f"in {o.what}", o.span) for o in origin.chain()][1:]
        failed = [name for name, value in data.items() if value is FAILED]
        failed += walk.defaults.wrong(parts.key, tree)
        if failed:
            # The others are looked at all the same: each mistake is one of its own.
            walk.survey.fields(cls, tree, parts.key, parts.key_span, skip=failed, labels=labels)
            raise Poisoned
        scale_fields(walk.scale, cls, tree, data, path, why)
        spec = validate(cls, tree, walk.report, what=parts.key, data=data, span=parts.key_span, labels=labels)
        if spec is None:
            for name in nested_fields(cls):
                walk.survey.nested(data.get(name))
            raise Poisoned
        if constant:
            self._constant[cls, id(tree)] = (tree, spec)
        return spec, replace(origin, why=why) if why else origin

    def _fields(
        self, cls: type[Spec], tree: Mapping, frame: Frame, path: str
    ) -> tuple[dict[str, Any], dict[str, str], bool]:
        """The evaluated fields of a node, how they came by their values, and whether none holds an expression."""
        walk, keep = self._walk, nested_fields(cls)
        data: dict[str, Any] = {}
        why: dict[str, str] = {}
        constant = walk.scale.idle
        labels = frame.chain() if frame.origin else ()
        for name, entry in tree.entries.items():
            if name in keep:
                data[name] = entry.value
                continue
            value = data[name] = evaluate_tree(entry.value, frame.names, walk.report, labels)
            if is_literal(entry.value):
                continue
            constant = False
            if value is not FAILED and isinstance(entry.value, Scalar) and walk.folding is None:
                why[name] = _explanation(name, str(entry.value.value), frame.names)
        return data, why, constant

    def _as_mapping(self, cls: type[Spec], parts: NodeParts, arguments: Tree | None, frame: Frame) -> Mapping:
        """The arguments of a node as a mapping: a bare value stands for the main field."""
        if isinstance(arguments, Mapping):
            return arguments
        if arguments is None or (isinstance(arguments, Scalar) and arguments.value is None):
            return parts.empty
        if cls.main is not None:
            return Mapping({cls.main: Entry(parts.key_span, arguments)}, arguments.span)
        if isinstance(arguments, Sequence):
            self._walk.survey.nested(arguments)
        self._walk.report.error("E103", f"`{parts.key}` should have a mapping of fields", arguments.span,
                                _as_fields(cls, parts.key, arguments), frame.chain())  # fmt: skip
        raise Poisoned


def _not_joined(walk: Elaborator, parts: NodeParts, frame: Frame) -> None:
    """Report a merge that names nothing to merge with the node before."""
    message = f"`{parts.key}` joins several nodes, and names none"
    walk.report.error("E204", message, parts.key_span, f"write `{parts.key}: [a, b]`, or `from: [a, b]`", frame.chain())
    raise Poisoned


def _as_fields(cls: type[Spec], key: str, arguments: Tree) -> str:
    """What to write instead of a bare value."""
    if issubclass(cls, Op) and cls.arity[1] is None:
        return f"write `{key}: [{plain(arguments)}, ...]`, or name its inputs with `from`"
    if not cls.model_fields:
        return f"it has no fields: write `{key}`"
    required = [name for name, info in cls.model_fields.items() if info.is_required()]
    first = required[0] if required else next(iter(cls.model_fields))
    bare = isinstance(arguments, Scalar) or first in nested_fields(cls)
    value = dump(plain(arguments)).strip() if isinstance(arguments, Scalar) else "[...]"
    return f"write `{key}: {{{first}: {value}}}`" if bare else f"the fields are {listing(cls.model_fields, 20)}"


def _explanation(name: str, text: str, names: AnyMapping[str, Any]) -> str:
    template = parse_template(text)
    shown = template.explain(names) if template is not None else text
    return f"{name} {shown}".replace(f"{name} {name} ", f"{name} ")


def _too_deep(walk: Elaborator, parts: NodeParts, frame: Frame) -> None:
    """Report blocks that are nested too deep, and which of them use themselves."""
    origins = list(frame.origin.chain()) if frame.origin is not None else []
    names = [parts.key, *(origin.what.split("`")[1] for origin in origins)]
    spans = [parts.key_span, *(origin.span for origin in origins)]
    # The innermost block that stands a second time around itself.
    first = next((place for place, name in enumerate(names) if name in names[place + 1 :]), None)
    if first is None:
        message = f"blocks are nested more than {MOST_NESTING} deep at `{parts.key}`"
        walk.report.error("E705", message, parts.key_span, "nest less deep")
        raise Poisoned
    circle = names[first : names.index(names[first], first + 1) + 1]
    message = f"`{names[first]}` uses itself, more than {MOST_NESTING} deep: {' -> '.join(reversed(circle))}"
    walk.report.error("E705", message, spans[first], "write a repetition with `repeat`, or end it with `when`")
    # Every other node of the circle would be as deep.
    raise Exhausted


def known(value: Value) -> Value:
    """`value`, if there is one."""
    if value is UNKNOWN:
        raise Poisoned
    return value
