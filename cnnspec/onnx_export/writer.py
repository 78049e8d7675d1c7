"""Writes the nodes of an ONNX graph, one op after the other, and keeps track of where the channels stand.

Our maps are [N, H, W, C], and ONNX computes on [N, C, H, W]. Every tensor of rank 3 (without batch) therefore has a
layout, and is transposed only where an op needs the other one: before a `flatten`, whose order the weights behind it
know, and around capsules. A convolutional network has at most a few.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from cnnspec.exporting import no_rule
from cnnspec.graph import Graph, Node, Ref
from cnnspec.ops.base import Op
from cnnspec.types import TensorType

Array = np.ndarray[Any, np.dtype[Any]]
#: `channels_first` is [N, C, H, W]; `own` is the order of the spec. For tensors that are not of rank 3 they are one.
Layout = Literal["channels_first", "own"]

#: Batch, height, width, channels as batch, channels, height, width; and back.
_PERMUTATIONS: dict[Layout, tuple[int, ...]] = {"channels_first": (0, 3, 1, 2), "own": (0, 2, 3, 1)}


@dataclass(frozen=True)
class Rule:
    """How an op is written: a file of `rules/`.

    `layout` is what the op needs of inputs of rank 3, and what its own output of rank 3 has; with `any` it takes them
    as they come. `write(writer, op, *inputs)` adds nodes and returns the name of the output, or of each output.
    """

    layout: Layout | Literal["any"]
    write: Callable[..., str | Sequence[str]]


def rule(key: str) -> Rule | None:
    """The rule for the op called `key`; `None` where there is none."""
    try:
        module = import_module(f"cnnspec.onnx_export.rules.{key}")
    except ModuleNotFoundError:
        return None
    return Rule(module.LAYOUT, module.write)


class Writer:
    """The ONNX nodes and initializers of a graph; `values` are its parameters by path, derived ones too.

    While a rule runs, `node`, `types` (of the inputs) and `layout` are those of the op that it writes.
    """

    node: Node
    types: tuple[TensorType, ...]
    layout: Layout

    def __init__(self, graph: Graph, values: Mapping[str, Any]) -> None:
        self.graph = graph
        self.values = values
        self.nodes: list[NodeProto] = []
        self.initializers: dict[str, TensorProto] = {}
        self._arrays: dict[str, Array] = {}
        self._tensors: dict[tuple[Ref, Layout], str] = {}
        self._current: list[NodeProto] = []
        for entry in graph.inputs:
            layout: Layout = "channels_first" if entry.type.rank == 3 else "own"
            self._keep(Ref(entry.name), layout, entry.name)

    # --- what rules use ------------------------------------------------------------------------------------

    def add(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """Add a node and return the name of its (first) output; several are `name`, `name:1`, ..."""
        base = f"{self.node.path}/{kind}"
        taken = sum(other.op_type == kind for other in self._current)
        name = f"{base}_{taken + 1}" if taken else base
        names = [name, *(f"{name}:{port}" for port in range(1, outputs))]
        self._current.append(helper.make_node(kind, inputs, names, name=name, **attributes))
        return name

    def weight(self, name: str, change: Callable[[Array], Array] = lambda array: array) -> str:
        """The op's parameter `name`, changed into the order that ONNX wants, as an initializer."""
        path = self.node.parameters[name]
        return self._initializer(path, change(np.asarray(self.values[path], np.float32)))

    def constant(self, value: Any, what: str, dtype: Any = np.float32) -> str:
        """A constant of the op as an initializer."""
        return self._initializer(f"{self.node.path}/{what}", np.asarray(value, dtype))

    def sizes(self, value: Sequence[int], what: str) -> str:
        """A list of whole numbers (a shape, axes, pads) as an initializer."""
        return self.constant(list(value), what, np.int64)

    @property
    def channel_axis(self) -> int:
        """Where the channels of the first input stand, counted with the batch."""
        return 1 if self.types[0].rank == 3 and self.layout == "channels_first" else self.types[0].rank

    def along_channels(self, array: Array) -> Array:
        """A vector of one value a channel, so shaped that it broadcasts over the first input."""
        return array.reshape(-1, *(1,) * (self.types[0].rank - self.channel_axis))

    # --- the graph -----------------------------------------------------------------------------------------

    def write(self, node: Node) -> None:
        """Write one op; the node that makes its output is named by its path. **Errors**: `SpecError` E818 without a rule."""
        refs = [ref for ref in node.inputs if ref is not None]
        rule_ = rule(node.op.key)
        if rule_ is None:
            raise no_rule(node, "ONNX", "cnnspec/onnx_export/rules")
        self.node, self.types, self._current = node, self.graph.types_into(node), []
        self.layout = self._common_layout(refs) if rule_.layout == "any" else rule_.layout
        op: Op = node.op
        written = rule_.write(self, op, *(self._as(ref, self.layout) for ref in refs))
        names = [written] if isinstance(written, str) else list(written)
        self._name_by_path(names)
        self.nodes += self._current
        for port, name in enumerate(names):
            layout: Layout = self.layout if node.types[port].rank == 3 else "own"
            self._keep(Ref(node.path, port), layout, name)

    def output(self, name: str, ref: Ref) -> None:
        """Give the tensor of `ref` the name of an output of the network.

        Floating-point outputs are float32: numpy, and with it most callers, has no bfloat16.
        """
        type_ = self.graph.type_of(ref)
        tensor = self._as(ref, "channels_first" if type_.rank == 3 else "own")
        if type_.dtype == "bfloat16":
            node = helper.make_node("Cast", [tensor], [name], name=f"output/{name}", to=TensorProto.FLOAT)
        else:
            node = helper.make_node("Identity", [tensor], [name], name=f"output/{name}")
        self.nodes.append(node)

    def tensor_names(self) -> dict[str, tuple[TensorType, Layout]]:
        """The tensors of the graph's own outputs, with their types and layouts."""
        return {name: (self.graph.type_of(ref), layout) for (ref, layout), name in self._tensors.items()}

    def _common_layout(self, refs: Sequence[Ref]) -> Layout:
        """The layout of the first input of rank 3: no transpose for it."""
        for ref in refs:
            if self.graph.type_of(ref).rank == 3:
                return "channels_first" if (ref, "channels_first") in self._tensors else "own"
        return "own"

    def _as(self, ref: Ref, layout: Layout) -> str:
        """The tensor of `ref` in a layout; transposed once for all that need it."""
        if self.graph.type_of(ref).rank != 3:
            layout = "own"
        found = self._tensors.get((ref, layout))
        if found is None:
            source = self._tensors[ref, "own" if layout == "channels_first" else "channels_first"]
            found = f"{source}/{'to_nchw' if layout == 'channels_first' else 'to_nhwc'}"
            self.nodes.append(helper.make_node("Transpose", [source], [found], name=found, perm=_PERMUTATIONS[layout]))
            self._tensors[ref, layout] = found
        return found

    def _keep(self, ref: Ref, layout: Layout, name: str) -> None:
        self._tensors[ref, layout] = name

    def _name_by_path(self, names: list[str]) -> None:
        """Rename what the rule returns to the path of the node, where the rule made it."""
        path = self.node.path
        for port, old in enumerate(names):
            maker = next((made for made in self._current if old in made.output), None)
            if maker is None:
                continue  # the op returns what came in
            new = path if port == 0 else f"{path}:{port}"
            new = f"{new}/value" if new in self.graph.outputs else new  # that name is the output's
            for other in self._current:
                for side in (other.input, other.output):
                    for place, name in enumerate(side):
                        if name == old:
                            side[place] = new
            if port == 0:
                maker.name = path
            names[port] = new

    def _initializer(self, name: str, array: Array) -> str:
        """An initializer of that name; one with other values gets a number behind its name."""
        unique, number = name, 1
        while unique in self._arrays and not _equal(self._arrays[unique], array):
            number += 1
            unique = f"{name}_{number}"
        if unique not in self._arrays:
            self._arrays[unique] = array
            self.initializers[unique] = numpy_helper.from_array(np.ascontiguousarray(array), unique)
        return unique


def _equal(one: Array, other: Array) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and bool((one == other).all())
