"""The graph while it grows: ops are added one by one, each checked against what comes into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod

from cnnspec.blocks.base import Value
from cnnspec.diagnostics import Problem, Span
from cnnspec.graph import Graph, Input, Node, Origin, Ref, Region
from cnnspec.ops.base import Op, Parameter
from cnnspec.types import TensorType

MOST_NODES = 20_000
MOST_ELEMENTS = 2**40
MOST_PARAMETER_BYTES = 64 * 2**30

#: What stands for the output of a node that was found wrong; whatever uses it stays silent.
UNKNOWN = Value(Ref(""), ())


class Poisoned(Exception):
    """The mistake was reported already; nothing that depends on it can say more."""


class Exhausted(Exception):
    """A bound was reached and reported; going on would only reach it again."""


class Assembly:
    """Nodes, parameters and scopes of the graph under construction."""

    def __init__(self, inputs: Iterable[Input], spans: Mapping[str, Span] | None = None) -> None:
        self.inputs = {entry.name: entry for entry in inputs}
        #: Where the inputs are written.
        self.input_spans = dict(spans or {})
        self.nodes: dict[str, Node] = {}
        self.parameters: dict[str, Parameter] = {}
        self.scopes: dict[str, Ref] = {}
        #: The outputs of blocks of several, by path and name.
        self.ports: dict[str, dict[str, Ref]] = {}
        #: Paths that stand for all outputs of a node of several.
        self.whole: set[str] = set()
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
        check_inputs(op.key, op.arity, inputs, labels=op.takes_labels)
        if not training_only:
            self._check_training(op, present)
        if self.size >= MOST_NODES:
            raise Problem("E701", f"the network has more than {MOST_NODES:,} nodes", "repeat less, or split it up")
        types = tuple(value.type for value in present)
        try:
            inferred = op.infer(*types)
        except OverflowError:
            raise Problem("E704", f"a number of `{op.key}` is too large to count with", "make it smaller") from None
        outputs = inferred if isinstance(inferred, tuple) else (inferred,)
        for output in outputs:
            _check_size(op, output, types)
        parameters = op.parameters(*types)
        names = {name: f"{owner or path}.{name}" for name in parameters}
        try:
            self._add_parameters(names, parameters, shared=owner is not None and owner != path)
        except Problem as problem:
            problem.field = _field_of(op, outputs[0].rank - 1, types)
            raise
        refs = tuple(None if value is None else value.ref for value in inputs)
        self.nodes[path] = Node(path, op, refs, outputs, names, training_only, origin)
        return Value(Ref(path), outputs)

    def _check_training(self, op: Op, inputs: tuple[Value, ...]) -> None:
        for value in inputs:
            node = self.nodes.get(value.ref.node)
            if node is not None and node.training_only:
                raise Problem(
                    "E304",
                    f"`{op.key}` uses `{node.path}`, which exists only in training",
                    "mark this node `training_only: true` as well, or take its input from another node",
                )

    def _add_parameters(self, names: Mapping[str, str], parameters: Mapping[str, Parameter], shared: bool) -> None:
        for name, path in names.items():
            new, old = parameters[name], self.parameters.get(path)
            if old is None:
                total = self._elements + prod(new.shape)
                if 4 * total > MOST_PARAMETER_BYTES:
                    shape = "x".join(map(_count, new.shape))
                    raise Problem(
                        "E703",
                        f"`{path}` of {shape} brings the parameters to {_count(total)}, {_bytes(4 * total)}; "
                        f"the most is {_bytes(MOST_PARAMETER_BYTES)}",
                        "use fewer filters or features, or pool before a linear layer",
                    )
                self._elements = total
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

    def scope(self, path: str) -> Ref | None:
        """The output of the node or block at a path, where there is one."""
        return self.scopes.get(path)

    @property
    def size(self) -> int:
        """How many nodes there are."""
        return len(self.nodes)

    def name_outputs(self, path: str, outputs: Mapping[str, Ref]) -> None:
        """Make the outputs of the block at `path` known by name."""
        self.ports[path] = dict(outputs)
        for name, ref in outputs.items():
            self.scopes[f"{path}:{name}"] = ref

    def value(self, ref: Ref) -> Value:
        """One output of a node, or an input of the network."""
        node = self.nodes.get(ref.node)
        return Value(ref, node.types if node is not None else (self.inputs[ref.node].type,), chosen=True)

    def type_of(self, ref: Ref) -> TensorType:
        """The type of what `ref` names."""
        node = self.nodes.get(ref.node)
        return node.types[ref.port] if node is not None else self.inputs[ref.node].type


def check_inputs(key: str, arity: tuple[int, int | None], inputs: tuple[Value | None, ...], *, labels: bool) -> None:
    """Raise a `Problem` where a block is given what no input can be, whatever it does.

    **Errors**: E204 fewer or more inputs than it takes, E303 several outputs as one, E201 a class label (unless `labels`).
    """
    _check_arity(key, arity, len(inputs))
    for position, value in enumerate(inputs):
        if value is None or not value.types:
            continue
        if value.whole:
            path, outputs = value.ref.node, len(value.types)
            name = "id" if "." in path else path
            raise Problem("E303", f"each input of `{key}` is one output, and `{path}` before it has {outputs}",
                          f'say which is meant: `from: "{name}:0"`, and so on to `"{name}:{outputs - 1}"`')  # fmt: skip
        if value.type.dtype == "int32" and not labels:
            raise Problem("E201", f"`{key}` takes numbers, and `{value.ref.node}` is a class label",
                          "a label goes into `capsule_mask` or `capsule_decoder`", operands=(position,))  # fmt: skip


def _check_arity(key: str, arity: tuple[int, int | None], given: int) -> None:
    least, most = arity
    if least <= given and (most is None or given <= most):
        return
    wanted = f"{least}" if least == most else f"at least {least}" if most is None else f"{least} to {most}"
    inputs = "input" if wanted.endswith("1") else "inputs"
    if given > least:
        hint = "join them first, with `concat` or `add`, or give it fewer in `from`"
    elif most is None:
        hint = f"name them: `{key}: [a, b]`, or `from: [a, b]`"
    else:
        hint = "name its inputs with `from: [a, b]`" if least > 1 else "name its input with `from`"
    raise Problem("E204", f"`{key}` takes {wanted} {inputs}, and is given {given}", hint)


def _check_size(op: Op, output: TensorType, inputs: tuple[TensorType, ...]) -> None:
    if any(d < 1 for d in output.shape):
        raise Problem("E704", f"the output would be {output.plain}, which is nothing", "make it larger", operands=(0,))
    if output.size > MOST_ELEMENTS:
        axis = max(range(output.rank), key=lambda a: output.shape[a])
        raise Problem(
            "E704",
            f"the output would be {output.plain}, {output.size:.2g} numbers an image; the most is {MOST_ELEMENTS:.2g}",
            "make it smaller, or pool before it",
            field=_field_of(op, axis, inputs),
            axis=axis,
        )


def _field_of(op: Op, axis: int, inputs: tuple[TensorType, ...]) -> str | None:
    """The field that made dimension `axis` of the output, where it was one."""
    made_by = (op.origin(axis, *inputs) or "").split(" ")[0]
    return made_by if made_by in type(op).model_fields else None


def _count(number: int) -> str:
    return f"{number:,}" if number < 10**18 else f"{number:.3g}"


def _bytes(number: int) -> str:
    units = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    power = min(max(number.bit_length() - 1, 0) // 10, len(units) - 1)
    return f"{number / 2 ** (10 * power):.4g} {units[power]}" if power < len(units) - 1 else "more than any machine has"
