"""The counts of a scaled network, without the network: for those who try many scales."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnnspec.costs import Totals
from cnnspec.diagnostics import Report
from cnnspec.elaborate import Tally, Uncountable
from cnnspec.frontend.checking import Checker, check_spec, no_collection
from cnnspec.frontend.loaded import LoadedSpec, SpecLike, open_spec
from cnnspec.graph import Input
from cnnspec.merge import load_tree
from cnnspec.scaling import Factors
from cnnspec.scaling.scaler import Scaler


@dataclass(frozen=True)
class Counted:
    """What is known of a network that is right: its counts, its inputs, and how it was scaled."""

    totals: Totals
    inputs: tuple[Input, ...]
    scaler: Scaler
    #: All nodes, those that no output depends on too.
    nodes: int

    @property
    def height(self) -> int | None:
        """The height of its first input that is an image, in pixels."""
        return next((entry.type.height for entry in self.inputs if entry.type.rank == 3), None)


def count_spec(spec: SpecLike, factors: Factors, settings: Mapping[str, Any] | None = None) -> Counted | None:
    """The counts of a spec under factors, or `None` where it is wrong; equal to those of a check, which takes longer.

    Blocks that are applied alike are elaborated once. Nothing is told of what is wrong, and what the spec expects of
    itself need not hold.
    """
    try:
        return _folded(spec, factors, dict(settings or {}))
    except Uncountable:
        loaded = check_spec(spec, Report(), set=settings, scale=factors, explain=False)
        return None if loaded is None else counted(loaded)


def counted(loaded: LoadedSpec) -> Counted:
    """What is counted of a network that was checked."""
    return Counted(loaded.totals, loaded.graph.inputs, loaded.scaler, len(loaded.whole.nodes))


def _folded(spec: SpecLike, factors: Factors, given: dict[str, Any]) -> Counted | None:
    report = Report()
    source, path = open_spec(spec, report)
    with no_collection():
        tree = load_tree(source, report, path) if source is not None else None
        if source is None or tree is None:
            return None
        checker = Checker(report, source, given, factors)
        walked = checker.walk(tree, fold=True)
        if any(found.code == "E301" for found in report):
            raise Uncountable  # what `scaling` names may stand within a block that was not walked
        if walked is None or report.failed:
            return None
        assert isinstance(walked.assembly, Tally)
        counts, _ = walked.assembly.count(walked.outputs)
        return Counted(counts, tuple(walked.assembly.inputs.values()), walked.scaler, walked.assembly.size)
