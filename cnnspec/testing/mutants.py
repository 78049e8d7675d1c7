"""Specs with exactly one planted fault, the code that it must give, and the place where.

A checker that is right reports each with one diagnostic, of that code, at that place, and nothing of what follows.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from cnnspec.diagnostics import Report, Source, Span
from cnnspec.source import Mapping, Scalar, Tree, dump, parse
from cnnspec.testing.faults import FAULTS
from cnnspec.testing.planting import Place
from cnnspec.testing.specs import specs
from cnnspec.testing.text_faults import TEXT_FAULTS


@dataclass(frozen=True)
class Mutant:
    """A spec with one fault: its text, the code and the place (line, column, from 1) of the diagnostic it must give."""

    text: str
    fault: str
    code: str
    line: int
    column: int


@st.composite
def mutants(draw: st.DrawFn, fault: str | None = None) -> Mutant:
    """A valid spec with exactly one fault planted, of any kind unless one is named (see `FAULTS` and `TEXT_FAULTS`)."""
    name = draw(st.sampled_from(sorted({*FAULTS, *TEXT_FAULTS}))) if fault is None else fault
    spec = draw(specs())
    if name in TEXT_FAULTS:
        text, code, line, column = TEXT_FAULTS[name](dump(spec))
        return Mutant(text, name, code, line, column)
    planted = FAULTS[name](spec, draw)
    text = dump(spec)
    span = _find(text, planted.place)
    return Mutant(text, name, planted.code, span.line, span.column)


def _find(text: str, place: Place) -> Span:
    """Where a path of keys and positions leads; the place of the last key itself where it ends in `key`."""
    tree: Tree | None = parse(Source("<mutant>", text), Report())
    assert tree is not None
    path, of_key = place
    key_span = tree.span
    for part in path:
        if isinstance(tree, Mapping):
            entry = tree.entries[str(part)]
            key_span, tree = entry.key_span, entry.value
        else:
            assert not isinstance(tree, Scalar)
            tree = tree.items[int(part)]
            key_span = tree.span
    return key_span if of_key else tree.span
