"""Every example of the documentation is checked, and the generated pages are up to date."""

from __future__ import annotations

import re
import runpy
from inspect import cleandoc
from pathlib import Path

import pytest

from cnnspec.registry import block_keys, keys, spec_class
from cnnspec.rendering import render_text
from cnnspec.testing import check_text

ROOT = Path(__file__).parent.parent
GUIDES = [p for p in [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"] if p.exists()]


def yaml_blocks(text: str) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


EXAMPLES = [
    pytest.param(block, id=f"{path.stem}-{number}")
    for path in GUIDES
    for number, block in enumerate(yaml_blocks(path.read_text()), 1)
    if re.search(r"^cnnspec: 1", block, re.MULTILINE)
]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 15


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_a_guide_is_right(example: str) -> None:
    checked = check_text(example)
    assert checked.loaded is not None, render_text(checked.diagnostics)


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_file_of_the_examples_is_right_unless_it_shows_mistakes(path: Path) -> None:
    text = path.read_text()
    if text.startswith("cnnspec: 1"):
        checked = check_text(text)
        assert (checked.loaded is None) == (path.stem in ("four_mistakes", "alexnet_as_taught")), render_text(
            checked.diagnostics
        )


@pytest.mark.parametrize("key", sorted(keys()))
def test_the_example_of_a_docstring_is_right(key: str) -> None:
    found = yaml_blocks(cleandoc(spec_class(key).__doc__ or ""))
    assert found or key not in block_keys(), f"the block `{key}` has no example"
    for block in found:
        checked = check_text(f"cnnspec: 1\nname: example\n{block}")
        assert checked.loaded is not None, render_text(checked.diagnostics)


@pytest.mark.parametrize("key", sorted(keys()))
def test_a_docstring_says_shape_and_source(key: str) -> None:
    text = cleandoc(spec_class(key).__doc__ or "")
    assert "**Shape**: " in text
    assert "**Source**: " in text


@pytest.mark.parametrize("key", sorted(keys()))
def test_every_field_says_what_it_means(key: str) -> None:
    for name, info in spec_class(key).model_fields.items():
        assert info.description, f"{key}.{name}"


def test_the_reference_is_up_to_date() -> None:
    written = {p.name: p.read_text() for p in (ROOT / "docs" / "reference").glob("*.md")}
    assert written == runpy.run_path(str(ROOT / "docs" / "generate.py"))["pages"](), "run `python docs/generate.py`"


@pytest.mark.parametrize("path", GUIDES, ids=lambda p: p.stem)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text()):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (path.parent / target).exists(), target
