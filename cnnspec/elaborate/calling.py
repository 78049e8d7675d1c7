"""Calling a block that is written in YAML, and applying an earlier node once more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cnnspec.blocks.base import Value
from cnnspec.diagnostics import Label, Problem, listing, nearest
from cnnspec.elaborate.assembly import MOST_NODES, UNKNOWN, Exhausted, Poisoned, check_inputs
from cnnspec.elaborate.evaluation import evaluate_tree
from cnnspec.elaborate.frames import Frame, NodeParts
from cnnspec.elaborate.references import resolve
from cnnspec.elaborate.repetition import repeated
from cnnspec.elaborate.tally import Uncountable
from cnnspec.elaborate.user_blocks import UserBlock
from cnnspec.graph import Origin
from cnnspec.params import bind
from cnnspec.scaling.fields import scale_param
from cnnspec.source import Mapping, Scalar, Sequence, Tree, plain
from cnnspec.validation.words import shown

if TYPE_CHECKING:
    from cnnspec.elaborate.walk import Elaborator


def call_block(
    walk: Elaborator,
    block: UserBlock,
    parts: NodeParts,
    arguments: Tree | None,
    frame: Frame,
    path: str,
    inputs: tuple[Value, ...],
) -> Value:
    """Walk the body of a block with the values of its params."""
    if block.broken:
        raise Poisoned
    written = parts.empty
    if isinstance(arguments, Mapping):
        written = arguments
    elif arguments is not None and plain(arguments) is not None:
        hint = f"write `{block.name}: {{{next(iter(block.params))}: ...}}`" if block.params else "it has no params"
        walk.report.error(
            "E103", f"`{block.name}` should have a mapping of params", arguments.span, hint, frame.chain()
        )
        raise Poisoned
    tree = walk.defaults.merge(block.name, written)

    def expand(inputs: tuple[Value, ...]) -> Value:
        return _body(walk, block, parts, arguments, tree, frame, path, inputs)

    if walk.folding is None:
        return expand(inputs)
    return walk.folding.apply(block.name, tree, (), (), frame, path, inputs, expand)


def _body(
    walk: Elaborator,
    block: UserBlock,
    parts: NodeParts,
    arguments: Tree | None,
    tree: Mapping,
    frame: Frame,
    path: str,
    inputs: tuple[Value, ...],
) -> Value:
    """The output of the body of a block, whose params have the values in `tree`."""
    values = bind(
        block.params, tree, walk.report, what=block.name,
        evaluate=lambda tree, names: evaluate_tree(tree, names, walk.report, frame.chain()),
        scope=frame.names, span=parts.key_span, labels=frame.chain(),
        convert=lambda declaration, tree, value: scale_param(walk.scale, declaration, tree, value, path),
    )  # fmt: skip
    origin = Origin(f"`{block.name}` at `{path}`", arguments.span if arguments else parts.key_span, frame.origin)
    try:
        check_inputs(block.name, (len(block.inputs),) * 2, inputs, labels=True)
    except Problem as problem:
        if len(block.inputs) > 1 and problem.code == "E204":
            problem.help = f"its inputs are {listing(block.inputs)}: name them with `from`"
        raise walk.fail(problem, replace(origin, span=parts.key_span), inputs) from None
    if values is None or any(value is UNKNOWN for value in inputs):
        raise Poisoned
    walk.used.add(block.name)
    least = walk.least.applied(block.name, None)
    if walk.assembly.size + least > MOST_NODES:
        message = f"`{block.name}` stands for {least:,} nodes, and a network has at most {MOST_NODES:,}"
        walk.report.error("E701", message, parts.key_span, "repeat less, or split it up", frame.chain())
        raise Exhausted
    types = {name: value.type for name, value in zip(block.inputs, inputs, strict=True)}
    # A block sees its inputs, its params, and the params of the document.
    names = {**walk.params, **types, "input": inputs[0].type, **values}
    inner = frame.for_block(path, names, dict(zip(block.inputs, inputs, strict=True)), origin)
    last = walk.layers(block.layers, inner)
    outputs = _outputs(walk, block, inner)
    if outputs is None:
        outputs = {"": last}
    if any(value is UNKNOWN for value in outputs.values()):
        raise Poisoned
    return named_outputs(walk, path, outputs)


def named_outputs(walk: Elaborator, path: str, outputs: dict[str, Value]) -> Value:
    """Make the outputs of a block known by name, where it has several, and return the first."""
    ports = {name: value.ref for name, value in outputs.items() if name}
    if ports:
        walk.assembly.name_outputs(path, ports)
    return next(iter(outputs.values()))


def _outputs(walk: Elaborator, block: UserBlock, inner: Frame) -> dict[str, Value] | None:
    """The outputs that a block names: one by its id, or several by name; `None` where it names none."""
    tree = block.outputs
    if tree is None:
        return None
    if isinstance(tree, Scalar):
        return {"": resolve(tree, inner, walk.report, walk.assembly, "outputs")[0]}
    if isinstance(tree, Sequence):
        named = {str(plain(item)): item for item in tree.items}
    else:
        named = {name: entry.value for name, entry in tree.entries.items()}
    if not named:
        walk.report.error(
            "E103",
            f"the block `{block.name}` should have at least one output",
            tree.span,
            "leave it out for the last node",
        )
        raise Poisoned
    found = {}
    for name, item in named.items():
        if isinstance(item, Scalar):
            found[name] = resolve(item, inner, walk.report, walk.assembly, "outputs")[0]
        else:
            walk.report.error("E103", f"the output `{name}` should be the id of a node", item.span, "write `name: id`")
            found[name] = UNKNOWN
    return found


def share(
    walk: Elaborator, parts: NodeParts, arguments: Tree | None, frame: Frame, path: str, inputs: tuple[Value, ...]
) -> Value:
    """Apply the node that `shared` names once more, with the same weights."""
    if walk.folding is not None:
        raise Uncountable  # where a block is one node, its weights are not there to be shared
    span = arguments.span if arguments is not None else parts.key_span
    if not isinstance(arguments, Scalar) or not isinstance(arguments.value, str):
        what = shown(arguments) if arguments is not None else "empty"
        walk.report.error(
            "E103", f"`shared` should be the id of a node, and is {what}", span, "write `shared: conv1`", frame.chain()
        )
        raise Poisoned
    name = arguments.value
    if any(f.ids.get(name) is UNKNOWN for f in frame.enclosing()):
        raise Poisoned  # what is wrong with it was said where it stands
    found = next((f.written[name] for f in frame.enclosing() if name in f.written), None)
    if found is None or found.parts is parts:
        known = [n for f in frame.enclosing() for n in f.written if f.written[n].parts is not parts]
        later = next((f.later[name] for f in frame.enclosing() if name in f.later), None) if found is None else None
        near = nearest(name, known)
        hint = (
            "move this node below it"
            if later
            else f"did you mean `{near}`?"
            if near
            else "name a node that stands before this one"
        )
        labels = (Label("defined later", later),) if later else ()
        walk.report.error(
            "E301", f"`shared` names `{name}`, and there is no such node before", span, hint, (*labels, *frame.chain())
        )
        raise Poisoned
    origin = Origin(f"`shared` at `{path}`", parts.key_span, frame.origin)
    return repeated(walk, found.parts, replace(frame, owner=(path, found.path), origin=origin), path, inputs)
