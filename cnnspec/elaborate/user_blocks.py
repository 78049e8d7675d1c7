"""Blocks written in YAML: how they are declared."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass

from cnnspec.diagnostics import Report, Span, listing
from cnnspec.elaborate.nodes import RESERVED, STRUCTURAL
from cnnspec.params import Declaration, read_declarations
from cnnspec.registry import keys
from cnnspec.source import Entry, Mapping, Scalar, Sequence, Tree, plain
from cnnspec.synonyms import meant_field
from cnnspec.validation.words import shown

_FIELDS = ("inputs", "params", "layers", "outputs", "doc")


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

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of its outputs, where they have any."""
        if isinstance(self.outputs, Mapping):
            return tuple(self.outputs.entries)
        return tuple(str(plain(item)) for item in self.outputs.items) if isinstance(self.outputs, Sequence) else ()


def read_blocks(tree: Tree | None, report: Report) -> dict[str, UserBlock]:
    """The blocks of a `blocks:` mapping."""
    if tree is None:
        return {}
    if not isinstance(tree, Mapping):
        report.error("E103", "`blocks` should be a mapping of names to blocks", tree.span,
                     "write `blocks: {name: {params: {...}, layers: [...]}}`")  # fmt: skip
        return {}
    found = {}
    for name, entry in tree.entries.items():
        block = _read_block(name, entry, report)
        # A block that is wrong keeps its name, so that its uses are not reported as well.
        found[name] = block or UserBlock(name, (), {}, None, None, entry.key_span, broken=True)
    return found


def _read_block(name: str, entry: Entry, report: Report) -> UserBlock | None:
    if not _check_name(name, entry.key_span, report):
        return None
    if not isinstance(entry.value, Mapping):
        report.error("E103", f"the block `{name}` should be a mapping, and is {shown(entry.value)}", entry.value.span,
                     "write `{layers: [...]}`")  # fmt: skip
        return None
    strange = [word for word in entry.value.entries if word not in _FIELDS]
    for word in strange:
        near = meant_field(word, _FIELDS)
        hint = f"did you mean `{near}`?" if near else f"the fields are {listing(_FIELDS)}"
        hint = "nodes stand under `layers:`" if word in keys() else hint
        report.error("E101", f"unknown field `{word}` in the block `{name}`", entry.value.entries[word].key_span, hint)
    layers = entry.value.get("layers")
    if layers is None:
        if not any(meant_field(word, ["layers"]) or word in keys() for word in strange) and not entry.value.incomplete:
            report.error("E102", f"the block `{name}` needs `layers`", entry.key_span, "add `layers: [...]`")
        return None
    inputs = _inputs(name, entry.value.get("inputs"), report)
    declarations = read_declarations(entry.value.get("params"), report)
    if inputs is None:
        return None
    return UserBlock(name, inputs, declarations, layers, entry.value.get("outputs"), entry.key_span)


def _check_name(name: str, span: Span, report: Report) -> bool:
    if name in keys():
        hint = "it is the name of a built-in one: choose another"
    elif name in RESERVED or name in STRUCTURAL:
        hint = "it means something else in a node: choose another"
    elif not name.isidentifier():
        hint = "use letters, digits and _, and no digit first"
    else:
        return True
    report.error("E110", f"`{name}` cannot be the name of a block of your own", span, hint)
    return False


def _inputs(name: str, tree: Tree | None, report: Report) -> tuple[str, ...] | None:
    """The names of the inputs of a block; `None` after reporting."""
    if tree is None:
        return ("input",)
    names = plain(tree)
    if isinstance(tree, Sequence) and tree.items and all(isinstance(n, str) and n.isidentifier() for n in names):
        twice = next((i for i, n in enumerate(names) if n in names[:i]), None)
        if twice is None:
            return tuple(names)
        report.error(
            "E302", f"the input `{names[twice]}` of `{name}` is named twice", tree.items[twice].span, "name another"
        )
        return None
    hint = (
        f"write `inputs: [{names}]`"
        if isinstance(tree, Scalar) and isinstance(names, str)
        else "write `inputs: [left, right]`"
    )
    report.error("E103", f"the inputs of `{name}` should be a list of names, and are {shown(tree)}", tree.span, hint)
    return None
