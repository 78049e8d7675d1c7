"""The graph while it grows: ops are added one by one, each checked against what comes into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod

from cnnspec.blocks.base import Value
from cnnspec.diagnostics import Diagnostic, Label, Problem
from cnnspec.graph import Graph, Input, Node, Origin, Ref, Region
from cnnspec.ops.base import Op, Parameter
from cnnspec.types import TensorType

MOST_NODES = 50_000
MOST_ELEMENTS = 2**40
MOST_PARAMETER_BYTES = 64 * 2**30

#: What stands for the output of a node that was found wrong; whatever uses it stays silent.
UNKNOWN = Value(Ref(""), ())


class Poisoned(Exception):
    """The mistake was reported already; nothing that depends on it can say more."""


class Assembly:
    """Nodes, parameters and scopes of the graph under construction."""

    def __init__(self, inputs: Iterable[Input]) -> None:
        self.inputs = {entry.name: entry for entry in inputs}
        self.nodes: dict[str, Node] = {}
        self.parameters: dict[str, Parameter] = {}
        self.scopes: dict[str, Ref] = {}
        self.regions: list[Region] = []
        self._elements = 0

    def add(
        self,
        path: str,
        op: Op,
        inputs: tuple[Value | None, ...],
        origin: Origin,
        *,
        training_only: bool = False,
        owner: str | None = None,
    ) -> Value:
        """Add `op` at `path` and return its output; raises `Problem` where the inputs do not fit.

        `owner` is the path whose parameters are used; by default the node's own.
        """
        present = tuple(value for value in inputs if value is not None)
        self._check_inputs(op, inputs, training_only)
        if len(self.nodes) >= MOST_NODES:
            raise Problem("E701", f"the network has more than {MOST_NODES:,} nodes", "repeat less, or split it up")
        types = tuple(value.type for value in present)
        inferred = op.infer(*types)
        outputs = inferred if isinstance(inferred, tuple) else (inferred,)
        for output in outputs:
            if output.size > MOST_ELEMENTS or any(d < 1 for d in output.shape):
                raise Problem("E704", f"the output would be {output.plain}, more than fits", "make it smaller")
        parameters = op.parameters(*types)
        names = {name: f"{owner or path}.{name}" for name in parameters}
        self._add_parameters(names, parameters, shared=owner is not None and owner != path)
        refs = tuple(None if value is None else value.ref for value in inputs)
        self.nodes[path] = Node(path, op, refs, outputs, names, training_only, origin)
        return Value(Ref(path), outputs)

    def _check_inputs(self, op: Op, inputs: tuple[Value | None, ...], training_only: bool) -> None:
        least, most = op.arity
        if not least <= len(inputs) or (most is not None and len(inputs) > most):
            wanted = f"{least}" if least == most else f"at least {least}" if most is None else f"{least} to {most}"
            raise Problem(
                "E204",
                f"`{op.key}` takes {wanted} input{'' if wanted == '1' else 's'}, and is given {len(inputs)}",
                "name its inputs with `from: [a, b]`" if len(inputs) < least else "give it fewer inputs in `from`",
            )
        for value in inputs:
            node = self.nodes.get(value.ref.node) if value is not None else None
            if node is not None and node.training_only and not training_only:
                raise Problem(
                    "E304",
                    f"`{op.key}` uses `{node.path}`, which exists only in training",
                    "mark this node `training_only: true` as well, or take its input from another node",
                )

    def _add_parameters(self, names: Mapping[str, str], parameters: Mapping[str, Parameter], shared: bool) -> None:
        for name, path in names.items():
            new, old = parameters[name], self.parameters.get(path)
            if old is None:
                self._elements += prod(new.shape)
                if 4 * self._elements > MOST_PARAMETER_BYTES:
                    raise Problem(
                        "E703",
                        f"the parameters would take more than {MOST_PARAMETER_BYTES / 2**30:.0f} GiB: "
                        f"{'x'.join(map(str, new.shape))} for `{path}`",
                        "use fewer filters or features, or pool before a linear layer",
                    )
                self.parameters[path] = new
            elif shared and old.shape != new.shape:
                raise Problem(
                    "E206",
                    f"the shared weights `{path}` are {'x'.join(map(str, old.shape))}, and here "
                    f"{'x'.join(map(str, new.shape))} would be needed",
                    "inputs of shared layers need the same number of channels",
                )

    def graph(self, name: str, outputs: Mapping[str, Ref]) -> Graph:
        """What was assembled, frozen."""
        return Graph(
            name, tuple(self.inputs.values()), tuple(self.nodes.values()), dict(outputs), self.parameters,
            self.scopes, tuple(self.regions),
        )  # fmt: skip

    # --- explanations --------------------------------------------------------------------------------------

    def diagnose(self, problem: Problem, origin: Origin, inputs: tuple[Value | None, ...]) -> Diagnostic:
        """The diagnostic for a problem at `origin`: place, where the dimensions came from, and the chain."""
        labels = [self._operand(inputs[i], problem.axis) for i in problem.operands if i < len(inputs)]
        chain = list(origin.chain())
        # What fits where it is written and not where it is shared is a mistake of the sharing.
        shared = next((o for o in chain if o.what.startswith("`shared`")), None)
        span = shared.span if shared else chain[0].fields.get(problem.field or "") or chain[0].span
        outer = [Label(f"in {o.what}", o.span) for o in chain[0 if shared else 1 :] if o.what and o is not shared]
        return Diagnostic(problem.code, problem.message, span, problem.help, (*(x for x in labels if x), *outer))

    def _operand(self, value: Value | None, axis: int | None) -> Label | None:
        if value is None or not value.types:
            return None
        shape = value.type.plain
        reason, origin = self.trace(value.ref, axis if axis is not None else value.type.rank - 1)
        name = next((p for p, ref in reversed(self.scopes.items()) if ref == value.ref), value.ref.node)
        return Label("   ".join(x for x in (name, shape, reason) if x), origin.span if origin else None)

    def trace(self, ref: Ref, axis: int) -> tuple[str, Origin | None]:
        """What made dimension `axis` of `ref`, and where: follows ops that pass the dimension on."""
        for _ in range(MOST_NODES):
            node = self.nodes.get(ref.node)
            if node is None:
                return "of the input", None
            types = tuple(self._type(r) for r in node.inputs if r is not None)
            shape = node.types[ref.port].shape
            if not -len(shape) <= axis < len(shape):
                return "", node.origin
            text = node.op.origin(axis, *types)
            source = node.inputs[0] if node.inputs else None
            if text is None and source is not None and self._type(source).rank == len(shape):
                ref = source
                continue
            origin = node.origin
            text = text or f"after `{node.op.key}`"
            if origin is not None:
                field = text.split(" ")[0]
                text = origin.why.get(field, text)
                written = next((o for o in origin.chain() if field in o.fields), None)
                if written is not None:
                    origin = Origin(written.what, written.fields[field])
            return f"{shape[axis]} = {text}", origin
        return "", None

    def _type(self, ref: Ref) -> TensorType:
        node = self.nodes.get(ref.node)
        return node.types[ref.port] if node is not None else self.inputs[ref.node].type
