"""What a list of nodes sees while it is walked: names for expressions, ids, the node before, and what is around it."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field, replace
from typing import Any

from cnnspec.assembly import UNKNOWN
from cnnspec.blocks.base import Value
from cnnspec.diagnostics import Label, Report, Span
from cnnspec.graph import Origin
from cnnspec.params import FAILED, Declaration
from cnnspec.source import Mapping, Scalar, Sequence, Tree


@dataclass(frozen=True)
class NodeParts:
    """A node as written: its block key, the block's arguments, and the keys that every node may have."""

    key: str
    key_span: Span
    arguments: Tree | None
    reserved: AnyMapping[str, Tree]
    #: What stands for arguments that are left out (one object, so that its validation can be remembered).
    empty: Mapping


@dataclass(frozen=True)
class Written:
    """A node that was walked, kept so that `shared` can apply it again."""

    parts: NodeParts
    path: str


@dataclass(frozen=True)
class UserBlock:
    """A block written in YAML."""

    name: str
    inputs: tuple[str, ...]
    params: AnyMapping[str, Declaration]
    layers: Tree | None
    outputs: Tree | None
    span: Span
    #: Whether it was reported as wrong; whatever uses it stays silent.
    broken: bool = False


@dataclass
class Frame:
    """One list of nodes being walked."""

    prefix: str
    names: dict[str, Any]
    previous: Value | None
    origin: Origin | None = None
    parent: Frame | None = None
    depth: int = 0
    training_only: bool = False
    #: Inside a block's body `input` is what comes into the block; at the top it is what comes into the node.
    in_block: bool = False
    #: Of shared weights: what paths begin with here, and what they begin with where the weights are.
    owner: tuple[str, str] | None = None
    ids: dict[str, Value] = field(default_factory=dict)
    later: dict[str, Span] = field(default_factory=dict)
    written: dict[str, Written] = field(default_factory=dict)
    taken: dict[str, Span] = field(default_factory=dict)

    def path(self, name: str) -> str:
        """The path of the node called `name` here."""
        return f"{self.prefix}.{name}" if self.prefix else name

    def enclosing(self) -> Iterator[Frame]:
        """This frame and those around it, innermost first."""
        frame: Frame | None = self
        while frame is not None:
            yield frame
            frame = frame.parent

    def owner_of(self, path: str) -> str | None:
        """The path that owns the weights of the node at `path`."""
        if self.owner is None:
            return None
        here, there = self.owner
        return there + path[len(here) :] if path == here or path.startswith(here + ".") else None

    def announce(self, tree: Sequence) -> None:
        """Note the ids of a list before it is walked, so that a use before the definition is told apart."""
        for item in tree.items:
            value = item.get("id") if isinstance(item, Mapping) else None
            if isinstance(value, Scalar) and isinstance(value.value, str):
                self.later.setdefault(value.value, value.span)

    def poison(self, tree: Tree) -> None:
        """Note the id of a node that cannot be read, so that nothing that uses it is reported."""
        value = tree.get("id") if isinstance(tree, Mapping) else None
        if isinstance(value, Scalar) and isinstance(value.value, str):
            self.ids[value.value] = UNKNOWN
            self.taken.setdefault(value.value, value.span)

    def name_node(self, parts: NodeParts, report: Report) -> str:
        """The id of a node: the one written on it, or its key with a number; a second use is reported."""
        tree = parts.reserved.get("id")
        if isinstance(tree, Scalar) and isinstance(tree.value, str) and tree.value.isidentifier():
            name = tree.value
            if name in self.taken:
                first = (Label("first used", self.taken[name]),)
                report.error("E302", f"the id `{name}` is used twice", tree.span, "give this node another id", first)
                return self._free(name)
            self.taken[name] = tree.span
            return name
        if tree is not None:
            shown = tree.value if isinstance(tree, Scalar) else "a list or mapping"
            report.error("E110", f"`{shown}` cannot be an id", tree.span, "use letters, digits and _, not digits first")
        return self._free(parts.key)

    def _free(self, stem: str) -> str:
        number = 1
        while (name := f"{stem}_{number}") in self.taken or name in self.later:
            number += 1
        self.taken[name] = next(iter(self.taken.values()), None)  # type: ignore[assignment]  # never shown
        return name

    def inside(self, inputs: tuple[Value, ...], training: bool, more: AnyMapping[str, Any] | None = None) -> Frame:
        """This frame as the node with these inputs sees it."""
        incoming = inputs[0].type if inputs and inputs[0].types else None
        names = {**self.names, **(more or {}), "incoming": incoming}
        if not self.in_block:
            names["input"] = incoming
        for name, value in self.ids.items():
            names.setdefault(name, value.type if value.types else FAILED)
        return replace(self, names=names, training_only=training)

    def nested(self, path: str, inputs: tuple[Value, ...]) -> Frame:
        """A list of nodes inside a node of this one: it sees the ids around it."""
        return Frame(
            path, self.names, inputs[0] if inputs else None, self.origin, self, self.depth + 1, self.training_only,
            self.in_block, self.owner,
        )  # fmt: skip

    def for_block(
        self, block: UserBlock, path: str, inputs: tuple[Value, ...], values: AnyMapping[str, Any], origin: Origin
    ) -> Frame:
        """The body of a block written in YAML: it sees its inputs, its params, and the params of the document."""
        outermost = list(self.enclosing())[-1]
        types = {name: value.type for name, value in zip(block.inputs, inputs, strict=True)}
        names = {**outermost.names, **types, "input": inputs[0].type if inputs else None, **values}
        frame = Frame(
            path,
            names,
            inputs[0] if inputs else None,
            origin,
            None,
            self.depth + 1,
            self.training_only,
            True,
            self.owner,
        )
        frame.ids.update(zip(block.inputs, inputs, strict=True))
        if inputs:
            frame.ids.setdefault("input", inputs[0])
        return frame
