"""For which sizes of its input a network is valid, as a rule: found by following one side through every shape rule.

The height is followed while the width stays as written, and then the other way round; the rules of all ops treat them
apart. Where an expression asks for the size, each remainder of the period has a graph of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from cnnspec.diagnostics import Diagnostic, Problem, Report, SpecError
from cnnspec.frontend import LoadedSpec, SpecLike, check_spec, load_spec
from cnnspec.graph import Graph
from cnnspec.sizes.sides import NotPeriodicError
from cnnspec.sizes.valid import Valid
from cnnspec.sizes.walk import AxisSizes, Condition, Walk

_SIZE_IN_EXPRESSION = re.compile(r"\$\{[^}]*\.(height|width|size|shape)\b|\$\w+\.(height|width|size|shape)\b")


@dataclass(frozen=True)
class ValidSizes:
    """For which sizes of its first feature map a network is valid."""

    input: str
    height: AxisSizes
    width: AxisSizes
    #: Whether the network itself changes with the size: an expression asks for it.
    by_residue: bool = False


def sizes(spec: SpecLike, *, set: Mapping[str, Any] | None = None) -> ValidSizes:
    """For which input sizes a spec is valid. **Errors**: `SpecError` as of the spec; E906 where no rule can be said."""
    loaded = load_spec(spec, set=set)
    try:
        if _SIZE_IN_EXPRESSION.search(loaded.expanded) is None:
            return of_graph(loaded.graph)
        return _by_residue(spec, loaded, dict(set or {}))
    except NotPeriodicError:
        message = "the sizes of this network follow no rule that repeats itself"
        raise SpecError([Diagnostic("E906", message, None, "`cnnspec check --resolution` tries one size")]) from None
    except Problem as problem:
        raise SpecError([Diagnostic(problem.code, problem.message, None, problem.help)]) from None


def of_graph(graph: Graph) -> ValidSizes:
    """For which sizes of its first feature map this very graph is valid."""
    entry = next((i for i in graph.inputs if i.type.rank == 3), None)
    if entry is None:
        raise Problem("E906", "the network takes no feature map, and so has no sizes", "give it an input with a height")
    return ValidSizes(entry.name, Walk(graph, entry.name, 0).run(), Walk(graph, entry.name, 1).run())


def nearest_height(graph: Graph, wanted: int) -> int | None:
    """The height nearest to `wanted` for which a network is valid, as far as analysis can say."""
    try:
        return of_graph(graph).height.nearest(wanted)
    except (NotPeriodicError, Problem):
        return None


def _by_residue(spec: SpecLike, loaded: LoadedSpec, given: dict[str, Any]) -> ValidSizes:
    """The sizes of a network that is built otherwise for other sizes: one graph for each residue of its period."""
    first = of_graph(loaded.graph)
    found = []
    for axis in (first.height, first.width):
        period = axis.valid.period
        bounds = list(axis.valid.bounds)
        for rest in range(period):
            size = axis.base + (rest - axis.base) % period
            other = check_spec(spec, Report(), set={**given, f"{first.input}.{axis.axis}": size})
            if other is None:
                bounds[rest] = (1, 0) if size in axis.valid or axis.valid.bounds[rest][1] is None else bounds[rest]
                continue
            again = getattr(of_graph(other.graph), axis.axis)
            bounds[rest] = again.valid.bounds[rest % again.valid.period]
            axis.conditions += [c for c in again.conditions if c.node not in {k.node for k in axis.conditions}]
        axis.valid = Valid(tuple(bounds))
        _smallest(axis, partial(_message, spec, given, f"{first.input}.{axis.axis}"))
        found.append(axis)
    return ValidSizes(first.input, found[0], found[1], by_residue=True)


def _smallest(axis: AxisSizes, wrong: Callable[[int], str | None]) -> None:
    """Look at the sizes below two periods one by one, where maps close and an expression may decide otherwise."""
    period, bounds, messages, run = axis.valid.period, list(axis.valid.bounds), dict[int, str](), 0
    for size in range(2 * period, 0, -1):
        message = wrong(size) if run < period and size in axis.valid else None
        if message is not None:
            messages[size] = message
            low, high = bounds[size % period]
            bounds[size % period] = (max(low, size + period), high)
        run = 0 if size in axis.valid and message is None and run < period else run + 1
    axis.valid = Valid(tuple(bounds))
    fallback = next(iter(messages.values()), "the network is built otherwise for it")
    axis.conditions.append(Condition(axis.axis, axis.valid, lambda n: messages.get(n, fallback)))


def _message(spec: SpecLike, given: dict[str, Any], setting: str, size: int) -> str | None:
    """What is wrong with the network of this size, if anything."""
    report = Report()
    if check_spec(spec, report, set={**given, setting: size}) is not None:
        return None
    return next(d.message for d in report if d.severity == "error")
