"""The compiled network after `cnnspec compile --tune`: in the forms and tiles, or by oneDNN, whichever was faster here."""

from __future__ import annotations

from pathlib import Path

from benchmarks.engines import Contender
from benchmarks.engines import cnnspec as untuned
from benchmarks.networks import Network

NAME = "tuned"
LABEL = "cnnspec, tuned"
NEEDS = untuned.NEEDS
#: What is measured is kept apart from the user's own.
ENVIRONMENT = {"CNNSPEC_CACHE": str(Path("out/benchmarks/tuned").absolute())}
KINDS = ("inference",)
#: It measures while it is built, and so is built after the others, by itself.
MEASURES = True
has = untuned.has


def inference(network: Network, batch: int) -> Contender:
    import cnnspec
    from cnnspec.tuning import tune

    tune(cnnspec.compile(network.spec), batch)
    return untuned.inference(network, batch)
