"""From the names of a peer's arrays to ours, by rules.

What the arrays of a module are called follows from the peer. Whatever is left over, on either side, is an error that
lists it: shapes alone prove nothing, since siblings of one shape swap silently.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from cnnspec.diagnostics import Diagnostic, SpecError, listing
from cnnspec.graph import Graph
from cnnspec.weights.rule import Rule

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
        # A rule may also name the parameter itself, of a module that holds an array without a module for it.
        options = [*(f"{node_path}.{ours}" for ours in leaves.get(leaf, (leaf,))), str(node_path)]
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
        path = rule.path(found) if found is not None else None
        if path is None:
            continue
        if not rule.rewrite:
            return path
        module = path
    return None


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
