"""From declarations and what is given to the values in force."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as AnyMapping
from typing import Any

from cnnspec.diagnostics import Label, Report, Span, listing
from cnnspec.expressions import BELOW
from cnnspec.params.declarations import Declaration
from cnnspec.source import Mapping, Tree
from cnnspec.synonyms import meant_choice, meant_field
from cnnspec.validation.words import repair, shown


class _Failed:
    """What `evaluate` returns for an expression that was reported as wrong."""


FAILED = _Failed()


def bind(
    declarations: AnyMapping[str, Declaration],
    given: Mapping | None,
    report: Report,
    *,
    what: str,
    evaluate: Callable[[Tree, AnyMapping[str, Any]], Any],
    scope: AnyMapping[str, Any],
    span: Span,
    unknown: str = "E101",
    missing: str = "E102",
    labels: tuple[Label, ...] = (),
    sees_params: bool = False,
    partial: bool = False,
    convert: Callable[[Declaration, Tree, Any], Any] = lambda declaration, tree, value: value,
) -> dict[str, Any] | None:
    """The value of every parameter: from `given`, else its default; `None` after reporting what is wrong.

    Values given are evaluated in `scope` (the caller's names, and with `sees_params` the parameters declared before);
    defaults may use the parameters declared before.
    With `partial` a wrong one has the value `FAILED` instead, so that what does not depend on it is still checked.
    `convert` may change a value before it is checked (scaling does).
    """
    entries = given.entries if given is not None else {}
    strange = [name for name in entries if name not in declarations]
    for name in strange:
        report.error(
            unknown, f"`{what}` has no param `{name}`", entries[name].key_span, _nearest(name, declarations), labels
        )
    right = not strange
    values: dict[str, Any] = {}
    for name, declaration in declarations.items():
        entry = entries.get(name)
        tree = entry.value if entry is not None else declaration.default
        sees = sees_params or entry is None
        names = {**scope, **_below(name, declarations), **values} if sees else scope
        values[name] = FAILED
        if declaration.broken:
            right = False
        elif tree is None:
            right = False
            misspelt = any(meant_field(word, [name]) for word in strange)
            if not misspelt and not (given is not None and given.incomplete):
                _missing(declaration, what, span, missing, report, labels)
        else:
            value = _value(declaration, tree, evaluate(tree, names), what, report, labels, convert)
            right = right and value is not FAILED
            values[name] = value
    return values if right or partial else None


def _nearest(name: str, declarations: AnyMapping[str, Declaration]) -> str:
    """Help with a param that is not declared."""
    if not declarations:
        return "it declares none: add it to `params:`"
    near = meant_field(name, [*declarations])
    return f"did you mean `{near}`?" if near else f"the params are {listing(declarations, 20)}"


def _below(name: str, declarations: AnyMapping[str, Declaration]) -> dict[str, Any]:
    """The param itself and those declared after it, which its default cannot use."""
    names = list(declarations)
    return dict.fromkeys(names[names.index(name) :], BELOW)


def _missing(
    declaration: Declaration, what: str, span: Span, code: str, report: Report, labels: tuple[Label, ...]
) -> None:
    name = declaration.name
    if code == "E102":
        report.error(code, f"`{what}` needs a value for its param `{name}`", span, f"add `{name}: ...`",
                     (*labels, Label(f"declared as param `{name}`", declaration.span)))  # fmt: skip
    else:
        report.error(code, f"`{what}` needs a value for its param `{name}`", declaration.span,
                     f"give it a default here, a value with `--set {name}=...`, or `set:` in a spec that extends this one", labels)  # fmt: skip


def _value(
    declaration: Declaration,
    tree: Tree,
    value: Any,
    what: str,
    report: Report,
    labels: tuple[Label, ...],
    convert: Callable[[Declaration, Tree, Any], Any],
) -> Any:
    """The value of one parameter, checked; `FAILED` after reporting."""
    if value is FAILED:
        return FAILED
    value = convert(declaration, tree, value)
    wrong = declaration.check(value)
    if wrong is None:
        return tuple(value) if isinstance(value, list) else value
    code, message = wrong
    choices = [str(choice) for choice in declaration.declared.choice or ()]
    near = meant_choice(str(value), choices) if choices else ""
    kind = {"int": "int_type", "float": "float_type", "bool": "bool_type", "str": "string_type"}.get(
        declaration.declared.type or ""
    )
    hint = (
        f"did you mean `{near}`?"
        if near
        else repair(kind, value, message, tree.span.raw)
        if kind and code == "E103"
        else ""
    )
    declared = Label(f"declared as param `{declaration.name}`", declaration.span)
    notes = labels if _within(tree, declaration) else (*labels, declared)
    report.error(code, f"`{declaration.name}` of `{what}` {message}, and is {shown(value)}", tree.span, hint, notes)
    return FAILED


def _within(tree: Tree, declaration: Declaration) -> bool:
    """Whether a value is the default that stands in the declaration itself."""
    return tree is declaration.default
