"""What the command line asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.progress import Progress


@dataclass(frozen=True)
class Options:
    """What to measure, and how often; `None` where a section decides by itself, by whether the run is a full one."""

    full: bool = False
    networks: tuple[str, ...] | None = None
    batches: tuple[int, ...] | None = None
    engines: tuple[str, ...] | None = None
    rounds: int | None = None
    progress: Progress = field(default_factory=Progress)

    def networks_of(self, short: Sequence[str], full: Sequence[str]) -> list[str]:
        """The networks of a section: of those asked for, the ones that it can measure."""
        if self.networks is not None:
            return [name for name in full if name in self.networks]
        return list(full if self.full else short)

    def batches_of(self, short: Sequence[int], full: Sequence[int]) -> list[int]:
        return list(self.batches or (full if self.full else short))

    def rounds_of(self, short: int, full: int) -> int:
        return self.rounds or (full if self.full else short)

    def wants(self, engine: str) -> bool:
        return self.engines is None or engine in self.engines
