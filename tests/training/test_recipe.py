"""Recipes: mistakes with carets, overrides, round trip, and the ones that come along."""

from __future__ import annotations

import pytest

from cnnspec.diagnostics import Report, Source
from cnnspec.source import parse, plain
from cnnspec.training.recipe import Recipe
from cnnspec.training.recipe_file import load_recipe, recipe_folder, recipe_text


def codes(text: str) -> list[tuple[str, int, int]]:
    report = Report()
    load_recipe(text, report)
    return [(d.code, d.span.line, d.span.column) for d in report if d.span is not None]


def test_every_mistake_is_shown_at_its_place():
    assert codes("dataset: {name: digts}\noptimiser: sgd\nbatch_size: 0\naugment: {affine: {shfit: 1}}\n") == [
        ("E105", 1, 17), ("E101", 2, 1), ("E104", 3, 13), ("E101", 4, 20),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("epochs: 1\nsteps: 5\n", "both `epochs` and `steps`"),
        ("optimizer: {name: adam, momentum: 0.9}\n\n", "no `momentum` for adam"),
        ("schedule: step\n\n", "needs either `at` or `every`"),
        ("schedule: exponential\n\n", "needs `every`"),
        ("loss: margin\nmixing: {mixup: 0.2}\n", "only for cross_entropy"),
        ("loss: {name: rbf, label_smoothing: 0.1}\n\n", "only for cross_entropy"),
        ("augment: {resized_crop: {area: [2, 1]}}\n\n", "0 < least <= most"),
        ("augment: {resized_crop: {area: [0.5, 3]}}\n\n", "more than the whole image"),
        ("normalise: {std: [1, 0, 1]}\n\n", "a `std` above 0"),
        ("normalise: {scale: 0}\n\n", "a `scale` other than 0"),
        ("normalise: {mean: .nan}\n\n", "should be finite"),
        ("epochs: .inf\n\n", "should be finite"),
        ("epochs: 1e9\n\n", "at most 1000000.0"),
        ("optimizer: {weight_decay: .inf}\n\n", "should be finite"),
        ("schedule: {name: step, at: [30, 20]}\n\n", "should rise"),
        ("schedule: {name: step, at: [-5]}\n\n", "should rise, from above 0"),
        ("dataset: {name: digits, path: somewhere}\n\n", "comes along"),
    ],
)
def test_contradictions_are_told(text, word):
    report = Report()
    assert load_recipe(text, report) is None
    assert [word in d.message for d in report] == [True]


def test_overrides_replace_single_fields_and_the_kind_of_length():
    report = Report()
    loaded = load_recipe(
        {"steps": 5, "optimizer": "adam"}, report, overrides={"epochs": 2, "optimizer.learning_rate": 0.5}
    )
    assert loaded is not None
    recipe = loaded.recipe
    assert (recipe.epochs, recipe.steps, recipe.optimizer.name, recipe.optimizer.learning_rate) == (
        2,
        None,
        "adam",
        0.5,
    )
    report = Report()
    assert load_recipe({}, report, overrides={"batch_size": -1}) is None
    assert [d.span.source.name for d in report if d.span] == ["--with batch_size"]


def test_an_unknown_recipe_is_told_with_the_nearest_name():
    report = Report()
    assert load_recipe("lenet", report) is None
    assert [(d.code, d.help) for d in report] == [("E865", "did you mean `lenet5`?")]


@pytest.mark.parametrize("path", sorted(recipe_folder().glob("*.yaml")), ids=lambda p: p.stem)
def test_a_recipe_that_comes_along_is_right_and_says_what_it_is(path):
    report = Report()
    loaded = load_recipe(path, report)
    assert loaded is not None, list(report)
    assert loaded.recipe.title
    assert bool(loaded.recipe.published) <= (loaded.recipe.source is not None)
    again = load_recipe(recipe_text(loaded.recipe) or "{}\n\n", report)
    assert again is not None
    assert again.recipe == loaded.recipe


def test_an_empty_recipe_is_a_recipe():
    report = Report()
    loaded = load_recipe({}, report)
    assert loaded is not None
    assert loaded.recipe == Recipe()
    tree = parse(Source("x", recipe_text(Recipe(epochs=2))), report)
    assert tree is not None
    assert plain(tree) == {"epochs": 2}
