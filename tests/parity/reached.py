"""The differences that the pairs reached, written down: a share of the largest logit, by pair."""

from __future__ import annotations

import json

from tests.parity.pairs import FOLDER, pairs

FILE = FOLDER / "reached.json"


def read_reached() -> dict[str, float]:
    """The difference of every pair of which one is written down."""
    return dict(json.loads(FILE.read_text(encoding="utf-8"))) if FILE.exists() else {}


def write_reached(name: str, difference: float) -> None:
    """Write down one difference, to two digits; those of pairs that are gone go too."""
    found = {**read_reached(), name: float(f"{difference:.1e}")}
    kept = {pair.name: found[pair.name] for pair in pairs() if pair.name in found}
    FILE.write_text(json.dumps(kept, indent=0) + "\n", encoding="utf-8")
