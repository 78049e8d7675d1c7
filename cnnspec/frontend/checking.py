"""Checking a spec: reading, merging, elaborating, and comparing with what it expects of itself."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cnnspec.blocks.base import Value
from cnnspec.costs import totals
from cnnspec.diagnostics import Report, Source
from cnnspec.document import Document
from cnnspec.elaborate import UNKNOWN, Assembly, Defaults, Elaborator, Frame, Tally, evaluate_tree, read_blocks
from cnnspec.frontend.advice import advise
from cnnspec.frontend.expansion import expanded_text
from cnnspec.frontend.expectations import compare
from cnnspec.frontend.header import check_header, read_document, read_params
from cnnspec.frontend.inputs import Inputs, read_inputs
from cnnspec.frontend.loaded import LoadedSpec, SpecLike, open_spec
from cnnspec.frontend.names import check_output_names
from cnnspec.frontend.outputs import read_outputs
from cnnspec.graph import Input, Ref
from cnnspec.merge import load_tree
from cnnspec.passes.prune import prune
from cnnspec.scaling import Factors, Scaling
from cnnspec.scaling.header import check_names, read_header, scaler_of
from cnnspec.scaling.remarks import remark
from cnnspec.scaling.scaler import Scaler
from cnnspec.source import Mapping, Sequence
from cnnspec.types import TensorType


def load_spec(spec: SpecLike, *, set: AnyMapping[str, Any] | None = None, scale: Factors | None = None) -> LoadedSpec:
    """The checked spec; `spec` is a path, a name of the zoo, YAML text, or a mapping.

    `set` gives values to params, `scale` factors. **Errors**: raises `SpecError` with every diagnostic.
    """
    report = Report()
    loaded = check_spec(spec, report, set=set, scale=scale)
    report.raise_if_failed()
    assert loaded is not None
    return loaded


def check_spec(
    spec: SpecLike,
    report: Report,
    *,
    set: AnyMapping[str, Any] | None = None,
    scale: Factors | None = None,
    explain: bool = True,
    advice: bool = False,
) -> LoadedSpec | None:
    """The checked spec, or `None` where it is wrong; every diagnostic goes to `report`.

    A network that is right as written and wrong when scaled gives one diagnostic, which names the scale (and takes
    some more checks to find the nearest scale that works, unless `explain` is false). With `advice` there are notes on
    what could be better (E121 to E124).
    """
    given, factors, own = dict(set or {}), scale or Factors(), Report()
    loaded, in_force = _check(spec, own, given, factors, advice=advice)
    if loaded is None and explain and not in_force.nothing:
        from cnnspec.scaling.failure import explained

        own = explained(own, lambda tried, into, bare: _check(spec, into, given, tried, bare)[0], factors, in_force)
    report.extend(own)
    return loaded


def _check(
    spec: SpecLike,
    report: Report,
    given: dict[str, Any],
    scale: Factors,
    as_written: bool = False,
    advice: bool = False,
) -> tuple[LoadedSpec | None, Factors]:
    """The checked spec, and the factors that were in force: those asked for, or else its own.

    `as_written` leaves the spec's own scale aside.
    """
    source, path = open_spec(spec, report)
    with no_collection():
        tree = load_tree(source, report, path) if source is not None else None
        if source is None or tree is None:
            return None, Factors()
        checker = Checker(report, source, given, scale, as_written, advice)
        return checker.run(tree), checker.own if scale.nothing else scale


@contextmanager
def no_collection() -> Iterator[None]:
    """Without collecting garbage: all that a check makes is needed until it ends, and looking it over takes half the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@dataclass(frozen=True)
class Walked:
    """A document that was walked without a mistake: what came of it, and what is still to be compared with it."""

    assembly: Assembly
    outputs: dict[str, Ref]
    header: Document
    inputs: Inputs
    scaler: Scaler
    elaborator: Elaborator


@dataclass
class Checker:
    """One check of one document."""

    report: Report
    source: Source
    given: dict[str, Any]
    asked: Factors
    #: Whether the spec's own scale is left aside.
    as_written: bool = False
    advice: bool = False
    own: Factors = field(default_factory=Factors)

    def run(self, tree: Mapping) -> LoadedSpec | None:
        """Walk a document, and compare what comes of it with what it expects of itself."""
        walked, report = self.walk(tree), self.report
        if walked is None:
            return None
        header, scale = walked.header, walked.scaler
        whole = walked.assembly.graph(header.name, walked.outputs)
        # What no output depends on is no part of the network; what is expected of such a node is looked at all the same.
        graph = prune(whole)
        counts = totals(graph)
        if header.expect is not None and not self.changed:
            compare(header.expect, tree, whole, counts, walked.assembly, report)
        if report.failed:
            return None
        if not (self.own.nothing and self.asked.nothing):
            remark(scale, graph, tree, report)
        if self.advice:
            advise(tree, walked.elaborator, whole, report)
        rescaled = not self.asked.nothing or self.size_is_set or self.as_written
        text = expanded_text(tree, walked.inputs.specs, self.given, scale if rescaled else None)
        return None if report.failed else LoadedSpec(graph, header, counts, text, scale, not self.changed, whole)

    def walk(self, tree: Mapping, fold: bool = False) -> Walked | None:
        """Elaborate a document; go on as far as it makes sense after every mistake, so that one run shows all of them.

        With `fold` the assembly is a tally, in which blocks that are applied alike are one node each.
        """
        report = self.report
        check_header(tree, report)
        scale = self._scaler(tree)
        params = read_params(tree, self.given, scale, self.source, report)
        inputs = read_inputs(tree, self.given, scale, params, report)
        blocks = read_blocks(tree.get("blocks"), report)
        defaults = Defaults(tree.get("defaults"), report, lambda t: evaluate_tree(t, params, report), blocks)
        types = {
            name: TensorType(spec.shape or (), "int32" if spec.classes else "float32", spec.classes)
            for name, spec in inputs.specs.items()
        }
        entries = [Input(name, types[name], spec.optional) for name, spec in inputs.specs.items()]
        assembly = Tally(entries) if fold else Assembly(entries, inputs.spans)
        frame = Frame("", params, None)
        for name in inputs.names:
            # An input that is wrong is there all the same, and nothing is known of it.
            frame.ids[name] = Value(Ref(name), (types[name],)) if name in types else UNKNOWN
            frame.taken[name] = inputs.spans.get(name)
            if name in types:
                assembly.scopes[name] = Ref(name)
        frame.previous = next(iter(frame.ids.values()), UNKNOWN)
        elaborator = Elaborator(assembly, blocks, defaults, report, scale, not (self.changed or fold), fold)
        layers = tree.get("layers")
        last = elaborator.network(layers, frame) if layers is not None else UNKNOWN
        outputs = None
        # Without layers there is nothing that an output could name, and behind a bound nothing is known.
        if isinstance(layers, Sequence) and not elaborator.exhausted:
            check_names(tree, scale.rule, assembly.scopes, report)
            outputs = read_outputs(tree, last, frame, assembly, report)
            check_output_names(tree, report)
        # What a node expects of itself is wrong or right whatever the network expects.
        wrong = any(found.severity == "error" and found.code != "E601" for found in report)
        header = read_document(tree, inputs.specs, params, report)
        if wrong or not outputs or header is None:
            return None
        return Walked(assembly, outputs, header, inputs, scale, elaborator)

    @property
    def changed(self) -> bool:
        """Whether values from outside make another network than the spec's expectations speak of."""
        return bool(self.given) or not self.asked.nothing or self.as_written

    @property
    def size_is_set(self) -> bool:
        """Whether the input's size is set from outside, and takes the place of the one that the spec's scale gives."""
        return any(name.endswith((".height", ".width")) for name in self.given)

    def _scaler(self, tree: Mapping) -> Scaler:
        """How the network is scaled; not at all, after reporting what is wrong."""
        header = read_header(tree, self.report)
        if header is None:
            return Scaler(Scaling())
        rule, own = header
        self.own = Factors() if self.as_written else own
        return scaler_of(tree, self.report, rule, self.own, self.asked, self.size_is_set) or Scaler(rule)
