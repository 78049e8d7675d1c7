"""The reference page is the schema's."""

from __future__ import annotations

from pathlib import Path

from cnnspec.training.recipe import Recipe
from cnnspec.training.reference import recipe_reference


def test_the_page_in_the_docs_is_the_schemas_own():
    page = Path(__file__).parent.parent.parent / "docs" / "recipes.md"
    assert page.read_text(encoding="utf-8") == recipe_reference(), "run: cnnspec recipes --reference > docs/recipes.md"


def test_every_field_stands_on_the_page():
    page = recipe_reference()
    assert all(f"| `{name}` |" in page for name in Recipe.model_fields)
    assert all(word in page for word in ("`one_cycle`", "`rmsprop`", "`photographs`", "### `augment.affine`"))
