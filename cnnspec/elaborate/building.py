"""What a block gets while it expands."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from cnnspec.blocks.base import Block, Value
from cnnspec.diagnostics import Problem
from cnnspec.elaborate.assembly import UNKNOWN, Poisoned, check_inputs
from cnnspec.elaborate.calling import named_outputs
from cnnspec.elaborate.frames import Frame
from cnnspec.graph import Origin
from cnnspec.ops.base import Op
from cnnspec.scaling.scaler import Follower
from cnnspec.schema import Spec
from cnnspec.validation.words import should_be, shown

if TYPE_CHECKING:
    from cnnspec.elaborate.walk import Elaborator


class Building:
    """The `Builder` of one application of a block."""

    def __init__(self, walk: Elaborator, frame: Frame, path: str, origin: Origin) -> None:
        self._walk = walk
        self._frame = frame
        self._path = path
        self._origin = origin

    def __call__(
        self, spec: Spec, *inputs: Value | None, id: str | None = None, why: AnyMapping[str, str] | None = None
    ) -> Value:
        if any(value is UNKNOWN for value in inputs):
            raise Poisoned
        path = f"{self._path}.{id}" if id is not None else self._path
        origin = replace(self._origin, why={**self._origin.why, **why}) if why else self._origin
        for name, text in why.items() if why else ():
            self._walk.scale.derived.append(Follower(path, name, getattr(spec, name), text))
        spec = self._walk.filled(spec, path)
        if isinstance(spec, Op):
            value = self._op(spec, inputs, path, origin)
        else:
            assert isinstance(spec, Block)
            check_inputs(spec.key, spec.arity, inputs, labels=spec.takes_labels)
            present = tuple(value for value in inputs if value is not None)
            inside = replace(origin, blocks=(*origin.blocks, spec.key))
            expanded = self._unfolded(spec, path, inside, *present)
            value = named_outputs(self._walk, path, expanded) if isinstance(expanded, dict) else expanded
        self._walk.assembly.scopes[path] = value.ref
        return value

    def _unfolded(self, block: Block, path: str, origin: Origin, *inputs: Value) -> Value | dict[str, Value]:
        """What a block stands for; fields that it passes on to a part, and that the part refuses, are its mistake."""
        try:
            return block.unfold(Building(self._walk, self._frame, path, origin), *inputs)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = str(first["loc"][0]) if first["loc"] else ""
            field = name if name in type(block).model_fields else None
            message = f"`{name}` of `{error.title}`, a part of `{block.key}`, {should_be(first)}, and is {shown(first['input'])}"
            raise Problem("E109", message, "other values of its fields", field=field) from None

    def _op(self, op: Op, inputs: tuple[Value | None, ...], path: str, origin: Origin) -> Value:
        frame = self._frame
        try:
            return self._walk.assembly.add(
                path, op, inputs, origin, training_only=frame.training_only, owner=frame.owner_of(path)
            )
        except Problem as problem:
            raise self._walk.fail(problem, origin, inputs) from None

    def layers(self, layers: Any, *inputs: Value, id: str) -> Value:
        value = self._walk.layers(layers, self._frame.nested(f"{self._path}.{id}", inputs), id)
        if value is UNKNOWN:
            raise Poisoned
        return value

    def branch(self, branch: Any, *inputs: Value, id: str) -> Value:
        value = self._walk.branch(branch, self._frame, f"{self._path}.{id}", inputs)
        if value is UNKNOWN:
            raise Poisoned
        return value
