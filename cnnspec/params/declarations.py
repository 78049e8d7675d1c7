"""How a param is declared, and which values it may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

from pydantic import Field, model_validator

from cnnspec.diagnostics import Report, Span, listing
from cnnspec.expressions import CONSTANTS
from cnnspec.schema import Spec, refuse
from cnnspec.source import Mapping, Scalar, Tree, plain
from cnnspec.validation import validate
from cnnspec.validation.words import word

TypeName = Literal["int", "float", "bool", "str", "any"]
TYPE_NAMES: tuple[str, ...] = get_args(TypeName)

_AnyList = list[Any]
_TYPES: dict[str, Any] = {"int": int, "float": (int, float), "bool": bool, "str": str, "any": object}
_NAMES = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text", "any": "a value"}
_LISTS = {"int": "whole numbers", "float": "numbers", "bool": "true and false", "str": "texts", "any": "values"}

#: Names that mean something in every expression.
_TAKEN = frozenset({"input", "incoming", "index", "count", *CONSTANTS})


class Declared(Spec):
    """The long form of a declaration."""

    type: TypeName | None = Field(None, description="int, float, bool, str")
    choice: _AnyList | None = Field(None, min_length=1, description="the values allowed")
    list: TypeName | None = Field(None, description="a list, with elements of this type")
    length: int | None = Field(None, ge=0, description="number of elements of a list")
    default: Any = Field(None, description="value where none is given")
    min: float | None = Field(None, description="least value")
    max: float | None = Field(None, description="greatest value")
    scale: Literal["width", "depth"] | None = Field(None, description="which factor of a scaling multiplies it")
    doc: str = Field("", description="what it means")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        kinds = [name for name in ("type", "choice", "list") if getattr(self, name) is not None]
        if len(kinds) > 1:
            raise refuse(kinds[1], f"stands beside `{kinds[0]}`", "keep one of them")
        if self.length is not None and self.list is None:
            raise refuse("length", "is of a list, and this is none", "add `list: int`")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise refuse("max", f"is {self.max:g}, and `min` is {self.min:g}", "let `max` be the greater one")
        for name in ("min", "max"):
            if getattr(self, name) is not None and (self.choice or (self.list or self.type) in ("str", "bool")):
                raise refuse(name, "is of a number, and this is none", "leave it out")
        return self


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
                return "E103", f"should be a list of {_LISTS[declared.list]}"
            if declared.length is not None and len(value) != declared.length:
                return "E104", f"should have {declared.length} elements"
            return next((e for item in value if (e := self._check_one(item, declared.list, "elements "))), None)
        if declared.choice is not None:
            right = any(type(value) is type(choice) and value == choice for choice in declared.choice)
            return None if right else ("E105", f"should be one of {listing(map(word, declared.choice), 20)}")
        return self._check_one(value, declared.type or "any")

    def _check_one(self, value: Any, kind: str, of: str = "") -> tuple[str, str] | None:
        wrong_bool = isinstance(value, bool) and kind in ("int", "float")
        if not isinstance(value, _TYPES[kind]) or wrong_bool:
            return "E103", f"should have {of}that are {_LISTS[kind]}" if of else f"should be {_NAMES[kind]}"
        if self.declared.min is not None and value < self.declared.min:
            return "E104", f"should {f'have {of}of' if of else 'be'} at least {self.declared.min:g}"
        if self.declared.max is not None and value > self.declared.max:
            return "E104", f"should {f'have {of}of' if of else 'be'} at most {self.declared.max:g}"
        return None


def read_declarations(tree: Tree | None, report: Report) -> dict[str, Declaration]:
    """The declarations of a `params:` mapping; those that are wrong are reported and marked broken."""
    if tree is None:
        return {}
    if not isinstance(tree, Mapping):
        report.error("E103", "`params` should be a mapping of names to defaults or types", tree.span,
                     "write `params: {classes: 1000, filters: int}`")  # fmt: skip
        return {}
    found = {}
    for name, entry in tree.entries.items():
        problem = _wrong_name(name)
        if problem:
            report.error("E110", f"`{name}` cannot be the name of a param", entry.key_span, problem)
            found[name] = Declaration(name, Declared(type="any"), entry.key_span, None, broken=True)
            continue
        declaration = _declaration(name, entry.value, entry.key_span, report)
        found[name] = declaration or Declaration(name, Declared(type="any"), entry.key_span, None, broken=True)
    return found


def _wrong_name(name: str) -> str:
    if not name.isidentifier():
        return "use letters, digits and _, and no digit first"
    return "in an expression this name means something else: choose another" if name in _TAKEN else ""


def _declaration(name: str, tree: Tree, span: Span, report: Report) -> Declaration | None:
    value = plain(tree)
    if isinstance(tree, Mapping):
        declared = validate(Declared, tree, report, what=f"param {name}", span=span)
        if declared is None:
            return None
        if declared.type is None and declared.list is None and declared.choice is None:
            default = plain(entry) if (entry := tree.get("default")) is not None else None
            declared = declared.model_copy(update=_kind(default))
        return Declaration(name, declared, span, tree.get("default"))
    if isinstance(tree, Scalar) and isinstance(value, str) and value in TYPE_NAMES:
        return Declaration(name, Declared(type=value), span, None)
    return Declaration(name, Declared(**_kind(value)), span, tree)


def _kind(value: Any) -> dict[str, Any]:
    """The type that a default says."""
    if not isinstance(value, list):
        return {"type": _type_name(value)}
    kinds = {_type_name(item) for item in value}
    return {"list": kinds.pop() if len(kinds) == 1 else "float" if kinds == {"int", "float"} else "any"}


def _type_name(value: Any) -> str:
    if isinstance(value, str) and "$" in value:
        return "any"
    for name, kind in (("bool", bool), ("int", int), ("float", float), ("str", str)):
        if isinstance(value, kind):
            return name
    return "any"
