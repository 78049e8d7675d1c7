"""From the names and layouts of a peer (torchvision, timm, keras) to ours, by name.

The rules are data: `rules/PEER/FAMILY.yaml`. A rule matches the path of a module of the peer and says the path of our
node; what the arrays are called and how they are laid out follows from the peer and from our op. Whatever is left
over, on either side, is an error that lists it: shapes alone prove nothing, since siblings of one shape swap silently.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from cnnspec.diagnostics import Diagnostic, Report, SpecError, listing
from cnnspec.fields import Names
from cnnspec.graph import Graph, Node
from cnnspec.schema import Spec
from cnnspec.source import Mapping as Tree
from cnnspec.source import Scalar, Sequence, parse, read
from cnnspec.validation import validate

Peer = Literal["torchvision", "timm", "keras"]
Array = np.ndarray[Any, np.dtype[Any]]

_RULES = Path(__file__).parent / "rules"

#: What a peer calls an array of a module -> what we may call it, in the order of trial.
_TORCH_LEAVES: dict[str, tuple[str, ...]] = {
    "weight": ("kernel", "scale"), "bias": ("bias",), "running_mean": ("mean",), "running_var": ("var",),
}  # fmt: skip
_KERAS_LEAVES: dict[str, tuple[str, ...]] = {
    "kernel": ("kernel",), "depthwise_kernel": ("kernel",), "pointwise_kernel": ("kernel",), "bias": ("bias",),
    "gamma": ("scale",), "beta": ("bias",), "moving_mean": ("mean",), "moving_variance": ("var",),
}  # fmt: skip
_LEAVES: dict[str, dict[str, tuple[str, ...]]] = {
    "torchvision": _TORCH_LEAVES, "timm": _TORCH_LEAVES, "keras": _KERAS_LEAVES,
}  # fmt: skip
_IGNORED = ("num_batches_tracked",)
_GROUP = re.compile(r"\\(\d)")


class Run(Spec):
    """Nodes of ours in the order in which a peer numbers its layers, once or in each of several repeats."""

    under: str = Field("", description="path that stands before theirs")
    repeat: int = Field(0, ge=0, description="how often they come, under `under.0` and so on; 0 without repeats")
    paths: Names = Field(description="paths of the nodes")

    def unrolled(self) -> list[str]:
        heads = [f"{self.under}.{i}." for i in range(self.repeat)] or [f"{self.under}." if self.under else ""]
        return [head + path for head in heads for path in self.paths]


class Rule(Spec):
    """One rule of a mapping."""

    match: str = Field(description="regular expression for the whole path of a module of the peer")
    to: str = Field(description="path of our node; \\1 is the first group; `-` for what is ignored")
    table: dict[str, str] | None = Field(None, description="what a group stands for")
    group: int = Field(1, description="the group that the table is for")
    shift: dict[str, int] | None = Field(None, description="what is added to a group that is a number, by the group's")
    letter: int | None = Field(None, description="a group that is a letter: a is 0, b is 1")
    order: list[Run] = Field([], description="what the last group, a number that may be left out for 0, stands for")
    rewrite: bool = Field(False, description="whether the result is matched again, by the rules below")
    specs: list[str] | None = Field(None, description="names of the specs that it is for; all without")


@dataclass(frozen=True)
class Pair:
    """One array of the peer and one parameter of ours."""

    theirs: str
    ours: str


@dataclass
class Mapped:
    """The result of matching names."""

    pairs: list[Pair] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)


def rules_for(peer: str, family: str, spec_name: str) -> list[Rule]:
    """The rules of a family and peer; raises `SpecError` (E810) where there are none."""
    report = Report()
    found = _read_rules(peer, family, report)
    report.raise_if_failed()
    return [rule for rule in found if rule.specs is None or spec_name in rule.specs]


def _read_rules(peer: str, family: str, report: Report) -> list[Rule]:
    """The rules of a file; a name among them stands for all rules of that family, or `peer/family`."""
    path = _RULES / peer / f"{family}.yaml"
    source = read(path, report) if path.exists() else None
    tree = parse(source, report) if source is not None else None
    items = tree.items if isinstance(tree, Sequence) else (tree,) if isinstance(tree, Scalar) else None
    if items is None:
        known = sorted(p.stem for p in (_RULES / peer).glob("*.yaml"))
        message = f"there are no rules for the weights of {peer} for the family `{family}`"
        raise SpecError([Diagnostic("E810", message, None, f"there are rules for {listing(known)}")])
    found: list[Rule] = []
    for item in items:
        if isinstance(item, Scalar):
            other, _, same = str(item.value).rpartition("/")
            found += _read_rules(other or peer, same, report)
        elif isinstance(item, Tree) and (rule := validate(Rule, item, report, what="rule")) is not None:
            found.append(rule)
    return found


def match_names(graph: Graph, names: list[str], rules: list[Rule], peer: str) -> Mapped:
    """Match every array of the peer with a parameter of the graph."""
    leaves = _LEAVES[peer]
    compiled = [(re.compile(rule.match), rule) for rule in rules]
    result = Mapped()
    used: dict[str, str] = {}
    for name in names:
        module, _, leaf = name.replace("/", ".").rpartition(".")
        if leaf in _IGNORED:
            continue
        node_path = _apply(compiled, module, leaf)
        if node_path == "-":
            continue
        options = [f"{node_path}.{ours}" for ours in leaves.get(leaf, (leaf,))]
        ours = next((o for o in options if o in graph.parameters), None) if node_path is not None else None
        if ours is None:
            result.unmatched.append(name)
        elif ours in used:
            result.doubled.append(f"{used[ours]} and {name} -> {ours}")
        else:
            used[ours] = name
            result.pairs.append(Pair(name, ours))
    result.missing = [path for path in graph.parameters if path not in used]
    return result


def _apply(compiled: list[tuple[re.Pattern[str], Rule]], module: str, leaf: str) -> str | None:
    """The path of our node for a module of the peer, or for one of its arrays."""
    for pattern, rule in compiled:
        # A rule that ends in the name of an array tells apart two arrays of one module.
        found = pattern.fullmatch(module) or pattern.fullmatch(f"{module}.{leaf}")
        words = _words(found, rule) if found is not None else None
        if words is None:
            continue
        path = _GROUP.sub(lambda place, words=words: words[int(place[1]) - 1], rule.to)  # type: ignore[misc]
        if not rule.rewrite:
            return path
        module = path
    return None


def _words(found: re.Match[str], rule: Rule) -> list[str] | None:
    """What the groups stand for; none where the rule's table or order does not know a word."""
    words = [word or "" for word in found.groups()]
    if rule.table is not None:
        if words[rule.group - 1] not in rule.table:
            return None
        words[rule.group - 1] = rule.table[words[rule.group - 1]]
    if rule.order:
        paths = [path for run in rule.order for path in run.unrolled()]
        if int(words[-1] or 0) >= len(paths):
            return None
        words[-1] = paths[int(words[-1] or 0)]
    if rule.letter is not None:
        words[rule.letter - 1] = str(ord(words[rule.letter - 1]) - ord("a"))
    for group, by in (rule.shift or {}).items():
        words[int(group) - 1] = str(int(words[int(group) - 1]) + by)
    return words


def require_complete(mapped: Mapped, peer: str) -> None:
    """Raise `SpecError` (E811) where anything is left over on either side."""
    lists = (
        (f"of the arrays of {peer} have no place here", mapped.unmatched),
        ("of our parameters are not given", mapped.missing),
        ("are given twice", mapped.doubled),
    )
    found = [
        Diagnostic("E811", f"{len(names)} {what}: {listing(names, 8)}", None, "is this the right spec and peer?")
        for what, names in lists
        if names
    ]
    if found:
        raise SpecError(found)


def convert(graph: Graph, arrays: Mapping[str, Any], mapped: Mapped, peer: str) -> dict[str, Array]:
    """The peer's arrays as our parameters; raises `SpecError` (E812) where one does not fit."""
    owners = _owners(graph)
    found: dict[str, Array] = {}
    wrong: list[Diagnostic] = []
    for pair in mapped.pairs:
        node, name = owners[pair.ours]
        shape = graph.parameters[pair.ours].shape
        array = np.asarray(arrays[pair.theirs], np.float32)
        try:
            found[pair.ours] = to_ours(array, shape, name, graph, node, peer)
        except ValueError:
            message = f"`{pair.theirs}` is {_x(array.shape)}, and `{pair.ours}` needs {_x(shape)}"
            hint = "import into the network that the file is of; `cnnspec weights transfer` carries over what fits"
            wrong.append(Diagnostic("E812", message, None, hint))
    if wrong:
        raise SpecError(wrong)
    return found


def _x(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _owners(graph: Graph) -> dict[str, tuple[Node, str]]:
    """For every parameter, a node that uses it and what it calls it."""
    found: dict[str, tuple[Node, str]] = {}
    for node in graph.nodes:
        for name, path in node.parameters.items():
            found.setdefault(path, (node, name))
    return found


def to_ours(array: Array, shape: tuple[int, ...], name: str, graph: Graph, node: Node, peer: str) -> Array:
    """One array in our layout; raises `ValueError` where it cannot be."""
    if peer == "keras":
        if array.ndim == 4 and node.op.key == "conv" and array.shape != shape:
            array = array.reshape(*array.shape[:2], 1, -1)  # depthwise: [h, w, C, multiplier]
        elif array.ndim == 4 and node.op.key == "linear":
            array = array.reshape(-1, array.shape[-1])  # a 1x1 convolution as classifier
    elif name == "kernel" and node.op.key == "conv" and array.ndim == 4:
        array = array.transpose(2, 3, 1, 0)
    elif name == "kernel" and node.op.key == "linear":
        array = _linear_from_torch(array, graph, node)
    elif array.ndim != 1 and prod(array.shape) == prod(shape):
        array = array.reshape(shape)
    if array.shape != shape:
        raise ValueError
    return np.ascontiguousarray(array)


def _linear_from_torch(array: Array, graph: Graph, node: Node) -> Array:
    """[out, in] as [in, out], with the rows from torch's CHW order to our HWC where a flatten comes before."""
    if array.ndim == 4:  # a fully connected layer written as a convolution over the whole map
        return array.transpose(2, 3, 1, 0).reshape(-1, array.shape[0])
    ref = node.inputs[0]
    while ref is not None and ref.node in graph.by_path:
        before = graph.by_path[ref.node]
        source = before.inputs[0]
        if before.op.key == "flatten" and source is not None:
            shape = graph.type_of(source).shape
            if len(shape) == 3:
                height, width, channels = shape
                array = array.reshape(-1, channels, height, width).transpose(0, 2, 3, 1).reshape(array.shape[0], -1)
            break
        if before.type.rank != 1 or before.parameters:
            break
        ref = source
    return array.T


def from_ours(array: Array, target: tuple[int, ...], name: str, graph: Graph, node: Node, peer: str) -> Array:
    """One of our arrays in the peer's layout: the opposite of `to_ours`, found by moving an array of positions."""
    positions = np.arange(prod(target), dtype=np.int64).reshape(target)
    places = to_ours(positions, array.shape, name, graph, node, peer)
    flat = np.empty(prod(target), array.dtype)
    flat[places.ravel()] = array.ravel()
    return flat.reshape(target)


def export(graph: Graph, params: Mapping[str, Array], targets: Mapping[str, tuple[int, ...]], mapped: Mapped,
           peer: str) -> dict[str, Array]:  # fmt: skip
    """Our parameters under the peer's names and in its layouts; `targets` has the peer's shapes."""
    owners = _owners(graph)
    found = {}
    for pair in mapped.pairs:
        node, name = owners[pair.ours]
        found[pair.theirs] = from_ours(np.asarray(params[pair.ours]), targets[pair.theirs], name, graph, node, peer)
    return found
