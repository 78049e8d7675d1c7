"""Declared parameters of a spec or of a block written in YAML: their types, bounds, defaults, and values.

A declaration is a literal default (`classes: 1000`), the name of a type (`filters: int`), or a mapping:
`{type: int, default: 3, min: 1, max: 9}`, `{choice: [basic, bottleneck]}`, `{list: int, length: 4}`.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from cnnspec.diagnostics import Label, Report, Span, did_you_mean, listing
from cnnspec.schema import Spec
from cnnspec.source import Mapping, Scalar, Tree, plain
from cnnspec.validation import validate

TypeName = Literal["int", "float", "bool", "str", "any"]
AnyList = list[Any] | None
_TYPES: dict[str, Any] = {"int": int, "float": (int, float), "bool": bool, "str": str, "any": object}
_NAMES = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text", "any": "a value"}


class Declared(Spec):
    """The long form of a declaration."""

    type: TypeName | None = Field(None, description="int, float, bool, str")
    choice: AnyList = Field(None, description="the values allowed")
    list: TypeName | None = Field(None, description="a list, with elements of this type")
    length: int | None = Field(None, ge=0, description="number of elements of a list")
    default: Any = Field(None, description="value where none is given")
    min: float | None = Field(None, description="least value")
    max: float | None = Field(None, description="greatest value")
    scale: Literal["width", "depth"] | None = Field(None, description="which factor of a scaling multiplies it")
    doc: str = Field("", description="what it means")


@dataclass(frozen=True)
class Declaration:
    """One declared parameter."""

    name: str
    declared: Declared
    span: Span
    default: Tree | None
    #: Whether the declaration was reported as wrong; its value then is `FAILED`, and whatever uses it stays silent.
    broken: bool = False

    @property
    def required(self) -> bool:
        return self.default is None

    def check(self, value: Any) -> tuple[str, str] | None:
        """A code and what `value` should be, or `None` where it is right."""
        declared = self.declared
        if declared.list is not None:
            if not isinstance(value, list | tuple):
                return "E103", f"should be a list of {declared.list}"
            if declared.length is not None and len(value) != declared.length:
                return "E104", f"should have {declared.length} elements"
            return next((e for item in value if (e := self._check_one(item, declared.list))), None)
        if declared.choice is not None:
            right = any(type(value) is type(choice) and value == choice for choice in declared.choice)
            return None if right else ("E105", f"should be one of {listing(map(str, declared.choice))}")
        return self._check_one(value, declared.type or "any")

    def _check_one(self, value: Any, kind: str) -> tuple[str, str] | None:
        wrong_bool = isinstance(value, bool) and kind in ("int", "float")
        if not isinstance(value, _TYPES[kind]) or wrong_bool:
            return "E103", f"should be {_NAMES[kind]}"
        if self.declared.min is not None and value < self.declared.min:
            return "E104", f"should be at least {self.declared.min:g}"
        if self.declared.max is not None and value > self.declared.max:
            return "E104", f"should be at most {self.declared.max:g}"
        return None


def read_declarations(tree: Tree | None, report: Report) -> dict[str, Declaration]:
    """The declarations of a `params:` mapping; those that are wrong are reported and marked broken."""
    if tree is None:
        return {}
    if not isinstance(tree, Mapping):
        report.error("E103", "`params` should be a mapping of names to defaults or types", tree.span)
        return {}
    found = {}
    for name, entry in tree.entries.items():
        if not name.isidentifier():
            report.error("E110", f"`{name}` cannot be the name of a param", entry.key_span, "use letters, digits and _")
            continue
        declaration = _declaration(name, entry.value, entry.key_span, report)
        found[name] = declaration or Declaration(name, Declared(type="any"), entry.key_span, None, broken=True)
    return found


def _declaration(name: str, tree: Tree, span: Span, report: Report) -> Declaration | None:
    value = plain(tree)
    if isinstance(tree, Mapping):
        declared = validate(Declared, tree, report, what=f"param {name}", span=span)
        if declared is None:
            return None
        if declared.type is None and declared.list is None and declared.choice is None:
            default = plain(entry) if (entry := tree.get("default")) is not None else None
            declared = declared.model_copy(update={"type": _type_name(default)})
        return Declaration(name, declared, span, tree.get("default"))
    if isinstance(tree, Scalar) and isinstance(value, str) and value in ("int", "float", "bool", "str", "any"):
        return Declaration(name, Declared(type=value), span, None)
    if isinstance(value, list):
        kinds = {_type_name(item) for item in value}
        kind = kinds.pop() if len(kinds) == 1 else "float" if kinds == {"int", "float"} else "any"
        return Declaration(name, Declared(list=kind), span, tree)
    return Declaration(name, Declared(type=_type_name(value)), span, tree)


def _type_name(value: Any) -> str:
    if isinstance(value, str) and "$" in value:
        return "any"
    for name, kind in (("bool", bool), ("int", int), ("float", float), ("str", str)):
        if isinstance(value, kind):
            return name
    return "any"


def bind(
    declarations: AnyMapping[str, Declaration],
    given: Mapping | None,
    report: Report,
    *,
    what: str,
    evaluate: Callable[[Tree, dict[str, Any]], Any],
    scope: dict[str, Any],
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
    right = True
    for name, entry in entries.items():
        if name not in declarations:
            hint = did_you_mean(name, declarations) or (
                f"the params are {listing(declarations)}" if declarations else "it declares none: add it to `params:`"
            )
            report.error(unknown, f"`{what}` has no param `{name}`", entry.key_span, hint, labels)
            right = False
    values: dict[str, Any] = {}
    for name, declaration in declarations.items():
        entry_given = entries.get(name)
        tree = entry_given.value if entry_given is not None else declaration.default
        values[name] = FAILED
        if declaration.broken:
            right = False
            continue
        if tree is None:
            report.error(missing, f"`{what}` needs a value for its param `{name}`", span, f"add `{name}: ...`", labels)
            right = False
            continue
        value = evaluate(tree, scope if entry_given is not None and not sees_params else {**scope, **values})
        if value is FAILED:
            right = False
            continue
        value = convert(declaration, tree, value)
        wrong = declaration.check(value)
        if wrong is not None:
            code, message = wrong
            hint = did_you_mean(str(value), map(str, declaration.declared.choice or ()))
            notes = (*labels, Label(f"declared as param `{name}`", declaration.span))
            report.error(code, f"`{name}` of `{what}` {message}, and is `{value}`", tree.span, hint, notes)
            right = False
            continue
        values[name] = tuple(value) if isinstance(value, list) else value
    return values if right or partial else None


class _Failed:
    """What `evaluate` returns for an expression that was reported as wrong."""


FAILED = _Failed()
