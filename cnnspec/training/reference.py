"""The reference page of recipes, from the schema itself."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cnnspec.data.config import Augmentation, DatasetConfig, Loading, Mixing
from cnnspec.source import dump
from cnnspec.training.recipe import Loss, Normalise, Optimizer, Recipe, Schedule

_HEAD = """# Recipes

A recipe says how a network is trained: a YAML file beside the spec (`my_net.recipe.yaml` for `my_net.yaml`), one of
those that come along (`cnnspec recipes`), or a mapping in Python. Every field has a default. `cnnspec train SPEC --with
optimizer.learning_rate=0.01` changes a single field. Lengths (`schedule.warmup`, `schedule.at`, `evaluate_every`, ...)
are epochs, or steps where the recipe gives its length as `steps`. Mistakes are shown as those of specs are.

```yaml
dataset: digits
augment: {affine: {shift: 2, rotate: 10}}
batch_size: 64
epochs: 20
optimizer: {name: adamw, learning_rate: 0.002, weight_decay: 0.01}
schedule: {name: cosine, warmup: 1}
```

This page is made from the schema by `cnnspec recipes --reference`.
"""

_PARTS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("dataset", DatasetConfig), ("augment", Augmentation), ("mixing", Mixing), ("loading", Loading), ("normalise", Normalise),
    ("optimizer", Optimizer), ("schedule", Schedule), ("loss", Loss),
)  # fmt: skip


def recipe_reference() -> str:
    """The page as Markdown: a table for the recipe, and one for each of its parts."""
    sections = [_HEAD, "## The recipe\n", _table(Recipe)]
    for name, model in _PARTS:
        sections += [f"## `{name}`\n", f"{_first_sentence(model)}\n", _table(model)]
        for inner, info in model.model_fields.items():
            part = _model_in(info.annotation)
            if part is not None and name == "augment":
                sections += [f"### `{name}.{inner}`\n", f"{_first_sentence(part)}\n", _table(part)]
    return "\n".join(sections)


def _table(model: type[BaseModel]) -> str:
    lines = ["| field | default | meaning |", "| --- | --- | --- |"]
    for name, info in model.model_fields.items():
        choices = _choices(info.annotation)
        meaning = info.description or ""
        if choices:
            shown = ", ".join(f"`{choice}`" for choice in choices)
            meaning = f"{meaning}; one of {shown}" if meaning else f"one of {shown}"
        lines.append(f"| `{name}` | {_default(info)} | {meaning} |".replace("  |", " |"))
    return "\n".join(lines) + "\n"


def _default(info: FieldInfo) -> str:
    value = info.get_default(call_default_factory=True)
    if value is None or value in ((), {}, ""):
        return ""
    if isinstance(value, BaseModel):
        return f"`{value.name}`" if hasattr(value, "name") else ""
    return f"`{dump([value]).strip().removeprefix('- ')}`"


def _choices(annotation: Any) -> tuple[str, ...]:
    found = get_args(annotation)
    if found and all(isinstance(choice, str) for choice in found):
        return found
    return next((c for c in map(_choices, found) if c), ())


def _model_in(annotation: Any) -> type[BaseModel] | None:
    candidates = (annotation, *get_args(annotation))
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)


def _first_sentence(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())
