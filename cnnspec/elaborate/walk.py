"""The walk over lists of nodes."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from functools import partial
from typing import Any

from cnnspec.blocks.base import Value
from cnnspec.diagnostics import Label, Problem, Report, Span
from cnnspec.elaborate.application import Applications
from cnnspec.elaborate.assembly import MOST_NODES, UNKNOWN, Assembly, Exhausted, Poisoned
from cnnspec.elaborate.defaults import Defaults
from cnnspec.elaborate.evaluation import evaluate_tree
from cnnspec.elaborate.folding import Folding
from cnnspec.elaborate.frames import Frame, NodeParts, Written
from cnnspec.elaborate.least import LeastNodes
from cnnspec.elaborate.nodes import node_parts, not_a_list
from cnnspec.elaborate.references import resolve
from cnnspec.elaborate.repetition import repeated
from cnnspec.elaborate.survey import Survey
from cnnspec.elaborate.tally import Uncountable
from cnnspec.elaborate.tracing import diagnose, differing_axis, trace
from cnnspec.elaborate.user_blocks import UserBlock
from cnnspec.expressions import METER
from cnnspec.graph import Origin
from cnnspec.params import FAILED
from cnnspec.scaling.fields import scale_filled
from cnnspec.scaling.scaler import Scaler
from cnnspec.schema import Spec
from cnnspec.source import Scalar, Sequence, Tree
from cnnspec.validation.words import repair, shown

MOST_STEPS = 25_000
MOST_WORK = 10_000_000


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
        fold: bool = False,
    ) -> None:
        self.assembly = assembly
        self.blocks = blocks
        self.fields = {name: block.params for name, block in blocks.items()}
        self.defaults = defaults
        self.report = report
        self.scale = scale
        self.enforce = enforce
        self.least = LeastNodes(blocks)
        self.survey = Survey(self.fields, blocks, defaults, report)
        self.applications = Applications(self)
        #: What makes one node of blocks that are applied alike, where only counts are wanted.
        self.folding = Folding(self) if fold else None
        #: The params of the document, which every block sees.
        self.params: AnyMapping[str, Any] = {}
        #: Blocks whose body was walked.
        self.used: set[str] = set()
        #: Nodes without an id, beside others that could come before them: path, key, and where.
        self.unnamed: list[tuple[str, str, Span]] = []
        #: Nodes and iterations so far.
        self.steps = 0
        #: Whether a bound ended the walk: nothing is known of the nodes behind.
        self.exhausted = False
        self._work = METER.spent

    # --- lists of nodes ------------------------------------------------------------------------------------

    def network(self, tree: Tree | None, frame: Frame) -> Value:
        """Walk the layers of the network, and look over the blocks that it does not use."""
        self.params = frame.names
        if isinstance(tree, Sequence) and len(tree.items) > MOST_NODES:
            message = f"the network has {len(tree.items):,} nodes, and the most is {MOST_NODES:,}"
            self.report.error("E701", message, tree.items[MOST_NODES].span, "say what recurs once, with `repeat`")
            self.exhausted = True
            return UNKNOWN
        try:
            last = self.layers(tree, frame)
        except Exhausted:
            self.exhausted = True
            return UNKNOWN
        for name, block in self.blocks.items():
            if name not in self.used and not block.broken:
                self.survey.layers(block.layers)
        if isinstance(tree, Sequence) and not tree.items:
            self.report.error(
                "E103", "`layers` should hold at least one node", tree.span, "add `- conv: {filters: 64}`"
            )
        return last

    def layers(self, tree: Tree | None, frame: Frame, word: str = "layers") -> Value:
        """Walk a list of nodes and return the output of the last."""
        if not isinstance(tree, Sequence):
            not_a_list(tree, self.report, word)
            return UNKNOWN
        frame.announce(tree)
        for item in tree.items:
            output, follows = self.node(item, frame)
            if follows:
                frame.previous = output
        return frame.previous if frame.previous is not None else UNKNOWN

    def node(self, tree: Tree, frame: Frame) -> tuple[Value, bool]:
        """Walk one node; returns its output, and whether the node after it takes it up."""
        self.step(tree)
        parts = node_parts(tree, frame, self.fields, self._evaluate_key, self.report)
        if parts is None:
            frame.poison(tree)
            return UNKNOWN, True
        name = frame.name_node(parts, self.report)
        frame.written[name] = Written(parts, frame.path(name))
        if "id" not in parts.reserved and not frame.single:
            self.unnamed.append((frame.path(name), parts.key, parts.key_span))
        output, training = UNKNOWN, frame.training_only
        try:
            training = training or self._flag(parts, "training_only", False, frame)
            inputs = self._inputs(parts, frame)
            inner = frame.inside(inputs, training)
            if self._flag(parts, "when", True, inner):
                output = repeated(self, parts, inner, frame.path(name), inputs)
                self._expect(parts, output, inner)
            else:
                # A node that is left out passes on its first input, and what was expected of it speaks of nothing.
                self.survey.node(tree)
                output = inputs[0] if inputs else UNKNOWN
        except Poisoned:
            output = UNKNOWN
        frame.ids[name] = output
        if output is not UNKNOWN:
            self.assembly.scopes[frame.path(name)] = output.ref
        if output.whole:
            self.assembly.whole.add(frame.path(name))
        return output, not training or frame.training_only

    def step(self, tree: Tree) -> None:
        """Count the steps of the walk: no spec takes more than a moment, whatever it asks for."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            self.report.error(
                "E701", f"the spec asks for more than {MOST_STEPS:,} nodes", tree.span, "repeat less, or split it up"
            )
            raise Exhausted
        if METER.spent - self._work > MOST_WORK:
            self.report.error("E404", "the expressions of the spec take too much work", tree.span,
                              "compute once, in a param, what is needed often")  # fmt: skip
            raise Exhausted

    def spend(self, steps: int, work: int) -> None:
        """Count the steps of a part that is known, and is not walked again."""
        self.steps += steps
        METER.spent += work
        if self.steps > MOST_STEPS or METER.spent - self._work > MOST_WORK:
            raise Uncountable

    # --- inputs --------------------------------------------------------------------------------------------

    def _inputs(self, parts: NodeParts, frame: Frame) -> tuple[Value, ...]:
        """What comes into a node: `from`, or else the node before."""
        tree = parts.reserved.get("from")
        if tree is not None:
            return resolve(tree, frame, self.report, self.assembly)
        return (frame.previous,) if frame.previous is not None else ()

    def branches(self, tree: Sequence, frame: Frame, path: str, inputs: tuple[Value, ...]) -> tuple[Value, ...]:
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
        inner.single = True
        return self.node(tree, inner)[0]

    # --- values --------------------------------------------------------------------------------------------

    def evaluate(self, tree: Tree, frame: Frame) -> Any:
        """The plain value of a tree with its expressions evaluated; raises `Poisoned` after reporting."""
        value = evaluate_tree(tree, frame.names, self.report, frame.chain() if frame.origin else ())
        if value is FAILED:
            raise Poisoned
        return value

    def _evaluate_key(self, tree: Tree, frame: Frame) -> Any:
        return evaluate_tree(tree, frame.names, self.report, frame.chain())

    def filled(self, spec: Spec, path: str) -> Spec:
        """A part of a block with the spec's defaults for what the block does not give."""
        return scale_filled(self.scale, spec, self.defaults.fill(spec), partial(self.defaults.written, spec.key), path)

    def _flag(self, parts: NodeParts, word: str, default: bool, frame: Frame) -> bool:
        tree = parts.reserved.get(word)
        if tree is None:
            return default
        value = self.evaluate(tree, frame)
        if not isinstance(value, bool):
            message = "should be true or false"
            hint = repair("bool_type", value, message, tree.span.raw)
            self.report.error("E103", f"`{word}` {message}, and is {shown(value)}", tree.span, hint, frame.chain())
            raise Poisoned
        return value

    def _expect(self, parts: NodeParts, output: Value, frame: Frame) -> None:
        """Compare the output with what the node expects of itself."""
        tree = parts.reserved.get("expect")
        if tree is None or output is UNKNOWN:
            return
        expected = self.evaluate(tree, frame)
        if not isinstance(expected, list | tuple) or not all(type(n) is int for n in expected):
            self.report.error("E103", f"`expect` of a node should be its shape, and is {shown(expected)}", tree.span,
                              f"write `[{', '.join(map(str, output.type.shape))}]`, if that is right", frame.chain())  # fmt: skip
        elif self.enforce and tuple(expected) != output.type.shape:
            wanted = "x".join(map(str, expected)) or "no dimensions"
            axis = differing_axis(output.type.shape, expected)
            reason, origin = trace(self.assembly, output.ref, axis) if output.type.rank else ("", None)
            label = Label(f"inferred   {output.type.plain}   {reason}", origin.span if origin else None)
            self.report.error("E601", f"expected {wanted}, and the shape is {output.type.plain}", tree.span,
                              "correct the expectation, or the layers before it", (label, *frame.chain()))  # fmt: skip

    # --- failures ------------------------------------------------------------------------------------------

    def fail(self, problem: Problem, origin: Origin, inputs: tuple[Value | None, ...]) -> Exception:
        """Report a problem at `origin`; returns what is to be raised."""
        if self.folding is not None:  # nobody reads it, and what it would tell of is not all there
            self.report.error(problem.code, problem.message, origin.span, problem.help)
        else:
            self.report.add(diagnose(self.assembly, problem, origin, inputs))
        return Exhausted() if problem.code == "E701" else Poisoned()
