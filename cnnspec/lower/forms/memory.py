"""What was measured on this machine, kept in the user's cache: how fast each form of an op is, which tile suits, and
which networks oneDNN computes faster.

Nothing of it goes into an artefact. A program is measured where it runs, and what was found there holds there alone:
the file is that of one processor, number of cores and version of JAX.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from math import log
from pathlib import Path
from typing import Any

from cnnspec.cache import tuned_folder
from cnnspec.files import written_whole
from cnnspec.graph import Graph, Node
from cnnspec.lower.tiles import cores
from cnnspec.types import TensorType

FORMAT = 3


@dataclass
class Memory:
    """Seconds by signature, batch and form; seconds by network, batch and tile.

    `native` has the networks and batches that were computed by oneDNN here, rightly and faster, and in which tiles.
    """

    forms: dict[str, dict[int, dict[str, float]]] = field(default_factory=dict)
    tiles: dict[str, dict[int, dict[int, float]]] = field(default_factory=dict)
    native: dict[str, dict[int, int]] = field(default_factory=dict)

    def times(self, signature: str, batch: int | None) -> Mapping[str, float]:
        """The seconds of each form at the batch measured that is nearest; empty where none was."""
        return _nearest(self.forms.get(signature, {}), batch)

    def tile(self, network: str, batch: int) -> int | None:
        """The fastest tile of a network for a batch; `None` where it was not measured."""
        found = _nearest(self.tiles.get(network, {}), batch)
        return min(found, key=found.__getitem__) if found else None

    def batches(self, signature: str) -> list[int]:
        """The batches that an op was measured at."""
        return sorted(self.forms.get(signature, {}))


def _nearest(by_batch: Mapping[int, Mapping[Any, float]], batch: int | None) -> Mapping[Any, float]:
    if not by_batch or batch is None:
        return {}
    return by_batch[min(by_batch, key=lambda known: abs(log(known / batch)))]


def signature(node: Node, inputs: Sequence[TensorType]) -> str:
    """What the time of an op depends on besides the batch, as text: its fields, and what comes in."""
    fields = node.op.model_dump(mode="json", exclude_defaults=True, exclude={"kernel_init", "bias_init"})
    shapes = " ".join(f"{'x'.join(map(str, type_.shape))} {type_.dtype}" for type_ in inputs)
    return f"{node.op.key} {json.dumps(fields, sort_keys=True)} {shapes}"


def network_signature(graph: Graph) -> str:
    """A name for a network by its structure, for what is measured of it as a whole."""
    return f"{graph.name} {hashlib.sha256(str(graph).encode()).hexdigest()[:16]}"


def machine() -> dict[str, Any]:
    """What the measurements hold for: the processor, its cores, and the version of JAX."""
    from importlib.metadata import version

    return {"processor": _processor(), "cores": cores(), "jax": version("jax")}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "CPU part")))
    return next(names, platform.machine())


def place() -> Path | None:
    """The file for this machine; `None` where the cache is switched off."""
    folder = tuned_folder()
    name = hashlib.sha256(json.dumps(machine(), sort_keys=True).encode()).hexdigest()[:16]
    return folder / f"{name}.json" if folder is not None else None


def remembered() -> Memory:
    """What is known of this machine; nothing where nothing was measured."""
    path = place()
    try:
        changed = path.stat().st_mtime_ns if path is not None else 0
    except OSError:
        return Memory()
    return _read(path, changed) if path is not None else Memory()


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> Memory:
    """The file, read again when it has changed; one that cannot be read counts for nothing."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return from_json(found) if found["format"] == FORMAT else Memory()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Memory()


def from_json(found: Mapping[str, Any]) -> Memory:
    """A memory from its fields as JSON has them, with numbers as text where they are keys."""
    forms = {op: {int(b): dict(t) for b, t in by.items()} for op, by in found["forms"].items()}
    tiles = {
        name: {int(b): {int(tile): s for tile, s in t.items()} for b, t in by.items()}
        for name, by in found["tiles"].items()
    }
    native = {name: {int(b): int(tile) for b, tile in by.items()} for name, by in found["native"].items()}
    return Memory(forms, tiles, native)


def remember(new: Memory) -> Path | None:
    """Add to what is known of this machine; where the file is, or `None` where nothing is kept."""
    path = place()
    if path is None:
        return None
    known = remembered()
    both = {
        name: {key: {**old.get(key, {}), **more.get(key, {})} for key in {**old, **more}}
        for name, old, more in ((name, getattr(known, name), getattr(new, name)) for name in asdict(new))
    }
    text = json.dumps({"format": FORMAT, "machine": machine(), **both}, indent=1)
    with written_whole(path) as beside:
        beside.write_text(text + "\n", encoding="utf-8")
    return path
