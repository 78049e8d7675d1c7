"""Where the time of a network goes: every node timed on this machine, against what this machine can do.

XLA computes an activation, a sum or a normalisation in the same sweep over memory as the layer that it follows, so such
nodes are timed together with it, as one step. A step is bounded by its arithmetic or by what it must read and write; how
near it comes to that bound says whether there is anything left to gain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import jax

from cnnspec.cache import not_cached
from cnnspec.ceilings import SHORTEST, Ceilings, ceilings, overhead
from cnnspec.compiled import Compiled
from cnnspec.explanation import place_of
from cnnspec.graph import Graph, Node, Ref
from cnnspec.lower.derive import arguments_of, derive
from cnnspec.lower.forms.measure import in_turns, random_array
from cnnspec.lower.forms.memory import machine, signature
from cnnspec.lower.fuse import FusedConv
from cnnspec.lower.program import Program
from cnnspec.lower.running import Running
from cnnspec.lower.xla import Options

#: Ops that are computed in one sweep with what comes before them.
FOLLOWERS = frozenset({"activation", "add", "multiply", "scale", "batch_norm", "cast"})
#: Seconds for which the whole network is run, and from which the time of a step shows what the machine can do.
LONG, TRUSTED = 0.3, 3e-5

Told = Callable[[str], None]


@dataclass(frozen=True)
class Step:
    """Nodes that are computed together: the first names them. `least` is the bound of their time by `limit`."""

    path: str
    op: str
    place: str
    form: str
    nodes: tuple[str, ...]
    seconds: float
    macs: int
    flops: int
    bytes: int
    least: float
    limit: str


@dataclass(frozen=True)
class Profile:
    """The steps in order; `batch` images are computed at a time. `network` is the time of all of it, as one program."""

    name: str
    batch: int
    machine: dict[str, Any]
    ceilings: Ceilings
    steps: tuple[Step, ...]
    network: float


def profile(compiled: Compiled, batch: int = 1, told: Told = lambda what: None) -> Profile:
    """Time every step of inference in the form that it takes on this machine; `told` hears what is measured next."""
    size = min(batch, compiled.tile(batch)) if jax.default_backend() == "cpu" else batch
    program = _program(compiled, batch, size)
    told("what this machine can do")
    idle = overhead()
    limits = ceilings(idle)
    weights = derive(arguments_of(program.graph), program.graph.derived, _arrays(compiled))
    seconds: dict[object, float] = {}
    steps = [(nodes, _key(program, nodes)) for nodes in steps_of(program.graph)]
    for nodes, key in steps:
        if key not in seconds:
            told(nodes[0].path)
            seconds[key] = max(_seconds(program, nodes, weights, size, compiled.compiler_options) - idle, SHORTEST)
            if seconds[key] > TRUSTED:
                limits.seen(*_work(program.graph, nodes, size)[1:], seconds[key])
    found = [_step(program, nodes, seconds[key], size, limits) for nodes, key in steps]
    told("the whole network")
    prepared = compiled.prepare(*compiled.init())
    inputs = {e.name: jax.device_put(random_array((size, *e.type.shape))) for e in program.graph.inputs}
    whole = in_turns({"": lambda: compiled.infer(prepared, inputs)}, LONG)[""]
    return Profile(compiled.loaded.document.name, size, machine(), limits, tuple(found), whole)


def _program(compiled: Compiled, batch: int, size: int) -> Program:
    """The program that computes a batch, `size` images at a time."""
    native = compiled.native_tile(batch) is not None
    return compiled.native_program(size) if native else compiled.program_for(size)


def work(compiled: Compiled, batch: int) -> int:
    """How often `profile` will tell what it measures."""
    program = _program(compiled, batch, min(batch, compiled.tile(batch)))
    return 2 + len({_key(program, nodes) for nodes in steps_of(program.graph)})


def steps_of(graph: Graph) -> list[tuple[Node, ...]]:
    """The nodes in order, each follower together with what it follows, where nothing else uses that."""
    uses: dict[Ref, int] = {}
    for ref in [*(r for node in graph.nodes for r in node.inputs if r is not None), *graph.outputs.values()]:
        uses[ref] = uses.get(ref, 0) + 1
    order = {node.path: i for i, node in enumerate(graph.nodes)}
    found: dict[str, list[Node]] = {}
    last: dict[str, str] = {}  # the last node of a step -> its first
    for node in graph.nodes:
        latest = max(
            (r for r in node.inputs if r is not None and r.node in order), key=lambda r: order[r.node], default=None
        )
        joins = node.op.key in FOLLOWERS and latest is not None and latest.node in last and uses[latest] == 1
        if joins and latest is not None:
            first = last.pop(latest.node)
            found[first].append(node)
        else:
            first = node.path
            found[first] = [node]
        if len(node.types) == 1:
            last[node.path] = first
    return [tuple(nodes) for nodes in found.values()]


def _entering(nodes: tuple[Node, ...]) -> list[Ref]:
    own = {node.path for node in nodes}
    return list(dict.fromkeys(r for node in nodes for r in node.inputs if r is not None and r.node not in own))


def _key(program: Program, nodes: tuple[Node, ...]) -> object:
    """What the time of a step depends on: steps of one key are measured once."""
    names = {ref: f"input {i}" for i, ref in enumerate(_entering(nodes))}
    names |= {Ref(node.path): f"node {i}" for i, node in enumerate(nodes)}
    return tuple(
        (signature(node, program.graph.types_into(node)), program.forms.get(node.path, "plain"),
         tuple(None if ref is None else names[ref] for ref in node.inputs))
        for node in nodes
    )  # fmt: skip


def _arrays(compiled: Compiled) -> dict[str, Any]:
    params, state = compiled.init()
    return {**params, **state}


def _seconds(program: Program, nodes: tuple[Node, ...], weights: dict[str, Any], batch: int, options: Options) -> float:
    """The time of a step by itself, on random inputs."""
    refs = _entering(nodes)
    paths = {path for node in nodes for path in node.parameters.values()}
    params = {path: jax.device_put(weights[path]) for path in paths}
    types = [program.graph.type_of(ref) for ref in refs]
    inputs = [jax.device_put(random_array((batch, *type_.shape))).astype(type_.dtype) for type_ in types]

    @partial(jax.jit, compiler_options=options)
    def run(params: Any, inputs: Any) -> Any:
        running = Running(params, dict(params), None, False, program.forms, dict(zip(refs, inputs, strict=True)))
        for node in nodes:
            running.node(node)
        return [running.environment[Ref(nodes[-1].path, port)] for port in range(len(nodes[-1].types))]

    with not_cached():
        return in_turns({"": lambda: run(params, inputs)})[""]


def _work(graph: Graph, nodes: tuple[Node, ...], batch: int) -> tuple[int, int, int]:
    """The multiply-accumulates and the operations of a step, and the bytes that it must read and write."""
    costs = [node.op.cost(graph.types_into(node), node.type) for node in nodes]
    kernels = sum(4 * _size(graph, path) for node in nodes for name, path in node.parameters.items() if "@" not in name)
    maps = sum(graph.type_of(ref).bytes for ref in _entering(nodes)) + sum(t.bytes for t in nodes[-1].types)
    return batch * sum(c.macs for c in costs), batch * sum(c.flops for c in costs), kernels + batch * maps


def _step(program: Program, nodes: tuple[Node, ...], seconds: float, batch: int, limits: Ceilings) -> Step:
    macs, flops, moved = _work(program.graph, nodes, batch)
    first, form = nodes[0], program.forms.get(nodes[0].path, "plain")
    op = first.op.conv if isinstance(first.op, FusedConv) else first.op
    least, limit = limits.bound(flops, moved)
    return Step(first.path, op.key, place_of(first), form, tuple(node.path for node in nodes), seconds, macs, flops,
                moved, min(least, seconds), limit)  # fmt: skip


def _size(graph: Graph, path: str) -> int:
    entry = graph.derived.get(path) or graph.parameters[path]
    return prod(entry.shape)
