"""What a worker is asked to build."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from benchmarks.networks import Network, find


@dataclass(frozen=True)
class Job:
    """A network in an engine: `kind` is inference or training; `pixels` is the network's own size where it is 0."""

    kind: str
    engine: str
    spec: str
    batch: int
    pixels: int = 0

    @property
    def network(self) -> Network:
        found = find(self.spec)
        return replace(found, pixels=self.pixels) if self.pixels else found

    @property
    def text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Job:
        return cls(**json.loads(text))
