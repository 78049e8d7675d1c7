"""From a located tree and a pydantic model to an instance, or to diagnostics with carets.

A pydantic error names a path of keys; walking the same path down the tree finds the place in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Mapping as AnyMapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ValidationError, create_model

from cnnspec.diagnostics import Diagnostic, Label, Report, Span, did_you_mean, listing
from cnnspec.schema import Spec
from cnnspec.source import Mapping, Scalar, Sequence, Tree, plain

ModelT = TypeVar("ModelT", bound=BaseModel)

Plain = Callable[[Tree], Any]

_RANGE = ("greater_than", "less_than", "too_short", "too_long", "pair_range", "finite_number", "multiple_of")


def validate(
    model: type[ModelT],
    tree: Mapping,
    report: Report,
    *,
    what: str,
    to_plain: Plain = plain,
    keep: Iterable[str] = (),
    data: AnyMapping[str, Any] | None = None,
    span: Span | None = None,
    labels: Iterable[Label] = (),
) -> ModelT | None:
    """An instance of `model` from `tree`; `None` after adding a diagnostic for everything that does not fit.

    `to_plain` evaluates expressions on the way; fields named in `keep` stay trees. A caller that has evaluated the
    fields already gives them as `data`. A missing field is reported at `span`.
    """
    if data is None:
        data = {n: e.value if n in keep else to_plain(e.value) for n, e in tree.entries.items()}
    try:
        return model.model_validate(data, strict=True)
    except ValidationError as error:
        for diagnostic in explain(error, model, tree, what, span or tree.span, tuple(labels)):
            report.add(diagnostic)
        return None


def explain(
    error: ValidationError, model: type[BaseModel], tree: Tree, what: str, span: Span, labels: tuple[Label, ...] = ()
) -> list[Diagnostic]:
    """One diagnostic for each mistake that pydantic found."""
    found: dict[tuple[Any, ...], Diagnostic] = {}
    items = error.errors(include_url=False)
    unknown = [(item["loc"][:-1], str(item["loc"][-1])) for item in items if item["type"] == "extra_forbidden"]
    for item in items:
        location = item["loc"]
        if item["type"] == "missing" and any(
            o == location[:-1] and did_you_mean(w, [str(location[-1])]) for o, w in unknown
        ):
            continue  # the field is there, misspelt
        place, entry_span, owner = _descend(tree, location)
        name = str(location[-1]) if location else what
        kind = item["type"]
        if kind == "extra_forbidden":
            known = list(_fields_at(model, location[:-1]))
            where = f"`{location[-2]}` of `{what}`" if len(location) > 1 else f"`{what}`"
            hint = did_you_mean(name, known)
            diagnostic = Diagnostic(
                "E101",
                f"unknown field `{name}` in {where}",
                entry_span or span,
                hint or f"the fields are {listing(known)}",
                labels,
            )
        elif kind == "missing":
            diagnostic = Diagnostic(
                "E102", f"`{what}` needs `{'.'.join(map(str, location))}`", owner or span, f"add `{name}: ...`", labels
            )
        else:
            code = "E104" if kind.startswith(_RANGE) else "E105" if kind in ("literal_error", "enum") else "E103"
            shown = _show(item["input"])
            message = _message(item)
            hint = ""
            if code == "E105":
                choices = [c.strip("' ") for c in str(item["ctx"]["expected"]).replace(" or ", ", ").split(",")]
                message = f"should be one of {listing(choices, 20)}"
                hint = did_you_mean(str(item["input"]), choices)
            elif "should be one of" in message:
                hint = did_you_mean(str(item["input"]), message.split("should be one of")[1].replace(",", " ").split())
            subject = ".".join(str(part) for part in location if not isinstance(part, int)) or what
            diagnostic = Diagnostic(
                code,
                f"`{subject}` of `{what}` {message}, and is {shown}"
                if subject != what
                else f"`{what}` {message}, and is {shown}",
                place or span,
                hint,
                labels,
            )
        found.setdefault(tuple(location), diagnostic)
    return list(found.values())


def part_of(model: type[BaseModel], names: Iterable[str]) -> type[Spec]:
    """A model with some fields of another, all of them optional: for `defaults`, which give a few."""
    fields: dict[str, Any] = {}
    for name in names:
        info = model.model_fields[name]
        annotation: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        fields[name] = (annotation, None)
    return create_model(model.__name__, __base__=Spec, **fields)


def _message(item: Any) -> str:
    kind, context = item["type"], item.get("ctx") or {}
    simple = {
        "int_type": "should be a whole number",
        "int_from_float": "should be a whole number",
        "float_type": "should be a number",
        "bool_type": "should be true or false",
        "string_type": "should be text",
        "dict_type": "should be a mapping of fields",
        "model_type": "should be a mapping of fields",
        "tuple_type": "should be a list",
        "list_type": "should be a list",
        "greater_than_equal": f"should be at least {context.get('ge')}",
        "greater_than": f"should be greater than {context.get('gt')}",
        "less_than_equal": f"should be at most {context.get('le')}",
        "less_than": f"should be less than {context.get('lt')}",
        "finite_number": "should be finite",
    }
    message: str = simple.get(kind) or item["msg"]
    for prefix in ("Value error, ", "Input "):
        message = message.removeprefix(prefix)
    return message


def _show(value: Any) -> str:
    if isinstance(value, Mapping | Sequence | Scalar):
        value = plain(value)
    if isinstance(value, dict):
        return "a mapping" if value else "empty"
    if value is None:
        return "empty"
    if isinstance(value, list | tuple):
        return "the list " + str(list(value))[:60]
    if isinstance(value, bool):
        return str(value).lower()
    return f"`{str(value)[:60]}`"


def _descend(tree: Tree, location: tuple[int | str, ...]) -> tuple[Span | None, Span | None, Span | None]:
    """The span of the value at `location`, of its key, and of the mapping that should hold it."""
    key: Span | None = None
    for depth, part in enumerate(location):
        if isinstance(tree, Mapping) and part in tree.entries:
            entry = tree.entries[str(part)]
            key, tree = entry.key_span, entry.value
        elif isinstance(tree, Sequence) and isinstance(part, int) and part < len(tree.items):
            tree = tree.items[part]
        else:
            return (tree.span if depth else None), key, (tree.span if depth else None)
    return tree.span, key, None


def _fields_at(model: Any, location: tuple[int | str, ...]) -> Iterable[str]:
    """The fields that pydantic would accept at `location` below `model`."""
    for part in location:
        if isinstance(part, int):
            continue
        info = getattr(model, "model_fields", {}).get(part)
        inner = _model_in(info.annotation) if info is not None else None
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        inner = _model_in(argument)
        if inner is not None:
            return inner
    return None
