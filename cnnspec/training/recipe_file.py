"""Finding and reading a recipe."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from cnnspec.diagnostics import Diagnostic, Problem, Report, Source, Span, did_you_mean
from cnnspec.source import Entry, Mapping, Scalar, Sequence, Tree, dump, parse, read, tree_of
from cnnspec.training.recipe import Recipe
from cnnspec.validation import validate


@cache
def recipe_folder() -> Path:
    """The folder of the recipes that come along: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "recipes"
    return inside if inside.is_dir() else package.parent / "recipes"


@dataclass(frozen=True)
class LoadedRecipe:
    """A recipe, and the text it came from, so that later mistakes can point into it."""

    recipe: Recipe
    tree: Mapping
    name: str

    def locate(self, problem: Problem) -> Diagnostic:
        """The diagnostic of a problem with a field (`loss.output`, `freeze.1`), at its place in the recipe's text."""
        tree: Tree | None = self.tree
        span: Span | None = None
        for key in (problem.field or "").split("."):
            tree = _inside(tree, key)
            if tree is None:
                break  # a field that the recipe leaves out, or the short form `dataset: digits`
            span = tree.span
        shown = span if span is not None and span.source.text else None
        return Diagnostic(problem.code, problem.message, shown, problem.help)

    def place_settings(self, diagnostics: Iterable[Diagnostic], given: AnyMapping[str, Any]) -> list[Diagnostic]:
        """Diagnostics of a spec, those of the params that this recipe sets at their place in its text.

        What was `given` beside the recipe took the place of the recipe's own value.
        """
        settings = self.tree.get("set")
        entries = settings.entries if isinstance(settings, Mapping) else {}
        placed = []
        for diagnostic in diagnostics:
            span = diagnostic.span
            if span is not None and span.source.name == "--set":
                name = span.source.text.partition("=")[0]
                if name in entries and name not in given:
                    entry = entries[name]
                    place = entry.key_span if diagnostic.code == "E405" else entry.value.span
                    diagnostic = replace(diagnostic, span=place)
            placed.append(diagnostic)
        return placed


@dataclass(frozen=True)
class Option:
    """A value that an option of the command line gives a field: diagnostics show `text` under the option's `name`."""

    name: str
    text: str
    value: Any


def _inside(tree: Tree | None, key: str) -> Tree | None:
    if isinstance(tree, Mapping):
        return tree.entries[key].value if key in tree.entries else None
    if isinstance(tree, Sequence) and key.isdigit() and int(key) < len(tree.items):
        return tree.items[int(key)]
    return None


def find_recipe(recipe: str | None, spec: str, spec_name: str) -> Path | None:
    """The file that `recipe` names, or where none is named the one of the spec, or the general one.

    A spec's own recipe is `NAME.recipe.yaml` beside it, or the one of its name among those that come along.
    """
    folder = recipe_folder()
    if recipe is not None:
        candidates = [Path(recipe), folder / recipe, folder / f"{recipe}.yaml"]
    else:
        stem = Path(spec).stem
        candidates = [
            Path(spec).with_name(f"{stem}.recipe.yaml"),
            folder / f"{stem}.yaml",
            folder / f"{spec_name}.yaml",
            folder / "default.yaml",
        ]
    return next((c for c in candidates if c.is_file()), None)


def load_recipe(
    recipe: str | Path | AnyMapping[str, Any] | None,
    report: Report,
    *,
    spec: str = "",
    spec_name: str = "",
    overrides: AnyMapping[str, Any] | None = None,
) -> LoadedRecipe | None:
    """The recipe, with `overrides` (dotted names: `optimizer.learning_rate`) in place; `None` after diagnostics.

    **Errors**: E865 (there is no such recipe), and those of YAML and of fields.
    """
    tree: Any
    if isinstance(recipe, AnyMapping):
        source, name = Source("<recipe>", dump(dict(recipe))), "recipe"
    elif isinstance(recipe, str) and "\n" in recipe:
        source, name = Source("<recipe>", recipe), "recipe"
    else:
        path = find_recipe(None if recipe is None else str(recipe), spec, spec_name)
        if path is None:
            known = [p.stem for p in recipe_folder().glob("*.yaml")]
            report.error(
                "E865",
                f"there is no recipe `{recipe}`",
                help=did_you_mean(str(recipe), known) or "give the path of a file, or a name of `cnnspec recipes`",
            )
            return None
        found = read(path, report)
        if found is None:
            return None
        source, name = found, path.stem
    tree = parse(source, report) if source.text.strip() else Mapping({}, Span(source, 1, 1, 1, 1))
    if tree is None or report.failed:
        return None
    if isinstance(tree, Scalar) and tree.value is None:
        tree = Mapping({}, tree.span)
    if not isinstance(tree, Mapping):
        report.error("E103", "a recipe should be a mapping of fields", tree.span, "begin with `batch_size: 64`")
        return None
    for dotted, value in (overrides or {}).items():
        given = value if isinstance(value, Option) else Option(f"--with {dotted}", dump(value).strip(), value)
        tree = _replaced(tree, dotted.split("."), given)
    instance = validate(Recipe, tree, report, what="recipe")
    return None if instance is None else LoadedRecipe(instance, tree, name)


def _replaced(tree: Mapping, keys: list[str], given: Option) -> Mapping:
    """The tree with one value put in its place; a length replaces the other kind of length."""
    span = Span(Source(given.name, given.text), 1, 1, 1, len(given.text) + 1)
    entries = dict(tree.entries)
    if keys[0] in ("epochs", "steps"):
        entries.pop("steps" if keys[0] == "epochs" else "epochs", None)
    if len(keys) > 1:
        old = entries.get(keys[0])
        inner = old.value if old is not None else Mapping({}, span)
        if isinstance(inner, Scalar):  # a bare name stands for {name: ...}
            inner = Mapping({"name": Entry(inner.span, inner)}, inner.span)
        if isinstance(inner, Mapping):
            entries[keys[0]] = Entry(old.key_span if old is not None else span, _replaced(inner, keys[1:], given))
            return Mapping(entries, tree.span)
    entries[keys[0]] = Entry(span, tree_of(given.value, span))
    return Mapping(entries, tree.span)


def recipe_text(recipe: Recipe) -> str:
    """The recipe as YAML, with everything that differs from the defaults."""
    return dump(recipe.model_dump(exclude_defaults=True, mode="python"))
