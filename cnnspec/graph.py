"""The intermediate representation: a flat, typed, immutable graph of ops.

Nodes stand in an order in which every input comes before its use. A graph prints as one line a node, and that
print is what golden tests compare.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from cnnspec.ops.base import Op, Parameter
from cnnspec.types import TensorType

if TYPE_CHECKING:
    from cnnspec.diagnostics import Span


class Ref(NamedTuple):
    """One output of one node (or an input of the network)."""

    node: str
    port: int = 0

    def __str__(self) -> str:
        return f"%{self.node}:{self.port}" if self.port else f"%{self.node}"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in the specs a node comes from: the place, and through which block it was reached."""

    what: str
    span: Span | None = None
    parent: Origin | None = None
    #: Places of the values of single fields, for carets under the offending one.
    fields: Mapping[str, Span] = field(default_factory=dict)
    #: How a field came by its value ("filters 64 x expansion 4").
    why: Mapping[str, str] = field(default_factory=dict)
    #: Blocks that the written one is made of, on the way to the node, outermost first (`squeeze_excite` in `mbconv`).
    blocks: tuple[str, ...] = ()

    def chain(self) -> Iterator[Origin]:
        """This origin and those that enclose it, innermost first."""
        origin: Origin | None = self
        while origin is not None:
            yield origin
            origin = origin.parent


@dataclass(frozen=True, slots=True)
class Node:
    """One op at one place.

    `parameters` maps the op's own names to paths in the graph's table; two nodes that share weights name the
    same paths. An absent optional input is `None`.
    """

    path: str
    op: Op
    inputs: tuple[Ref | None, ...]
    types: tuple[TensorType, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    training_only: bool = False
    origin: Origin | None = None

    @property
    def type(self) -> TensorType:
        """The type of the first output."""
        return self.types[0]


@dataclass(frozen=True, slots=True)
class Input:
    """An input of the network; an optional one may be left out by the caller."""

    name: str
    type: TensorType
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Region:
    """The iterations of one `repeat`: paths `path.0`, `path.1`, ... whose nodes begin with that prefix."""

    path: str
    iterations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Derived:
    """A parameter computed from others once, at load: `function` names a rule of `cnnspec.lower.derive`."""

    function: str
    sources: tuple[str, ...]
    shape: tuple[int, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """A network.

    `scopes` maps the path of every block and node of the spec to the output it stands for, so that features can
    be asked for by id; `parameters` holds every array by path, `derived` those computed from them. `absorbed` maps
    scopes whose output is computed no more by itself to the node that it became part of.
    """

    name: str
    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    outputs: Mapping[str, Ref]
    parameters: Mapping[str, Parameter]
    scopes: Mapping[str, Ref] = field(default_factory=dict)
    regions: tuple[Region, ...] = ()
    derived: Mapping[str, Derived] = field(default_factory=dict)
    absorbed: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_path(self) -> dict[str, Node]:
        return {node.path: node for node in self.nodes}

    @cached_property
    def input_types(self) -> dict[str, TensorType]:
        return {i.name: i.type for i in self.inputs}

    def type_of(self, ref: Ref) -> TensorType:
        """The type of what `ref` names."""
        node = self.by_path.get(ref.node)
        return node.types[ref.port] if node is not None else self.input_types[ref.node]

    @cached_property
    def _named(self) -> dict[str, list[Ref]]:
        """The outputs of the blocks that have several, by path."""
        found: dict[str, list[Ref]] = {}
        for scope, ref in self.scopes.items():
            path, colon, _ = scope.partition(":")
            if colon:
                found.setdefault(path, []).append(ref)
        return found

    def outputs_at(self, path: str) -> tuple[TensorType, ...]:
        """The types of every output of a node or block of the spec, by its path; nothing for what is not there."""
        if path in self._named:
            return tuple(map(self.type_of, self._named[path]))
        if path in self.scopes:
            ref = self.scopes[path]
            return self.by_path[path].types if ref.node == path in self.by_path else (self.type_of(ref),)
        return self.by_path[path].types if path in self.by_path else ()

    def types_into(self, node: Node) -> tuple[TensorType, ...]:
        """The types of the inputs of `node` that are present."""
        return tuple(self.type_of(ref) for ref in node.inputs if ref is not None)

    def with_nodes(self, nodes: tuple[Node, ...], **changes: Any) -> Graph:
        """A copy with other nodes (and other fields, where given)."""
        return replace(self, nodes=nodes, **changes)

    def __str__(self) -> str:
        return print_graph(self)


def print_graph(graph: Graph) -> str:
    """The graph as text, one line a node."""
    lines = [f"graph {graph.name}"]
    for entry in graph.inputs:
        lines.append(f"  %{entry.name} = input{{}} : {entry.type}" + (" optional" if entry.optional else ""))
    for node in graph.nodes:
        operands = ", ".join("none" if ref is None else str(ref) for ref in node.inputs)
        types = ", ".join(map(str, node.types))
        flags = " training_only" if node.training_only else ""
        shared = "".join(
            f" {name}=!{path}" if path in graph.derived else f" shares {path}"
            for name, path in node.parameters.items()
            if path != f"{node.path}.{name}" or path in graph.derived
        )
        lines.append(f"  %{node.path} = {node.op.key}{{{attributes(node.op)}}} {operands} : {types}{flags}{shared}")
    for path, derived in graph.derived.items():
        shape = "x".join(map(str, derived.shape))
        lines.append(f"  !{path} = {derived.function} {', '.join(derived.sources)} : {shape}")
    outputs = ", ".join(f"{name}={ref}" for name, ref in graph.outputs.items())
    lines.append(f"  return {outputs}")
    return "\n".join(lines) + "\n"


def attributes(op: Op) -> str:
    """The fields of an op that differ from their defaults, as `filters=64, kernel=3x3`."""
    shown = []
    for name, info in type(op).model_fields.items():
        value = getattr(op, name)
        if info.is_required() or value != info.get_default(call_default_factory=True):
            shown.append(f"{name}={_show(value)}")
    return ", ".join(shown)


def _show(value: Any) -> str:
    plain = getattr(value, "plain", value)
    if isinstance(plain, tuple | list):
        numbers = all(isinstance(v, int) for v in plain) and 1 < len(plain) <= 4
        return "x".join(map(str, plain)) if numbers else "[" + ",".join(_show(v) for v in plain) + "]"
    if isinstance(plain, bool):
        return str(plain).lower()
    return str(plain)
