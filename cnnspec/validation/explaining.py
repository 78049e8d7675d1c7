"""From pydantic's errors to diagnostics: one for each mistake, at its place, with what to write instead."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping as AnyMapping
from typing import Any

from pydantic import BaseModel, ValidationError

from cnnspec.diagnostics import Diagnostic, Label, Span, listing
from cnnspec.source import Mapping, Tree
from cnnspec.synonyms import meant_choice, meant_field
from cnnspec.validation.places import Location, model_at, place_of
from cnnspec.validation.words import choices_in, repair, should_be, shown, word

#: Kinds of errors that speak of a value of the right type and out of range.
_RANGE = ("greater_than", "less_than", "too_short", "too_long", "pair_range", "finite_number", "multiple_of", "range")

#: Kinds of errors that speak of a word that is none of those that may stand there.
_CHOICE = ("literal_error", "enum", "choice")

#: Kinds of errors whose message says all, and which bring their own help.
_COMPLETE = ("contradiction", "no_arguments")

_MOST_FIELDS = 20


def explain(
    error: ValidationError,
    model: type[BaseModel],
    tree: Tree,
    what: str,
    span: Span,
    labels: tuple[Label, ...] = (),
    given: Collection[str] | None = None,
) -> list[Diagnostic]:
    """One diagnostic for each mistake that pydantic found.

    With `given`, only a part of the fields was validated: those are there as well, and what is wrong with the whole
    need not be.
    """
    items = error.errors(include_url=False)
    if given is not None:
        items = [item for item in items if item["loc"] and (item["type"] != "missing" or item["loc"][0] not in given)]
    unknown = [_unknown(item["loc"]) for item in items if item["type"] == "extra_forbidden"]
    explainer = _Explainer(model, tree, f"`{what}`" if what and "`" not in what else what, span, labels)
    found: dict[tuple[Any, ...], Diagnostic] = {}
    missing: dict[Location, list[str]] = {}
    for item in items:
        location = item["loc"]
        if item["type"] == "missing":
            name, owner = str(location[-1]), location[:-1]
            if not _misspelt(name, owner, unknown) and not explainer.incomplete(owner):
                missing.setdefault(owner, []).append(name)
        elif item["type"] == "extra_forbidden":
            found.setdefault(location, explainer.unknown(location))
        else:
            found.setdefault(location, explainer.wrong(item, (*location, *_deeper(item))))
    return [*(explainer.missing(owner, names) for owner, names in missing.items()), *found.values()]


def _unknown(location: Location) -> tuple[Location, str]:
    return location[:-1], str(location[-1])


def _misspelt(name: str, owner: Location, unknown: list[tuple[Location, str]]) -> bool:
    """Whether a field that is missing is there under another name."""
    return any(place == owner and meant_field(word, [name]) for place, word in unknown)


def _and(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _deeper(item: Any) -> Location:
    """The path within the value, where the model knows it better than pydantic."""
    return tuple((item.get("ctx") or {}).get("at", ()))


class _Explainer:
    """What is the same for all mistakes of one instance."""

    def __init__(self, model: type[BaseModel], tree: Tree, what: str, span: Span, labels: tuple[Label, ...]) -> None:
        self.model = model
        self.tree = tree
        self.what = what
        self.span = span
        self.labels = labels

    def incomplete(self, location: Location) -> bool:
        """Whether a key of the mapping at `location` was refused already."""
        tree: Tree | None = self.tree
        for part in location:
            tree = tree.get(str(part)) if isinstance(tree, Mapping) else None
        return isinstance(tree, Mapping) and tree.incomplete

    def missing(self, owner: Location, names: list[str]) -> Diagnostic:
        """All that is missing at one place is one mistake."""
        place, model = place_of(self.tree, (*owner, names[0])), model_at(self.model, self.tree, owner)
        paths = [f"`{'.'.join(map(str, (*owner, name)))}`" for name in names]
        message = f"{self.what or 'the spec'} needs {_and(paths)}"
        examples = []
        for name in names:
            info = model.model_fields.get(name) if model is not None else None
            meaning = f" ({info.description})" if info is not None and info.description else ""
            examples.append(f"`{name}: ...`{meaning}")
        return Diagnostic("E102", message, place.owner or self.span, f"add {_and(examples)}", self.labels)

    def unknown(self, location: Location) -> Diagnostic:
        place, name = place_of(self.tree, location), str(location[-1])
        owner = model_at(self.model, self.tree, location[:-1])
        known = list(owner.model_fields) if owner is not None else []
        parts = [str(part) for part in location[:-1] if not isinstance(part, int)]
        where = f"`{parts[-1]}`" + (f" of {self.what}" if self.what else "") if parts else self.what or "the spec"
        return Diagnostic("E101", f"unknown field `{name}` in {where}", place.key or self.span,
                          unknown_field(name, known), self.labels)  # fmt: skip

    def wrong(self, item: Any, location: Location) -> Diagnostic:
        place, kind = place_of(self.tree, location), str(item["type"])
        message, hint = should_be(item), ""
        context, value = item.get("ctx") or {}, self._value(item, location)
        code = "E104" if kind.startswith(_RANGE) else "E105" if kind in _CHOICE else "E103"
        if kind == "unknown_argument":
            name, owner = str(location[-1]), str(context["name"])
            return Diagnostic("E101", f"unknown field `{name}` in `{owner}`", place.key or self.span,
                              unknown_field(name, context["known"]), self.labels)  # fmt: skip
        if kind in _COMPLETE:
            code, hint = "E109" if kind == "contradiction" else code, str(context["help"])
        elif code == "E105":
            choices = context.get("choices") or choices_in(f"should be one of {context['expected']}")
            if kind != "choice":
                message = f"should be one of {listing(choices, _MOST_FIELDS)}"
            near = meant_choice(_word_of(value), choices)
            hint = f"did you mean `{near}`?" if near else ""
        elif kind in ("model_type", "dict_type"):
            below = model_at(self.model, self.tree, location)
            hint = f"the fields are {listing(below.model_fields, _MOST_FIELDS)}" if below is not None else ""
        else:
            hint = repair(kind, value, message, place.value.raw if place.value is not None else "")
        subject = ".".join(str(part) for part in location if not isinstance(part, int))
        whole = f"`{subject}` of {self.what}" if subject and self.what else f"`{subject}`" if subject else self.what
        is_there = "" if kind in _COMPLETE or not location else f", and is {shown(value)}"
        return Diagnostic(code, f"{whole} {message}{is_there}", place.value or self.span, hint, self.labels)

    def _value(self, item: Any, location: Location) -> Any:
        """The value that is wrong: where the model went deeper than pydantic, what stands there."""
        value = item["input"]
        for part in location[len(item["loc"]) :]:
            value = value.get(part) if isinstance(value, AnyMapping) else value
        return value


def unknown_field(name: str, known: list[str]) -> str:
    """Help with a field that is not there."""
    bare, colon, _ = name.partition(":")
    if colon and bare in known:
        return f"put a space behind `{bare}:`"
    if name in ("in_channels", "input_channels", "in_features", "input_shape", "in_planes") and name not in known:
        return "leave it out: what comes in is known"
    near = meant_field(name, known)
    fields = f"the fields are {listing(known, _MOST_FIELDS)}" if known else "it has no fields"
    return f"did you mean `{near}`?" if near else fields


def _word_of(value: Any) -> str:
    """The word that was meant to choose: the value, or the one key of a mapping."""
    if isinstance(value, AnyMapping):
        return str(next(iter(value), ""))
    return str(value[0]) if isinstance(value, list | tuple) and len(value) == 1 else word(value)
