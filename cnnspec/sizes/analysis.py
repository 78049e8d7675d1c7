"""For which sizes of its input a network is valid, as a rule: found by following one side through every shape rule.

The height is followed while the width stays as written, and then the other way round; the rules of all ops treat them
apart. Where expressions of the spec ask for sizes, see `cnnspec.sizes.structures`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnnspec.diagnostics import Diagnostic, Problem, SpecError
from cnnspec.frontend import SpecLike
from cnnspec.graph import Graph, Input
from cnnspec.sizes.sides import NotPeriodicError
from cnnspec.sizes.walk import AxisSizes, Walk


@dataclass(frozen=True)
class ValidSizes:
    """For which sizes of its first feature map a network is valid."""

    input: str
    height: AxisSizes
    width: AxisSizes
    #: Whether height and width were followed together, as squares, since expressions of the spec ask for both.
    squares: bool = False

    @property
    def axes(self) -> tuple[AxisSizes, ...]:
        """What there is to be said: one axis where the other is like it."""
        return (self.height,) if self.squares else (self.height, self.width)


def sizes(spec: SpecLike, *, set: Mapping[str, Any] | None = None) -> ValidSizes:
    """For which input sizes a spec is valid. **Errors**: `SpecError` as of the spec; E906 where no rule can be said.

    **Example**: `224 in cnnspec.sizes.analysis.sizes("resnet50").height.valid`
    """
    from cnnspec.sizes.structures import Family, Structure

    given = dict(set or {})
    first = Structure.built(spec, given)
    try:
        entry = feature_map(first.loaded.whole)
        if not first.asks_for_sizes:
            return of_graph(first.loaded.whole)
        if entry.type.height == entry.type.width:
            both = Family(spec, given, entry.name, ("height", "width"), first).sizes()
            return ValidSizes(entry.name, both, both, squares=True)
        height = Family(spec, given, entry.name, ("height",), first).sizes()
        return ValidSizes(entry.name, height, Family(spec, given, entry.name, ("width",), first).sizes())
    except NotPeriodicError:
        message = "the sizes of this network follow no rule that repeats itself"
        raise SpecError([Diagnostic("E906", message, None, "`cnnspec check --resolution` tries one size")]) from None
    except Problem as problem:
        raise SpecError([Diagnostic(problem.code, problem.message, None, problem.help)]) from None


def feature_map(graph: Graph) -> Input:
    """The first feature map among the inputs. **Errors**: `Problem` E906 where there is none."""
    entry = next((i for i in graph.inputs if i.type.rank == 3), None)
    if entry is None:
        raise Problem("E906", "the network takes no feature map, and so has no sizes", "give it an input with a height")
    return entry


def of_graph(graph: Graph) -> ValidSizes:
    """For which sizes of its first feature map this very graph is valid."""
    name = feature_map(graph).name
    return ValidSizes(name, Walk(graph, name, 0).run(), Walk(graph, name, 1).run())
