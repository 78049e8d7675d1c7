"""Whole specs: valid by construction, small, and together using everything that the language can say."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from math import prod
from typing import Any

from hypothesis import strategies as st

from cnnspec.testing.headers import headers
from cnnspec.testing.nodes import Node, blocks, output_type
from cnnspec.testing.own_blocks import OWN_BLOCKS
from cnnspec.types import TensorType

_REPEATED = ("conv", "basic", "bottleneck", "mbconv", "separable_conv")


@st.composite
def specs(draw: st.DrawFn, most_nodes: int = 6) -> Node:
    """A valid spec as a mapping, ready for `dump`, `check_text` or `load_spec`."""
    # A copy, so that whoever draws it may change it.
    return deepcopy(_Drawing(draw).spec(most_nodes))


@dataclass
class _Scope:
    """What a list of nodes sees while it is drawn."""

    ids: dict[str, TensorType] = field(default_factory=dict)
    #: Nodes that can be applied again: id -> (what came in, its id, what it gives).
    again: dict[str, tuple[str, TensorType]] = field(default_factory=dict)
    #: Nodes of several outputs: id -> output by its number or name.
    ports: dict[str, dict[str, TensorType]] = field(default_factory=dict)
    #: The outputs of a node none of which is its own, by `id:number`.
    parts: dict[str, dict[str, TensorType]] = field(default_factory=dict)


class _Drawing:
    """One spec being drawn."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.params: Node = {}
        self.blocks: Node = {}
        self.training: list[str] = []
        self.count = 0

    def chance(self, one_in: int) -> bool:
        return self.draw(st.integers(1, one_in)) == 1

    def pick(self, options: list[Any] | tuple[Any, ...]) -> Any:
        return self.draw(st.sampled_from(options))

    def name(self) -> str:
        self.count += 1
        return f"n{self.count}"

    # --- the whole -----------------------------------------------------------------------------------------

    def spec(self, most_nodes: int) -> Node:
        scope = _Scope()
        header, scope.ids = self.draw(headers())
        first = next(iter(scope.ids))
        layers, last = self.layers(scope, first, self.draw(st.integers(1, most_nodes)), 0)
        if last == first:  # a network has an output that is not only for training
            last = self.name()
            layers.append({"id": last, "from": first, "identity": {}})
            scope.ids[last] = scope.ids[first]
        spec: Node = {"cnnspec": 1, "name": "random", **header}
        if self.params:
            spec["params"] = self.params
        if self.chance(3):
            spec["defaults"] = self.pick(
                [{"conv": {"act": "relu"}}, {"batch_norm": {"epsilon": 0.01}}, {"conv": {"bias_init": "ones"}}]
            )
        if self.blocks:
            spec["blocks"] = self.blocks
        spec["layers"] = layers
        if self.training or self.chance(3):
            others = [name for name in scope.ids if name not in ("input", *header.get("inputs", ()))]
            named = [self.pick(others), *self.training] if others else []
            spec["outputs"] = {"main": last, **{name.replace(":", "_"): name for name in named}}
        return spec

    # --- lists of nodes ------------------------------------------------------------------------------------

    def layers(self, scope: _Scope, source: str, count: int, depth: int) -> tuple[list[Node], str]:
        """So many nodes behind the node called `source`, and the id of the last."""
        nodes: list[Node] = []
        for _ in range(count):
            node, output = self.node(scope, source, depth)
            nodes.append(node)
            if node.get("training_only"):
                self.training.append(node["id"])
                continue
            source = node["id"]
            if source in scope.parts:
                # None of the parts is the node's own output: what goes on from it names one.
                names = scope.parts.pop(source)
                scope.ids |= names
                source = self.pick(list(names))
            else:
                scope.ids[source] = output
        if ":" in source:
            nodes.append({"id": self.name(), "from": source, "identity": {}})
            scope.ids[nodes[-1]["id"]] = scope.ids[source]
            source = nodes[-1]["id"]
        return nodes, source

    def node(self, scope: _Scope, source: str, depth: int) -> tuple[Node, TensorType]:
        x, name = scope.ids[source], self.name()
        forms = [self.plain, self.plain, self.plain, self.elsewhere, self.sometimes]
        if scope.again:
            forms.append(self.shared)
        if scope.ports:
            forms += [self.elsewhere] * 4
        if depth == 0:
            forms += [self.nested, self.auxiliary]
        if x.rank == 3:
            forms += [self.own_block, self.repeated, self.merge, self.merge, self.residual]
        if x.rank == 2 and "label" in scope.ids:
            forms += [self.masked] * 6
        if x.rank == 3 and "label" in scope.ids:
            forms += [self.capsules] * 3
        node, output = self.pick(forms)(scope, source, x, depth)
        if ":" in source and "from" not in node:
            node = {"from": source, **node}
        return {"id": name, **self.expecting(node, output)}, output

    def expecting(self, node: Node, output: TensorType) -> Node:
        return {**node, "expect": list(output.shape)} if output.rank and self.chance(8) else node

    # --- forms of a node -----------------------------------------------------------------------------------

    def plain(self, scope: _Scope, source: str, x: TensorType, depth: int) -> tuple[Node, TensorType]:
        node = self.with_expressions(self.draw(blocks(x)))
        found = output_type(node, (x,), params=self.params)
        if len(found) > 1:
            scope.parts[f"n{self.count}"] = {f"n{self.count}:{number}": type_ for number, type_ in enumerate(found)}
        elif depth == 0:
            scope.again[f"n{self.count}"] = (source, found[0])
        return node, found[0]

    def with_expressions(self, node: Node) -> Node:
        """One whole number of the node given by a param or an expression instead."""
        ((key, fields),) = node.items()
        numbers = [n for n, v in fields.items() if isinstance(v, int) and not isinstance(v, bool)]
        if not numbers or not self.chance(4):
            return node
        name = self.pick(numbers)
        if self.chance(2):
            return {key: {**fields, name: f"${{{fields[name] - 1} + 1}}"}}
        param = f"p{len(self.params)}"
        self.params[param] = fields[name]
        return {key: {**fields, name: f"${param}"}}

    def of_one_output(self, x: TensorType) -> Node:
        """A node that those after it can take up without saying which of its outputs they mean."""
        node: Node = self.draw(blocks(x).filter(lambda node: "split" not in node))
        return node

    def elsewhere(self, scope: _Scope, source: str, x: TensorType, depth: int) -> tuple[Node, TensorType]:
        """A node that goes on from an earlier one, or from one of the several outputs of one."""
        origin = self.pick([n for n, t in scope.ids.items() if t.dtype != "int32"])
        x = scope.ids[origin]
        if scope.ports and self.chance(2):
            name = self.pick(list(scope.ports))
            port = self.pick(list(scope.ports[name]))
            origin, x = f"{name}:{port}", scope.ports[name][port]
        node = self.of_one_output(x)
        return {"from": origin, **node}, output_type(node, (x,))[0]

    def sometimes(self, scope: _Scope, source: str, x: TensorType, depth: int) -> tuple[Node, TensorType]:
        """A node that a param leaves in or out."""
        flag, node = self.draw(st.booleans()), self.of_one_output(x)
        self.params[f"with_{self.count}"] = flag
        output = output_type(node, (x,))[0] if flag else x
        return {"when": f"$with_{self.count}", **node}, output

    def shared(self, scope: _Scope, source: str, x: TensorType, depth: int) -> tuple[Node, TensorType]:
        name = self.pick(list(scope.again))
        origin, output = scope.again[name]
        return {"from": origin, "shared": name}, output

    def nested(self, scope: _Scope, source: str, x: TensorType, depth: int) -> tuple[Node, TensorType]:
        inner = _Scope(dict(scope.ids))
        nodes, last = self.layers(inner, source, 2, depth + 1)
        return {"layers": nodes}, inner.ids[last]

    def auxiliary(self, scope: _Scope, source: str, x: TensorType, depth: int) -> tuple[Node, TensorType]:
        node = self.of_one_output(x)
        return {"training_only": True, **node}, output_type(node, (x,))[0]

    def capsules(self, scope: _Scope, source: str, x: TensorType, depth: int) -> tuple[Node, TensorType]:
        """What makes capsules of a feature map."""
        node = self.draw(blocks(x, "primary_capsules"))
        return node, output_type(node, (x,))[0]

    def masked(self, scope: _Scope, source: str, x: TensorType, depth: int) -> tuple[Node, TensorType]:
        """Capsules with a label beside them, once there is one for each of its classes."""
        label = scope.ids["label"]
        if x.shape[0] != label.classes:
            node = {"capsule_routing": {"capsules": label.classes, "dimensions": self.draw(st.integers(1, 4))}}
            return node, output_type(node, (x,))[0]
        node = self.draw(blocks(x, self.pick(["capsule_mask", "capsule_decoder"])))
        return {"from": [source, "label"], **node}, output_type(node, (x, label))[0]

    def own_block(self, scope: _Scope, source: str, x: TensorType, depth: int) -> tuple[Node, TensorType]:
        """A block of one's own, written in YAML."""
        name = self.pick(list(OWN_BLOCKS))
        declared, inputs = OWN_BLOCKS[name]
        self.blocks[name] = declared
        node: Node = {name: {"n": self.draw(st.integers(1, 4))}}
        sources = [source]
        if inputs == 2:
            sources.append(self.pick([n for n, t in scope.ids.items() if t.rank == 3 and t.shape[:2] == x.shape[:2]]))
            node["from"] = sources
        if name == "fork":
            wide = x.with_channels(2 * node[name]["n"])
            scope.ports[f"n{self.count}"] = {"narrow": x.with_channels(node[name]["n"]), "wide": wide, "1": wide}
        if name == "weave":
            node["repeat"] = times = self.draw(st.integers(0, 3))
            turns = [scope.ids[sources[1]], x, *[x.with_channels(node[name]["n"])] * times]
            scope.ports[f"n{self.count}"] = {"left": turns[-1], "right": turns[-2]}
        return node, output_type(node, tuple(scope.ids[s] for s in sources), own_blocks=self.blocks)[0]

    def repeated(self, scope: _Scope, source: str, x: TensorType, depth: int) -> tuple[Node, TensorType]:
        key = self.pick(_REPEATED)
        filters: Any = self.draw(st.integers(1, 5))
        if self.chance(3):
            filters = f"${{{filters} + index}}"
        node: Node = {"repeat": self.draw(st.integers(0, 3)), key: {"filters": filters}}
        if self.chance(2):
            node["first"] = {"stride": 2}
        if self.chance(3):
            node["last"] = {"act": "none"}
        return node, output_type(node, (x,))[0]

    def merge(self, scope: _Scope, source: str, x: TensorType, depth: int) -> tuple[Node, TensorType]:
        """Branches joined: given in place, or as the inputs of the merge."""
        kind = self.pick(["add", "concat", "multiply"])
        alike = [n for n, t in scope.ids.items() if t == x]
        if self.chance(2):
            names = [source, *(self.pick(alike) for _ in range(self.draw(st.integers(0, 2))))]
            node: Node = {"from": names, kind: {}}
            return node, output_type(node, (x,) * len(names))[0]
        channels = x.channels if self.chance(2) else self.draw(st.integers(1, 5))
        branches: list[Any] = [self.branch(x, channels, kind) for _ in range(self.draw(st.integers(1, 3)))]
        total = len(branches) * channels
        if channels == x.channels and self.chance(2):
            branches.append(self.pick(alike))
            total += channels
        return {kind: branches}, TensorType((*x.shape[:2], total if kind == "concat" else channels), x.dtype)

    def branch(self, x: TensorType, channels: int, kind: str) -> Any:
        """Nodes that keep height and width and end in so many channels."""
        last: Node = {"conv": {"filters": channels, "kernel": self.draw(st.integers(1, 3))}}
        if self.chance(2):
            return last
        before: Any = self.pick(["batch_norm", {"activation": "relu"}, {"squeeze_excite": {"reduction": 2}}, {"conv": {"filters": 3}},
                                 {"max_pool": {"window": 3, "stride": 1, "padding": "same"}}])  # fmt: skip
        return [before, {"id": self.name(), **last}]

    def residual(self, scope: _Scope, source: str, x: TensorType, depth: int) -> tuple[Node, TensorType]:
        stride = self.pick([1, 1, 2])
        channels = x.channels if self.chance(2) else self.draw(st.integers(1, 6))
        body = [self.branch(x, self.draw(st.integers(1, 4)), "add"), {"conv": {"filters": channels, "stride": stride}}]
        body = [*(body[0] if isinstance(body[0], list) else [body[0]]), body[1]]
        # A stride is told from the sizes, and a map of one pixel has none.
        same = channels == x.channels and (stride == 1 or prod(x.shape[:2]) == 1)
        kinds = ["auto", "projection", *(["identity", "pool"] if same else [])]
        kinds += ["pad"] if channels >= x.channels else []
        fields: Node = {"body": body, "shortcut": self.pick(kinds)}
        for name, options in (("act", ["relu", "none"]), ("survival", [0.5, 1.0]), ("scale", [0.5, 1.0])):
            if self.chance(2):
                fields[name] = self.pick(options)
        if self.chance(4):
            fields.pop("shortcut")
            fields["shortcut_layers"] = [{"conv": {"filters": channels, "kernel": 1, "stride": stride}}]
        return {"residual": fields}, TensorType((*(-(-n // stride) for n in x.shape[:2]), channels), x.dtype)
