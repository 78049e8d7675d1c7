"""What a list of nodes sees while it is walked: names for expressions, ids, the node before, and what is around it."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field, replace
from typing import Any

from cnnspec.blocks.base import Value
from cnnspec.diagnostics import Label, Report, Span
from cnnspec.elaborate.assembly import UNKNOWN
from cnnspec.graph import Origin
from cnnspec.params import FAILED
from cnnspec.source import Mapping, Scalar, Sequence, Tree
from cnnspec.validation.words import shown

#: Attributes of the module that `cnnspec.build` makes, whose parameters are attributes by the names of their nodes.
TAKEN_IDS = frozenset(
    {"deterministic", "eval", "iter_children", "iter_modules", "perturb", "rngs", "set_attributes", "sow", "train",
     "use_running_average", "variables"}
)  # fmt: skip


def wrong_id(tree: Tree) -> str | None:
    """What to do where an id is none; `None` where it is right.

    An id is an attribute of the Flax module, so that it cannot be a word of Python either.
    """
    value = tree.value if isinstance(tree, Scalar) else None
    if isinstance(value, bool):
        return "this is read as a truth value: choose another name"
    if not isinstance(value, str):
        return _AN_ID
    if not value.isidentifier() or value.startswith("_"):
        possible = re.sub(r"\W", "_", value).lstrip("_")
        return _AN_ID + (f": `{possible}`" if possible.isidentifier() else "")
    if value in TAKEN_IDS or keyword.iskeyword(value):
        return f"it means something else in Python: `{value}_`, for example"
    return None


_AN_ID = "use letters, digits and _, and a letter first"


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


class Names(AnyMapping[str, Any]):
    """The names that an expression sees: a node's own, those around it, and the ids before it, which mean shapes."""

    __slots__ = ("_frame", "_own")

    def __init__(self, own: AnyMapping[str, Any], frame: Frame) -> None:
        self._own = own
        self._frame = frame

    def __getitem__(self, name: str) -> Any:
        for names in (self._own, self._frame.names):
            if name in names:
                return names[name]
        value = self._frame.ids[name]
        return value.type if value.types else FAILED

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in self._frame.names or name in self._frame.ids

    def __iter__(self) -> Iterator[str]:
        """The names that somebody has given; nodes without an id can be named, and are not offered."""
        named = [name for name in self._frame.ids if not self._frame.automatic(name)]
        return iter(dict.fromkeys([*self._own, *self._frame.names, *named]))

    def __len__(self) -> int:
        return len(list(iter(self)))


@dataclass
class Frame:
    """One list of nodes being walked."""

    prefix: str
    names: AnyMapping[str, Any]
    previous: Value | None
    origin: Origin | None = None
    parent: Frame | None = None
    #: Of the body of a block: the list that the block is used in, which it does not see.
    caller: Frame | None = None
    depth: int = 0
    training_only: bool = False
    #: Inside a block's body `input` is what comes into the block; at the top it is what comes into the node.
    in_block: bool = False
    #: Of shared weights: what paths begin with here, and what they begin with where the weights are.
    owner: tuple[str, str] | None = None
    #: Whether this is one node that stands for a list, a branch of a merge.
    single: bool = False
    ids: dict[str, Value] = field(default_factory=dict)
    later: dict[str, Span] = field(default_factory=dict)
    written: dict[str, Written] = field(default_factory=dict)
    taken: dict[str, Span | None] = field(default_factory=dict)
    #: The last number of each stem, of nodes without an id.
    numbers: dict[str, int] = field(default_factory=dict)

    def path(self, name: str) -> str:
        """The path of the node called `name` here."""
        return f"{self.prefix}.{name}" if self.prefix else name

    def enclosing(self) -> Iterator[Frame]:
        """This frame and those around it, innermost first."""
        frame: Frame | None = self
        while frame is not None:
            yield frame
            frame = frame.parent

    def chain(self) -> tuple[Label, ...]:
        """Through which blocks this list was reached, innermost first."""
        return tuple(Label(f"in {o.what}", o.span) for o in (self.origin.chain() if self.origin else ()))

    def owner_of(self, path: str) -> str | None:
        """The path that owns the weights of the node at `path`."""
        if self.owner is None:
            return None
        here, there = self.owner
        return there + path[len(here) :] if path == here or path.startswith(here + ".") else None

    # --- ids -----------------------------------------------------------------------------------------------

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
        if tree is None:
            return self._free(parts.key)
        problem = wrong_id(tree)
        if problem is None and isinstance(tree, Scalar):
            name = str(tree.value)
            if name not in self.taken:
                self.taken[name] = tree.span
                return name
            labels = (Label("first used", self.taken[name]),)
            report.error("E302", f"the id `{name}` is used twice", tree.span, "give this node another id", labels)
            return self._free(name)
        if isinstance(tree, Scalar) and isinstance(tree.value, str):
            # Whoever uses it is told nothing more.
            self.ids[tree.value] = UNKNOWN
        report.error("E110", f"an id is a name, and this is {shown(tree)}", tree.span, problem or "")
        return self._free(parts.key)

    def automatic(self, name: str) -> bool:
        """Whether a node has its name from its key, and no id."""
        return name in self.written and "id" not in self.written[name].parts.reserved

    def _free(self, stem: str) -> str:
        number = self.numbers.get(stem, 0) + 1
        while (name := f"{stem}_{number}") in self.taken or name in self.later:
            number += 1
        self.numbers[stem] = number
        self.taken[name] = None
        return name

    # --- frames within -------------------------------------------------------------------------------------

    def inside(self, inputs: tuple[Value, ...], training: bool, more: AnyMapping[str, Any] | None = None) -> Frame:
        """This frame as the node with these inputs sees it."""
        incoming: Any = None
        if inputs:
            incoming = inputs[0].type if inputs[0].types else FAILED
        own = {**(more or {}), "incoming": incoming}
        if not self.in_block:
            own["input"] = incoming
        return replace(self, names=Names(own, self), training_only=training)

    def nested(self, path: str, inputs: tuple[Value, ...]) -> Frame:
        """A list of nodes inside a node of this one: it sees the ids around it."""
        return Frame(
            path, self.names, inputs[0] if inputs else None, self.origin, self, None, self.depth + 1,
            self.training_only, self.in_block, self.owner,
        )  # fmt: skip

    def for_block(
        self, path: str, names: AnyMapping[str, Any], inputs: AnyMapping[str, Value], origin: Origin
    ) -> Frame:
        """The body of a block written in YAML, called with inputs by name: it sees them, and `names`."""
        first = next(iter(inputs.values()), None)
        frame = Frame(path, names, first, origin, None, self, self.depth + 1, self.training_only, True, self.owner)
        frame.ids.update(inputs)
        frame.taken.update(dict.fromkeys(inputs))
        if first is not None:
            frame.ids.setdefault("input", first)
        return frame

    def outermost(self) -> Frame:
        """The frame of the network's own list of layers, or of the body of the block that this is in."""
        return list(self.enclosing())[-1]
