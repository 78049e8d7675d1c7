"""From a located tree and a pydantic model to an instance, or to diagnostics with carets.

A pydantic error names a path of keys; walking the same path down the tree finds the place in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Mapping as AnyMapping
from functools import cache
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ValidationError, create_model

from cnnspec.diagnostics import Label, Report, Span
from cnnspec.schema import Spec
from cnnspec.source import Mapping, Tree, plain
from cnnspec.validation.explaining import explain

ModelT = TypeVar("ModelT", bound=BaseModel)

Plain = Callable[[Tree], Any]

__all__ = ["explain", "part_of", "validate"]


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
    fields already gives them as `data`. A missing field is reported at `span`; `what` names the whole (empty for the
    spec itself).
    """
    if data is None:
        data = {n: e.value if n in keep else to_plain(e.value) for n, e in tree.entries.items()}
    try:
        return model.model_validate(data, strict=True)
    except ValidationError as error:
        for diagnostic in explain(error, model, tree, what, span or tree.span, tuple(labels)):
            report.add(diagnostic)
        return None


@cache
def part_of(model: type[BaseModel], names: tuple[str, ...]) -> type[Spec]:
    """A model with some fields of another, all of them optional: for `defaults`, which give a few."""
    fields: dict[str, Any] = {}
    for name in names:
        info = model.model_fields[name]
        annotation: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        fields[name] = (annotation, None)
    return create_model(model.__name__, __base__=Spec, **fields)
