"""Valid sizes of networks that are built otherwise for other sizes, since expressions of the spec ask for them.

While a spec is elaborated, every expression that sees a shape is noted. The shapes are known as functions of the
input's size, so that what the expressions would give for another size can be said without building the network again:
where all give the same, the same network is built. Only where one gives something else is there another network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import lcm
from typing import Any

from cnnspec.diagnostics import Problem, Report, SpecError
from cnnspec.expressions import Scope, Template, watched
from cnnspec.frontend import LoadedSpec, SpecLike, check_spec
from cnnspec.graph import Ref
from cnnspec.sizes.sides import MOST_PERIOD, NotPeriodicError, Side
from cnnspec.sizes.valid import EVERY, repeating
from cnnspec.sizes.walk import AXES, AxisSizes, Walk
from cnnspec.types import TensorType

#: Networks that are built for one family of sizes at most.
_MOST_BUILT = 400

#: Sizes looked at where the period is short.
_LEAST_END = 64

_NUMBER = re.compile(r"\b\d{1,5}\b")


@dataclass(frozen=True)
class Asked:
    """An expression that saw shapes, what it saw, and what it gave."""

    template: Template
    names: Mapping[str, Any]

    def at(self, names: Mapping[str, Any]) -> Any:
        """Its value with other shapes; a mistake is a value, too."""
        try:
            return self.template.evaluate({**self.names, **names})
        except Problem as problem:
            return problem.code

    @property
    def largest(self) -> int:
        """The largest number written in it, which sizes may be compared with."""
        numbers = (
            int(n) for part in self.template.parts if not isinstance(part, str) for n in _NUMBER.findall(part[0])
        )
        return max(numbers, default=0)


@dataclass
class Structure:
    """The network that is built for one size, and the expressions that made it so."""

    loaded: LoadedSpec
    asked: list[Asked]
    walks: dict[str, Walk] = field(default_factory=dict)
    _sides: dict[int, tuple[Side, ...] | None] = field(default_factory=dict)
    _values: list[Any] = field(default_factory=list)

    @classmethod
    def built(cls, spec: SpecLike, given: Mapping[str, Any], report: Report | None = None) -> Structure:
        """The network, with its expressions. **Errors**: `SpecError` where it is wrong, if no `report` is given."""
        asked: dict[tuple[Any, ...], Asked] = {}

        def note(template: Template, scope: Scope) -> None:
            names = {name: scope[name] for name in template.names if name in scope}
            if any(isinstance(value, TensorType) for value in names.values()):
                key = (
                    template.parts,
                    *((n, id(v) if isinstance(v, TensorType) else repr(v)) for n, v in names.items()),
                )
                asked.setdefault(key, Asked(template, names))

        into = report if report is not None else Report()
        with watched(note):
            loaded = check_spec(spec, into, set=given)
        into.raise_if_failed()
        assert loaded is not None
        return cls(loaded, list(asked.values()))

    @property
    def asks_for_sizes(self) -> bool:
        """Whether an expression asks for more of a shape than its channels."""
        return any(not _channels_alone(each) for each in self.asked)

    def follow(self, name: str, axes: tuple[str, ...]) -> None:
        """Follow the sides of an input that vary through the network."""
        graph = self.loaded.whole
        self.walks = {axis: Walk(graph, name, AXES.index(axis)) for axis in axes}
        for walk in self.walks.values():
            walk.run()
        entries = [(i.type, Ref(i.name)) for i in graph.inputs]
        entries += [(t, Ref(node.path, port)) for node in graph.nodes for port, t in enumerate(node.types)]
        self._sides = {id(type_): self._dimensions(ref) for type_, ref in entries}
        self._values = [each.at({}) for each in self.asked]

    def _dimensions(self, ref: Ref) -> tuple[Side, ...] | None:
        """The dimensions of a node's output as functions of the size, `None` where two sides come together in one."""
        found: list[Side] = []
        for dims in zip(*(walk.dims[ref] for walk in self.walks.values()), strict=True):
            varying = [side for side in dims if not side.constant]
            if len(varying) > 1:
                return None
            found.append(varying[0] if varying else dims[0])
        return tuple(found)

    def is_built_for(self, size: int) -> bool:
        """Whether this very network is the one of another size."""
        for each, value in zip(self.asked, self._values, strict=True):
            shapes: dict[str, Any] = {}
            for name, seen in each.names.items():
                if isinstance(seen, TensorType):
                    sides = self._sides.get(id(seen))
                    if sides is None:
                        return False
                    shapes[name] = seen.with_shape(*(side.at(size) for side in sides))
            if each.at(shapes) != value:
                return False
        return True

    def refusal(self, size: int) -> tuple[str, str] | None:
        """The first node of this network that refuses a size, and how."""
        found = (walk.found.why_not(size) for walk in self.walks.values())
        return next((why for why in found if why is not None), None)

    def has_the_weights_of(self, other: Structure, size: int) -> bool:
        """Whether the weights of this network at a size are those of another one as written."""
        mine, theirs = self.loaded.graph.parameters, other.loaded.graph.parameters
        same = {path: p.shape for path, p in mine.items()} == {path: p.shape for path, p in theirs.items()}
        return same and all(size in walk.found.same_weights for walk in self.walks.values())

    @property
    def largest_size_compared(self) -> int:
        """The size of the input at which a side is as long as the largest number that is written in an expression."""
        found = [0]
        for each in self.asked:
            seen = [self._sides.get(id(shape)) or () for shape in each.names.values()]
            pixels = [-(-side.period // side.step) for sides in seen for side in sides if side.step > 0]
            found.append(each.largest * max(pixels, default=1))
        return max(found)

    @property
    def period(self) -> int:
        sides = [side for dims in self._sides.values() if dims is not None for side in dims]
        return lcm(*{side.period for side in sides}, *{walk.found.valid.period for walk in self.walks.values()})


class Family:
    """The networks of one spec at all sizes of one axis, or of both together."""

    def __init__(
        self, spec: SpecLike, given: dict[str, Any], name: str, axes: tuple[str, ...], first: Structure
    ) -> None:
        self.spec, self.given, self.name, self.axes = spec, given, name, axes
        self.base = getattr(next(i.type for i in first.loaded.graph.inputs if i.name == name), axes[0])
        first = Structure(first.loaded, first.asked)
        first.follow(name, axes)
        self.known = [first]
        self.built = 0
        self.wrong: dict[int, str] = {}

    def sizes(self) -> AxisSizes:
        """For which sizes the networks are valid. Raises `NotPeriodicError` where no rule can be said."""
        first = self.known[0]
        period = first.period
        # Twice as far as the size at which a number written in an expression could matter, and as far again.
        end = max(4 * period, 2 * (self.base + period), _LEAST_END, 4 * first.largest_size_compared)
        if end > MOST_PERIOD:
            raise NotPeriodicError
        refused = [self.why_not(size) for size in range(1, end)]
        flags = [False, *(why is None for why in refused)]
        weights = [False, *(self._same_weights(size) for size in range(1, end))]
        axis = AxisSizes(" and ".join(self.axes), self.base, repeating(flags), told=self.why_not)
        axis.same_weights = EVERY if all(weights[1:]) else repeating(weights)
        axis.tied = first.walks[self.axes[0]].found.tied
        return axis

    def why_not(self, size: int) -> tuple[str, str] | None:
        """The node that refuses a size, and how; `None` where the size is valid."""
        structure = self._structure(size)
        return structure.refusal(size) if structure is not None else ("", self.wrong[size])

    def _same_weights(self, size: int) -> bool:
        structure = self._structure(size)
        return structure is not None and structure.has_the_weights_of(self.known[0], size)

    def _structure(self, size: int) -> Structure | None:
        """The network of a size, `None` where there is none."""
        if size in self.wrong:
            return None
        found = next((structure for structure in self.known if structure.is_built_for(size)), None)
        return found if found is not None else self._build(size)

    def _build(self, size: int) -> Structure | None:
        self.built += 1
        if self.built > _MOST_BUILT:
            raise NotPeriodicError
        report = Report()
        given = {**self.given, **{f"{self.name}.{axis}": size for axis in self.axes}}
        try:
            structure = Structure.built(self.spec, given, report)
        except SpecError:
            self.wrong[size] = next(d.message for d in report if d.severity == "error")
            return None
        structure.follow(self.name, self.axes)
        self.known.append(structure)
        return structure


def _channels_alone(each: Asked) -> bool:
    """Whether an expression gives the same for shapes of other sizes."""
    texts = [part[0] for part in each.template.parts if not isinstance(part, str)]
    return not any(re.search(r"\.(height|width|size|shape)\b", text) for text in texts) and not any(
        _bare(text, name) for text in texts for name, value in each.names.items() if isinstance(value, TensorType)
    )


def _bare(text: str, name: str) -> bool:
    """Whether a shape is used as a whole."""
    return re.search(rf"\b{re.escape(name)}\b(?!\s*\.)", text) is not None
