"""From the merged document to a typed graph: one walk, node by node, with the types of the inputs at hand.

For every node: evaluate the expressions, merge the defaults, validate the block, expand it, infer its shapes.
A mistake is reported and poisons what depends on it, and the walk goes on: one run shows all that is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import replace
from functools import partial
from typing import Any

from cnnspec.assembly import UNKNOWN, Assembly, Poisoned
from cnnspec.blocks.base import Block, Value, nested_fields
from cnnspec.defaults import Defaults
from cnnspec.diagnostics import Label, Problem, Report, Span, listing
from cnnspec.edits import merge_mappings
from cnnspec.expressions import parse_template
from cnnspec.frames import Frame, NodeParts, UserBlock, Written
from cnnspec.graph import Origin, Region
from cnnspec.nodes import node_parts, resolve
from cnnspec.ops.base import Op
from cnnspec.params import FAILED, Declaration, bind
from cnnspec.registry import spec_class
from cnnspec.scaling.fields import is_literal, scale_fields, scale_filled, scale_param
from cnnspec.scaling.scaler import Follower, Scaler
from cnnspec.schema import Spec
from cnnspec.source import Entry, Mapping, Scalar, Sequence, Tree, plain
from cnnspec.validation import validate

MOST_REPEATS = 10_000
MOST_NESTING = 32


class Elaborator:
    """Walks one document into one assembly."""

    def __init__(
        self,
        assembly: Assembly,
        blocks: AnyMapping[str, UserBlock],
        defaults: Defaults,
        report: Report,
        scale: Scaler,
        enforce: bool = True,
    ) -> None:
        self.assembly = assembly
        self.blocks = blocks
        self.defaults = defaults
        self.report = report
        self.scale = scale
        self.enforce = enforce
        self._constant: dict[tuple[type[Spec], int], tuple[Mapping, Spec]] = {}

    # --- lists of nodes ------------------------------------------------------------------------------------

    def layers(self, tree: Tree | None, frame: Frame) -> Value:
        """Walk a list of nodes and return the output of the last."""
        if not isinstance(tree, Sequence):
            span = tree.span if tree is not None else None
            self.report.error("E103", "layers should be a list of nodes, one a line", span, "begin each with `- `")
            return UNKNOWN
        frame.announce(tree)
        for item in tree.items:
            output, follows = self.node(item, frame)
            if follows:
                frame.previous = output
        return frame.previous if frame.previous is not None else UNKNOWN

    def node(self, tree: Tree, frame: Frame) -> tuple[Value, bool]:
        """Walk one node; returns its output, and whether the node after it takes it up."""
        parts = node_parts(tree, frame, self.blocks, self.evaluate, self.report)
        if parts is None:
            frame.poison(tree)
            return UNKNOWN, True
        name = frame.name_node(parts, self.report)
        frame.written[name] = Written(parts, frame.path(name))
        output, training = UNKNOWN, frame.training_only
        try:
            training = training or self._flag(parts, "training_only", False, frame)
            inputs = self._inputs(parts, frame)
            inner = frame.inside(inputs, training)
            present = self._flag(parts, "when", True, inner)
            # A node that is left out passes on its first input, and what was expected of it speaks of nothing.
            output = self._repeated(parts, inner, frame.path(name), inputs) if present else inputs[0]
            if present and output is not UNKNOWN and self.enforce and "expect" in parts.reserved:
                self._expect(parts.reserved["expect"], output, inner)
        except Poisoned:
            output = UNKNOWN
        frame.ids[name] = output
        if output is not UNKNOWN:
            self.assembly.scopes[frame.path(name)] = output.ref
        return output, not training or frame.training_only

    def _repeated(self, parts: NodeParts, frame: Frame, path: str, inputs: tuple[Value, ...]) -> Value:
        if "repeat" not in parts.reserved:
            for word in ("first", "last"):
                if word in parts.reserved:
                    self.report.error("E109", f"`{word}` needs `repeat`", parts.reserved[word].span, "add `repeat: 2`")
            return self._apply(parts, parts.arguments, frame, path, inputs)
        count = self._count(parts, frame, path)
        iterations = []
        for index in range(count):
            arguments = parts.arguments
            for word, at in (("first", 0), ("last", count - 1)):
                if word in parts.reserved and index == at:
                    arguments = self._override(parts, arguments, word)
            turn = frame.inside(inputs, frame.training_only, {"index": index, "count": count})
            iteration = f"{path}.{index}"
            output = self._apply(parts, arguments, turn, iteration, inputs)
            self.assembly.scopes[iteration] = output.ref
            iterations.append(iteration)
            inputs = (output, *inputs[1:])
        self.assembly.regions.append(Region(path, tuple(iterations)))
        return inputs[0]

    def _count(self, parts: NodeParts, frame: Frame, path: str) -> int:
        tree = parts.reserved["repeat"]
        count = self.evaluate(tree, frame)
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            self.report.error("E103", f"`repeat` should be a whole number of at least 0, and is `{count}`", tree.span)
            raise Poisoned
        if is_literal(tree):
            count, _ = self.scale("repeat", count, path, tree, "depth")
        elif isinstance(tree, Scalar):
            self.scale.followers.append(Follower(path, "repeat", count, str(tree.value)))
        if count > MOST_REPEATS:
            message = f"`repeat` asks for {count:,} iterations, and the most is {MOST_REPEATS:,}"
            self.report.error("E702", message, tree.span, f"no machine holds so many `{parts.key}`: check the number")
            raise Poisoned
        return count

    def _override(self, parts: NodeParts, arguments: Tree | None, word: str) -> Tree | None:
        over = parts.reserved[word]
        if isinstance(over, Mapping) and isinstance(arguments, Mapping):
            return merge_mappings(arguments, over)
        if isinstance(over, Mapping) and (arguments is None or plain(arguments) is None):
            return over
        self.report.error("E103", f"`{word}` should be a mapping of fields of `{parts.key}`", over.span)
        raise Poisoned

    # --- one application of a block ------------------------------------------------------------------------

    def _apply(
        self, parts: NodeParts, arguments: Tree | None, frame: Frame, path: str, inputs: tuple[Value, ...]
    ) -> Value:
        """Apply a block once, at `path`."""
        key = parts.key
        if frame.depth > MOST_NESTING:
            message = f"blocks are nested more than {MOST_NESTING} deep at `{key}`"
            self.report.error("E705", message, parts.key_span, "a block cannot use itself, directly or through others")
            raise Poisoned
        if key == "shared":
            return self._shared(parts, arguments, frame, path, inputs)
        if key == "layers":
            return self._known(self.layers(arguments, frame.nested(path, inputs)))
        if key in self.blocks:
            return self._user_block(self.blocks[key], parts, arguments, frame, path, inputs)
        cls = spec_class(key)
        if isinstance(arguments, Sequence) and issubclass(cls, Op) and cls.arity[1] is None:
            inputs = self._branches(arguments, frame, path, inputs)
            written, arguments = arguments.span, None
        else:
            written = arguments.span if arguments is not None else parts.key_span
        unknown = any(value is UNKNOWN for value in inputs)
        if unknown and uses_types(arguments):
            raise Poisoned
        spec, origin = self._spec(cls, parts, arguments, frame, path, written)
        if unknown:
            raise Poisoned
        try:
            return Building(self, frame, path, origin)(spec, *inputs)
        except Problem as problem:
            self.report.add(self.assembly.diagnose(problem, origin, inputs))
            raise Poisoned from None

    def _spec(
        self, cls: type[Spec], parts: NodeParts, arguments: Tree | None, frame: Frame, path: str, written: Span
    ) -> tuple[Spec, Origin]:
        """The validated fields of a node, with where each was written and how it came by its value."""
        tree = self.defaults.merge(parts.key, self._as_mapping(cls, parts, arguments))
        if self.defaults.wrong(parts.key, tree):
            raise Poisoned
        fields = {name: entry.value.span for name, entry in tree.entries.items()}
        origin = Origin(f"`{parts.key}` at `{path}`", written, frame.origin, fields)
        known = self._constant.get((cls, id(tree)))
        if known is not None and known[0] is tree:
            return known[1], origin
        data, why, constant = self._fields(cls, tree, frame, path)
        labels = [Label(f"in {o.what}", o.span) for o in origin.chain()][1:]
        spec = validate(cls, tree, self.report, what=parts.key, data=data, span=parts.key_span, labels=labels)
        if spec is None:
            raise Poisoned
        if constant:
            self._constant[cls, id(tree)] = (tree, spec)
        return spec, replace(origin, why=why) if why else origin

    def _fields(
        self, cls: type[Spec], tree: Mapping, frame: Frame, path: str
    ) -> tuple[dict[str, Any], dict[str, str], bool]:
        """The evaluated fields of a node, how they came by their values, and whether none holds an expression."""
        keep = nested_fields(cls)
        data: dict[str, Any] = {}
        why: dict[str, str] = {}
        constant, failed = self.scale.idle, False
        for name, entry in tree.entries.items():
            if name in keep:
                data[name] = entry.value
                continue
            try:
                value = self.evaluate(entry.value, frame)
            except Poisoned:
                failed = True
                continue
            if not is_literal(entry.value):
                constant = False
                if isinstance(entry.value, Scalar) and (template := parse_template(str(entry.value.value))):
                    why[name] = f"{name} {template.explain(frame.names)}".replace(f"{name} {name} ", f"{name} ")
            data[name] = value
        if failed:
            raise Poisoned
        scale_fields(self.scale, cls, tree, data, path, why)
        return data, why, constant

    def _as_mapping(self, cls: type[Spec], parts: NodeParts, arguments: Tree | None) -> Mapping:
        if isinstance(arguments, Mapping):
            return arguments
        if arguments is None or (isinstance(arguments, Scalar) and arguments.value is None):
            return parts.empty
        if cls.main is None:
            known = f"the fields are {listing(cls.model_fields)}" if cls.model_fields else "it has no fields"
            self.report.error("E103", f"`{parts.key}` should have a mapping of fields", arguments.span, known)
            raise Poisoned
        return Mapping({cls.main: Entry(parts.key_span, arguments)}, arguments.span)

    def _user_block(
        self, block: UserBlock, parts: NodeParts, arguments: Tree | None, frame: Frame, path: str,
        inputs: tuple[Value, ...],
    ) -> Value:  # fmt: skip
        if block.broken:
            raise Poisoned
        if len(inputs) != len(block.inputs):
            message = f"`{block.name}` takes {len(block.inputs)} inputs ({', '.join(block.inputs)}), and is given {len(inputs)}"
            self.report.error("E204", message, parts.key_span, f"write `from: [{', '.join(block.inputs)}]`")
            raise Poisoned
        if arguments is not None and not isinstance(arguments, Mapping):
            if plain(arguments) is not None:
                self.report.error("E103", f"`{block.name}` should have a mapping of params", arguments.span)
                raise Poisoned
            arguments = None
        written = self.defaults.merge(block.name, arguments if arguments is not None else parts.empty)
        values = bind(
            block.params, written, self.report, what=block.name, evaluate=self._try,
            scope=frame.names, span=parts.key_span, convert=lambda d, tree, value: self._scaled(d, tree, value, path),
            labels=tuple(Label(f"in {o.what}", o.span) for o in (frame.origin.chain() if frame.origin else ())),
        )  # fmt: skip
        if values is None or any(value is UNKNOWN for value in inputs):
            raise Poisoned
        origin = Origin(f"`{block.name}` at `{path}`", arguments.span if arguments else parts.key_span, frame.origin)
        inner = frame.for_block(block, path, inputs, values, origin)
        last = self._known(self.layers(block.layers, inner))
        if block.outputs is None:
            return last
        found = resolve(block.outputs, inner, self.report, self.assembly)
        return self._known(found[0] if found else UNKNOWN)

    def _scaled(self, declaration: Declaration, tree: Tree, value: Any, path: str) -> Any:
        """A param that is declared to scale, where its value is written as a number."""
        return scale_param(self.scale, declaration, tree, value, path)

    def _shared(
        self, parts: NodeParts, arguments: Tree | None, frame: Frame, path: str, inputs: tuple[Value, ...]
    ) -> Value:
        """Apply the node that `shared` names once more, with the same weights."""
        name = arguments.value if isinstance(arguments, Scalar) else None
        if any(f.ids.get(str(name)) is UNKNOWN for f in frame.enclosing()):
            raise Poisoned  # what is wrong with it was said where it stands
        written = next((f.written[str(name)] for f in frame.enclosing() if str(name) in f.written), None)
        if written is None or written.parts is parts:
            known = [n for f in frame.enclosing() for n in f.written if f.written[n].parts is not parts]
            from cnnspec.diagnostics import did_you_mean

            span = arguments.span if arguments is not None else parts.key_span
            hint = did_you_mean(str(name), known) or "name a node that stands before this one"
            self.report.error("E301", f"`shared` names `{name}`, and there is no such node before", span, hint)
            raise Poisoned
        turn = replace(
            frame, owner=(path, written.path), origin=Origin(f"`shared` at `{path}`", parts.key_span, frame.origin)
        )
        return self._repeated(written.parts, turn, path, inputs)

    def filled(self, spec: Spec, path: str) -> Spec:
        """A part of a block with the spec's defaults for what the block does not give."""
        return scale_filled(self.scale, spec, self.defaults.fill(spec), partial(self.defaults.written, spec.key), path)

    # --- inputs --------------------------------------------------------------------------------------------

    def _inputs(self, parts: NodeParts, frame: Frame) -> tuple[Value, ...]:
        """What comes into a node: `from`, or else the node before."""
        tree = parts.reserved.get("from")
        if tree is not None:
            return resolve(tree, frame, self.report, self.assembly)
        return (frame.previous,) if frame.previous is not None else ()

    def _branches(self, tree: Sequence, frame: Frame, path: str, inputs: tuple[Value, ...]) -> tuple[Value, ...]:
        """The outputs of the branches of a merge: ids, nodes, or lists of nodes."""
        return tuple(
            self.branch(item, frame, f"{path}.branch{number}", inputs) for number, item in enumerate(tree.items, 1)
        )

    def branch(self, tree: Tree, frame: Frame, path: str, inputs: tuple[Value, ...]) -> Value:
        """The output of one branch, which begins with `inputs`."""
        if isinstance(tree, Scalar):
            return resolve(tree, frame, self.report, self.assembly)[0]
        inner = frame.nested(path, inputs)
        if isinstance(tree, Sequence):
            return self.layers(tree, inner)
        inner.announce(Sequence((tree,), tree.span))
        return self.node(tree, inner)[0]

    # --- small things --------------------------------------------------------------------------------------

    def evaluate(self, tree: Tree, frame: Frame) -> Any:
        """The plain value of a tree with its expressions evaluated; raises `Poisoned` after reporting."""
        value = self._try(tree, frame.names)
        if value is FAILED:
            raise Poisoned
        return value

    def _try(self, tree: Tree, names: AnyMapping[str, Any]) -> Any:
        return evaluate_tree(tree, names, self.report)

    def _flag(self, parts: NodeParts, word: str, default: bool, frame: Frame) -> bool:
        tree = parts.reserved.get(word)
        if tree is None:
            return default
        value = self.evaluate(tree, frame)
        if not isinstance(value, bool):
            self.report.error("E103", f"`{word}` should be true or false, and is `{value}`", tree.span)
            raise Poisoned
        return value

    def _expect(self, tree: Tree, output: Value, frame: Frame) -> None:
        expected = self.evaluate(tree, frame)
        if not isinstance(expected, list | tuple) or not all(isinstance(n, int) for n in expected):
            self.report.error("E103", "`expect` of a node should be its shape, such as [28, 28, 256]", tree.span)
        elif tuple(expected) != output.type.shape:
            shape = "x".join(map(str, expected))
            reason, origin = self.assembly.trace(output.ref, output.type.rank - 1) if output.type.rank else ("", None)
            labels = [Label(f"inferred   {output.type.plain}   {reason}", origin.span)] if origin else []
            self.report.error("E601", f"expected {shape}, and the shape is {output.type.plain}", tree.span,
                              "correct the expectation, or the layers before it", labels)  # fmt: skip

    def _known(self, value: Value) -> Value:
        if value is UNKNOWN:
            raise Poisoned
        return value


class Building:
    """The `Builder` that a block gets while it expands."""

    def __init__(self, elaborator: Elaborator, frame: Frame, path: str, origin: Origin) -> None:
        self._elaborator = elaborator
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
        spec = self._elaborator.filled(spec, path)
        assembly = self._elaborator.assembly
        if isinstance(spec, Op):
            frame = self._frame
            try:
                value = assembly.add(
                    path, spec, inputs, origin, training_only=frame.training_only, owner=frame.owner_of(path)
                )
            except Problem as problem:
                self._elaborator.report.add(assembly.diagnose(problem, origin, inputs))
                raise Poisoned from None
        else:
            assert isinstance(spec, Block)
            least, most = spec.arity
            if not least <= len(inputs) or (most is not None and len(inputs) > most):
                raise Problem("E204", f"`{spec.key}` takes {least} input(s), and is given {len(inputs)}",
                              "name its inputs with `from`")  # fmt: skip
            present = tuple(value for value in inputs if value is not None)
            expanded = spec.unfold(Building(self._elaborator, self._frame, path, origin), *present)
            value = next(iter(expanded.values())) if isinstance(expanded, dict) else expanded
            if isinstance(expanded, dict):
                for name, output in expanded.items():
                    assembly.scopes[f"{path}:{name}"] = output.ref
        assembly.scopes[path] = value.ref
        return value

    def layers(self, layers: Any, *inputs: Value, id: str) -> Value:
        frame = self._nested(id, inputs)
        value = self._elaborator.layers(layers, frame)
        if value is UNKNOWN:
            raise Poisoned
        return value

    def branch(self, branch: Any, *inputs: Value, id: str) -> Value:
        value = self._elaborator.branch(branch, self._frame, f"{self._path}.{id}", inputs)
        if value is UNKNOWN:
            raise Poisoned
        return value

    def _nested(self, id: str, inputs: tuple[Value, ...]) -> Frame:
        return self._frame.nested(f"{self._path}.{id}", inputs)


def evaluate_tree(tree: Tree, names: AnyMapping[str, Any], report: Report) -> Any:
    """The plain value of a tree with its expressions evaluated, or `FAILED` after reporting what is wrong."""
    if isinstance(tree, Scalar):
        if not isinstance(tree.value, str) or "$" not in tree.value:
            return tree.value
        try:
            template = parse_template(tree.value)
            if template is not None and any(names.get(name) is FAILED for name in template.names):
                return FAILED
            return tree.value if template is None else template.evaluate(names)
        except Problem as problem:
            report.error(problem.code, problem.message, tree.span, problem.help)
        except Poisoned:
            pass
        return FAILED
    if isinstance(tree, Sequence):
        items = [evaluate_tree(item, names, report) for item in tree.items]
        return FAILED if any(item is FAILED for item in items) else items
    values = {name: evaluate_tree(entry.value, names, report) for name, entry in tree.entries.items()}
    return FAILED if any(value is FAILED for value in values.values()) else values


def uses_types(tree: Tree | None) -> bool:
    """Whether a tree may ask for the type of an input, which a poisoned one has not."""
    return tree is not None and not is_literal(tree)
