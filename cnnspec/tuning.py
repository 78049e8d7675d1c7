"""Measures the forms of a network's ops, and its tiles, on this machine, and remembers what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

from cnnspec.compiled import Compiled
from cnnspec.graph import Graph, Node
from cnnspec.lower.forms.measure import candidates, in_turns, measure, random_array
from cnnspec.lower.forms.memory import Memory, network_signature, remember, signature
from cnnspec.lower.tiles import cores, tile_size, widest_activation
from cnnspec.lower.trial import attempt

#: Seconds for which the whole network is run in each of the ways that are compared.
LONG = 0.5
#: How much faster, as a share, a network must be in the measured forms, and by oneDNN, for them to be kept: timings waver.
FORMS_GAIN, LIBRARY_GAIN = 0.02, 0.05

#: Told what is measured next.
Told = Callable[[str], None]


@dataclass(frozen=True)
class Measured:
    """An op, how often it stands in the network, the seconds of each form, and which form the thresholds name."""

    path: str
    count: int
    seconds: dict[str, float]
    usual: str

    @property
    def best(self) -> str:
        """The fastest form."""
        return min(self.seconds, key=self.seconds.__getitem__)


@dataclass(frozen=True)
class Tuning:
    """What was found: op by op, for the whole network, whether it is worth keeping, and where it is kept (`None`: nowhere).

    `network` holds the seconds of a batch in the usual forms and in the measured ones; `tiles` those of each tile.
    `library` has those of oneDNN in each tile, and under `"portable"` those of the portable program beside it; it is empty where
    oneDNN cannot be tried, and `None` where it failed.
    """

    ops: tuple[Measured, ...]
    network: dict[str, float]
    tiles: dict[int, float]
    library: dict[str, float] | None
    worthwhile: bool
    place: Path | None


def work(compiled: Compiled, batch: int) -> list[str]:
    """What `tune` will tell of, in order: for a progress bar."""
    graph = compiled.infer_graph
    paths = [node.path for node, _ in _distinct(graph).values()]
    last = ["oneDNN"] if compiled.may_be_native else []
    return [*paths, "the whole network", *(f"tiles of {tile}" for tile in _tiles(graph, batch)), *last]


def tune(compiled: Compiled, batch: int = 1, told: Told = lambda what: None) -> Tuning:
    """Measure every form of every op of a network for a batch, then the network as a whole, and remember what is faster.

    A large batch is computed in tiles, so ops are measured at the size of one; which tile is fastest is measured too.
    Forms that do not make the whole network faster are forgotten again: ops disturb each other's caches.
    """
    graph = compiled.infer_graph
    size = min(batch, tile_size(widest_activation(graph)))
    new, ops = Memory(), []
    usual = compiled.usual()
    choices = usual.choices()
    for key, (node, count) in _distinct(graph).items():
        told(node.path)
        inputs = graph.types_into(node)
        seconds = measure(node, inputs, candidates(node, inputs), size, options=compiled.compiler_options)
        new.forms[key] = {size: seconds}
        ops.append(Measured(node.path, count, seconds, choices[node.path].form))
    told("the whole network")
    changed = Compiled(compiled.loaded, compiled.dtype, new)
    network = _whole({"usual": usual, "measured": changed}, size)
    if network["measured"] > (1 - FORMS_GAIN) * network["usual"]:
        new.forms.clear()
    tiles: dict[int, float] = {}
    for tile in _tiles(graph, batch):
        told(f"tiles of {tile}")
        only = Memory(new.forms, {network_signature(graph): {batch: {tile: 0.0}}})
        tiles |= {tile: _whole({"": Compiled(compiled.loaded, compiled.dtype, only)}, batch)[""]}
    if tiles:
        new.tiles[network_signature(graph)] = {batch: tiles}
    library: dict[str, float] | None = {}
    if compiled.may_be_native:
        told("oneDNN")
        library = attempt(compiled, batch, sorted({min(tile, batch) for tile in _native_tiles()}), new)
        fastest = min(library, key=library.__getitem__) if library else "portable"
        if library and library[fastest] < (1 - LIBRARY_GAIN) * library["portable"]:
            new.native[network_signature(graph)] = {batch: int(fastest)}
    worthwhile = bool(new.forms or new.tiles or new.native)
    return Tuning(tuple(ops), network, tiles, library, worthwhile, remember(new) if worthwhile else None)


def _distinct(graph: Graph) -> dict[str, tuple[Node, int]]:
    """The nodes that have a choice, one a signature, and how often each occurs."""
    found: dict[str, tuple[Node, int]] = {}
    for node in graph.nodes:
        inputs = graph.types_into(node)
        if len(candidates(node, inputs)) > 1:
            key = signature(node, inputs)
            first, count = found.get(key, (node, 0))
            found[key] = (first, count + 1)
    return found


def _tiles(graph: Graph, batch: int) -> Iterator[int]:
    """The tiles that are tried for a batch: multiples of the cores, the usual one, and the batch as a whole."""
    if batch == 1:
        return
    usual = tile_size(widest_activation(graph))
    yield from sorted({tile for tile in (cores(), 2 * cores(), 4 * cores(), usual) if tile < batch} | {batch})


def _native_tiles() -> tuple[int, ...]:
    """The tiles that are tried by oneDNN: it lays out the kernels anew for each, and so wants larger ones."""
    return cores(), 2 * cores(), 4 * cores()


def _whole(networks: dict[str, Compiled], batch: int) -> dict[str, float]:
    """The seconds that each network takes for a batch."""
    functions: dict[str, Callable[[], Any]] = {}
    for name, network in networks.items():
        prepared = network.prepare(*network.init())
        entries = network.infer_graph.inputs
        on_device = {entry.name: jax.device_put(random_array((batch, *entry.type.shape))) for entry in entries}
        functions[name] = lambda network=network, p=prepared, x=on_device: network.infer(p, x)  # type: ignore[misc]
    return in_turns(functions, LONG, 3)
