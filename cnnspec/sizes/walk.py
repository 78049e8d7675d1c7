"""One side of the input, followed through the shape rules of a graph: what becomes of it, and what is demanded of it.

What a node demands (a window that fits, branches that meet, a fixed reshape) becomes a condition on the size of the
input, and all conditions together say which sizes are valid. See `cnnspec.sizes.sides` for why one period is enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import Any

from cnnspec.diagnostics import Problem
from cnnspec.graph import Graph, Node, Ref
from cnnspec.ops.base import Op
from cnnspec.sizes.sides import IDENTITY, NotPeriodicError, Side, fixed, learned
from cnnspec.sizes.valid import EVERY, Valid, at_least, equal, multiple_of
from cnnspec.sizes.wording import in_words
from cnnspec.types import TensorType

AXES = ("height", "width")

#: Ops whose inputs must agree in the dimensions of the map.
_MERGES = ("add", "concat", "multiply")


@dataclass(frozen=True)
class Condition:
    """What one node demands of the input's side."""

    node: str
    valid: Valid
    #: What happens at the node for an input of this side that is refused.
    because: Callable[[int], str]


@dataclass
class AxisSizes:
    """For which heights (or widths) a network is valid, and the conditions that say so, in the order of its nodes."""

    axis: str
    base: int
    valid: Valid = EVERY
    conditions: list[Condition] = field(default_factory=list)
    #: The valid sizes where what is only for training is left out.
    without_training: Valid = EVERY
    #: Where the weights are the same ones: sizes between which trained weights may go.
    same_weights: Valid = EVERY
    #: Nodes whose weights depend on the size.
    tied: list[str] = field(default_factory=list)
    #: Whether what one side may be depends on the other one (a reshape of both).
    coupled: bool = False
    #: Says which node refuses a size, and how, where conditions do not.
    told: Callable[[int], tuple[str, str] | None] | None = None

    @property
    def rule(self) -> str:
        """The valid sizes in words."""
        return in_words(self.valid)

    def why_not(self, size: int) -> tuple[str, str] | None:
        """The first node that refuses a size, and how; `None` where the size is valid."""
        if self.told is not None:
            return self.told(size)
        found = next((c for c in self.conditions if size not in c.valid), None)
        return (found.node, found.because(size)) if found is not None else None

    def nearest(self, size: int, reach: int = 4096) -> int | None:
        """The valid size nearest to one that may not be."""
        return next((n for d in range(reach) for n in (size - d, size + d) if n > 0 and n in self.valid), None)

    def refused(self) -> tuple[int, str, str] | None:
        """The first size above the spec's own that is refused, and by which node and how."""
        for size in range(self.base, self.base + 2 * self.valid.period + 2):
            if (why := self.why_not(size)) is not None:
                return size, *why
        return None


class Walk:
    """One axis of one input, followed through a graph."""

    def __init__(self, graph: Graph, name: str, axis: int) -> None:
        self.graph = graph
        base = graph.input_types[name].shape[axis]
        self.found = AxisSizes(AXES[axis], base)
        self.dims: dict[Ref, tuple[Side, ...]] = {
            Ref(i.name): tuple(
                IDENTITY if i.name == name and d == axis else fixed(n) for d, n in enumerate(i.type.shape)
            )
            for i in graph.inputs
        }
        self._rules: dict[Any, tuple[list[tuple[Side, ...]], int] | None] = {}

    def run(self) -> AxisSizes:
        for node in self.graph.nodes:
            self._follow(node)
        return self.found

    def _demand(self, node: Node, valid: Valid, because: Callable[[int], str]) -> None:
        if any(low > 1 or high is not None for low, high in valid.bounds):
            self.found.conditions.append(Condition(node.path, valid, because))
            self.found.valid = self.found.valid & valid
            if not node.training_only:
                self.found.without_training = self.found.without_training & valid

    def _follow(self, node: Node) -> None:
        refs = [ref for ref in node.inputs if ref is not None]
        dims = [self.dims[ref] for ref in refs]
        if all(side.constant for one in dims for side in one):
            for port, output in enumerate(node.types):
                self.dims[Ref(node.path, port)] = tuple(map(fixed, output.shape))
        elif node.op.key in _MERGES:
            self.dims[Ref(node.path)] = self._merged(node, dims)
        else:
            self._apply(node, dims)

    def _merged(self, node: Node, dims: list[tuple[Side, ...]]) -> tuple[Side, ...]:
        """The dimensions of a sum, a product or a concatenation, whose inputs must agree."""
        if node.op.key == "multiply":
            dims = _without_ones(dims)
        first, *others = dims
        axes = len(first) - (node.op.key == "concat")
        for other in others:
            for axis in range(axes):
                if first[axis] != other[axis]:
                    one, two = first[axis], other[axis]
                    self._demand(node, equal(one, two), _against(one, two))
        if axes == len(first):
            return first
        last = first[-1]
        for other in others:
            last = last.plus(other[-1])
        return (*first[:-1], last)

    def _apply(self, node: Node, dims: list[tuple[Side, ...]]) -> None:
        """The dimensions after any other op: its own shape rule, asked for lengths of the one that varies."""
        varying = [(i, axis) for i, one in enumerate(dims) for axis, side in enumerate(one) if not side.constant]
        where, side = varying[0], dims[varying[0][0]][varying[0][1]]
        if len(varying) > 1:
            raise NotPeriodicError
        types = self.graph.types_into(node)
        base = types[where[0]].shape[where[1]]
        if node.op.key == "reshape":
            self._reshape(node, side, types[0], where[1])
            return
        rule = self._rule(node, types, where)
        if rule is None:
            self._demand(node, equal(side, fixed(base)), lambda n: f"{side.at(n)}, and only {base} fits")
            for port, output in enumerate(node.types):
                self.dims[Ref(node.path, port)] = tuple(map(fixed, output.shape))
            return
        ports, least = rule
        if least > 1:
            self._demand(node, at_least(side, least), lambda n: f"a side of {side.at(n)}, and the least is {least}")
        for port, after in enumerate(ports):
            self.dims[Ref(node.path, port)] = tuple(s if s.constant else side.then(s) for s in after)
        if node.parameters and _shapes(node.op, types) != _shapes(node.op, _with(types, where, base + 1)):
            self.found.tied.append(node.path)
            self.found.same_weights = self.found.same_weights & equal(side, fixed(base))

    def _rule(
        self, node: Node, types: tuple[TensorType, ...], where: tuple[int, int]
    ) -> tuple[list[tuple[Side, ...]], int] | None:
        """Each dimension of each output as a function of the one that varies, and the least length."""
        key = (node.op.key, repr(node.op), types, where)
        if key not in self._rules:
            self._rules[key] = _learn(node, types, where)
        return self._rules[key]

    def _reshape(self, node: Node, side: Side, x: TensorType, axis: int) -> None:
        """A reshape keeps the number of elements: one size fits, or with a -1 every one that divides."""
        shape = node.type.shape
        free = [i for i, d in enumerate(getattr(node.op, "shape", shape)) if d == -1]
        base, rest = x.shape[axis], prod(x.shape) // x.shape[axis]
        if not free:
            self._demand(node, equal(side, fixed(base)), lambda n: f"{side.at(n)}, and only {base} fits")
            self.dims[Ref(node.path)] = tuple(map(fixed, shape))
            return
        known = prod(d for i, d in enumerate(shape) if i != free[0])
        self.found.coupled |= x.rank == 3 and x.channels % known != 0
        elements = side.times(rest)
        self._demand(
            node, multiple_of(elements, known), lambda n: f"{elements.at(n)} elements, not a multiple of {known}"
        )
        share = tuple(n // known for n in elements.table)
        if elements.step % known == 0 and all(n % known == 0 for n in elements.table):
            free_side = Side(elements.step // known, share)
        else:
            turns = known
            table = tuple(elements.at(n) // known for n in range(elements.period * turns))
            free_side = Side(elements.step, table)
        self.dims[Ref(node.path)] = tuple(free_side if i == free[0] else fixed(d) for i, d in enumerate(shape))


def _without_ones(dims: list[tuple[Side, ...]]) -> list[tuple[Side, ...]]:
    """The factors of a product without those that are 1x1, which go with every map.

    Raises `NotPeriodicError` where one may become 1x1 at a size at which another is not.
    """
    maps = [one for one in dims if not all(side == fixed(1) for side in one[:-1])] or dims
    thin = any(side == fixed(1) for one in maps for side in one[:-1])
    if thin and any(one != maps[0] for one in maps):
        raise NotPeriodicError
    return maps


def _learn(
    node: Node, types: tuple[TensorType, ...], where: tuple[int, int]
) -> tuple[list[tuple[Side, ...]], int] | None:
    window, base = node.op.sliding_window(*types), types[where[0]].shape[where[1]]
    period = window.stride[where[1]] if window is not None and where[1] < 2 else 1

    def outputs(length: int) -> list[tuple[int, ...]] | None:
        try:
            found = node.op.infer(*_with(types, where, length))
        except Problem:
            return None
        shapes = [t.shape for t in (found if isinstance(found, tuple) else (found,))]
        return shapes if all(d >= 1 for shape in shapes for d in shape) else None

    if outputs(base + 1) is None:
        return None
    ports, least = [], 1
    for port, shape in enumerate(node.types):
        sides = []
        for axis in range(shape.rank):

            def rule(length: int, port: int = port, axis: int = axis) -> int | None:
                found = outputs(length)
                return None if found is None else found[port][axis]

            side, low = learned(rule, period, base)
            sides.append(side)
            least = max(least, low)
        ports.append(tuple(sides))
    return ports, least


def _with(types: tuple[TensorType, ...], where: tuple[int, int], length: int) -> tuple[TensorType, ...]:
    """Types with one dimension of one of them changed."""
    number, axis = where
    shape = list(types[number].shape)
    shape[axis] = length
    return (*types[:number], types[number].with_shape(*shape), *types[number + 1 :])


def _shapes(op: Op, types: tuple[TensorType, ...]) -> dict[str, tuple[int, ...]]:
    return {name: parameter.shape for name, parameter in op.parameters(*types).items()}


def _against(one: Side, other: Side) -> Callable[[int], str]:
    """What is said where two sides should agree."""
    return lambda n: f"{one.at(n)} against {other.at(n)}"
