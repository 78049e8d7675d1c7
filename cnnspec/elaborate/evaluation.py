"""The plain values of trees with expressions in them."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from typing import Any

from cnnspec.diagnostics import Label, Problem, Report, Span
from cnnspec.expressions import CONSTANTS, Template, look_up, parse_template
from cnnspec.params import FAILED
from cnnspec.source import UNREADABLE, Scalar, Sequence, Tree


def evaluate_tree(tree: Tree, names: AnyMapping[str, Any], report: Report, labels: tuple[Label, ...] = ()) -> Any:
    """The plain value of a tree with its expressions evaluated, or `FAILED` after reporting what is wrong."""
    if isinstance(tree, Scalar):
        if not isinstance(tree.value, str) or "$" not in tree.value:
            return FAILED if tree.value is UNREADABLE else tree.value
        try:
            template = parse_template(tree.value)
            return tree.value if template is None else _value(template, names)
        except Problem as problem:
            span = narrowed(tree.span, tree.value, problem.stretch)
            report.error(problem.code, problem.message, span, problem.help, labels)
            return FAILED
    if isinstance(tree, Sequence):
        items = [evaluate_tree(item, names, report, labels) for item in tree.items]
        return FAILED if any(item is FAILED for item in items) else items
    values = {name: evaluate_tree(entry.value, names, report, labels) for name, entry in tree.entries.items()}
    return FAILED if any(value is FAILED for value in values.values()) else values


def names_in(tree: Tree) -> Iterator[str]:
    """The names in all expressions of a tree, in its keys too."""
    if isinstance(tree, Scalar):
        yield from _names_in_text(tree.value)
    elif isinstance(tree, Sequence):
        for item in tree.items:
            yield from names_in(item)
    else:
        for key, entry in tree.entries.items():
            yield from _names_in_text(key)
            yield from names_in(entry.value)


def _names_in_text(value: object) -> Iterator[str]:
    try:
        template = parse_template(value) if isinstance(value, str) else None
    except Problem:  # of what is never evaluated
        return
    yield from template.names if template is not None else ()


def _value(template: Template, names: AnyMapping[str, Any]) -> Any:
    if any(names.get(name) is FAILED for name in template.names):
        # What was reported has no value; a name that is not there at all is a mistake of its own.
        for name in template.names:
            if name not in names and name not in CONSTANTS:
                look_up(name, names, None)
        return FAILED
    return template.evaluate(names)


def narrowed(span: Span, text: str, stretch: tuple[int, int] | None) -> Span:
    """The part of a text that is wrong, where the text stands in the source as it is; else all of it."""
    if stretch is None or span.line != span.end_line:
        return span
    raw = span.source.line(span.line)[span.column - 1 : span.end_column - 1]
    offset = 0 if raw == text else 1 if raw[1:-1] == text else None
    if offset is None:
        return span
    begin = stretch[0] - 1 if text[stretch[0] - 1 : stretch[0]] == "$" else stretch[0]
    return Span(span.source, span.line, span.column + offset + begin, span.line, span.column + offset + stretch[1])
