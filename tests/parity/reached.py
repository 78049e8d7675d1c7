"""The differences that the pairs reached, written down: a share of the largest logit, by pair."""

from __future__ import annotations

import json

from cnnspec.zoo import zoo_specs
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


def proven() -> str:
    """How many networks of the zoo have the logits of a peer, and how near the farthest comparison is."""
    names = {path.stem for path in zoo_specs()}
    of_the_zoo = [pair for pair in pairs() if pair.spec in names]
    reached = {name: value for name, value in read_reached().items() if name in {pair.name for pair in of_the_zoo}}
    specs = {pair.spec for pair in of_the_zoo if pair.name in reached}
    return (
        f"{len(specs)} of {len(names)} networks have the logits of a peer on the same weights: "
        f"{len(reached)} comparisons, all within {max(reached.values()):.1e} of the largest logit"
    )
