"""Recipes: mistakes with carets, overrides, round trip, and the ones that come along."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from cnnspec.diagnostics import Report, Source
from cnnspec.frontend import load_spec
from cnnspec.source import parse, plain
from cnnspec.training.recipe import Recipe
from cnnspec.training.recipe_file import load_recipe, recipe_folder, recipe_text
from cnnspec.training.task import check_fits, task_of
from cnnspec.zoo import zoo_specs


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
        ("epochs: 1e9\n\n", "at most 1e+06"),
        ("optimizer: {weight_decay: .inf}\n\n", "should be finite"),
        ("schedule: {name: step, at: [30, 20]}\n\n", "should rise"),
        ("schedule: {name: step, at: [5, 9], factor: [1, 2, 3]}\n\n", "one for each of its times"),
        ("augment: {resized_crop: {}, random_resize: [256, 480]}\n\n", "has both"),
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


#: Networks of the zoo whose training nobody has published.
UNPUBLISHED = {
    "lenet5_modern": "the network as textbooks have it",
    "inception_v3_keras": "keras leaves the auxiliary head out; its weights were converted",
}


def recipes() -> dict[str, Recipe]:
    loaded = {path.stem: load_recipe(path, Report()) for path in recipe_folder().glob("*.yaml")}
    return {name: found.recipe for name, found in loaded.items() if found is not None}


def test_every_network_of_the_zoo_has_a_recipe_and_every_recipe_names_networks_that_are_there():
    names = {path.stem for path in zoo_specs()}
    found = recipes()
    assert {n for n in names if not any(r.is_for(n) for r in found.values())} == set(UNPUBLISHED)
    for name, recipe in found.items():
        assert all(any(fnmatchcase(n, pattern) for n in names) for pattern in recipe.networks), name
        assert recipe.networks or name == "default"


@pytest.mark.parametrize("name", sorted(recipes()))
def test_a_recipe_fits_a_network_that_it_is_for(name):
    recipe = recipes()[name]
    networks = sorted(path.stem for path in zoo_specs() if recipe.is_for(path.stem)) or ["lenet5_modern"]
    loaded = load_spec(networks[0], set=recipe.set)
    task = task_of(loaded.graph, loaded.document.inputs, recipe)
    check_fits(loaded.graph, task, recipe, 1_281_167)
    assert task.preprocess.std


@pytest.mark.slow
@pytest.mark.parametrize("network", [path.stem for path in zoo_specs()])
def test_every_recipe_fits_every_network_that_it_is_for(network):
    for recipe in recipes().values():
        if recipe.is_for(network):
            loaded = load_spec(network, set=recipe.set)
            check_fits(loaded.graph, task_of(loaded.graph, loaded.document.inputs, recipe), recipe, 1_281_167)
