"""The pages of the zoo: up to date, with a page for every family, and facts that name their protocol and source."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
import yaml

from cnnspec.frontend import load_spec
from cnnspec.zoo import zoo_specs
from tests.parity.pairs import TOLERANCE, pairs
from tests.parity.reached import read_reached

DOCS = Path(__file__).parent.parent / "docs"
ZOO = runpy.run_path(str(DOCS / "zoo.py"))
FACTS = yaml.safe_load((DOCS / "zoo" / "facts.yaml").read_text(encoding="utf-8"))
NAMES = {path.stem for path in zoo_specs()}


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return ZOO["pages"]()


def test_the_pages_are_up_to_date(pages):
    old = [path for path, text in pages.items() if not (DOCS / path).exists() or (DOCS / path).read_text() != text]
    assert old == [], "run `make docs`"
    assert {p.name for p in (DOCS / "zoo").glob("*.md")} == {Path(path).name for path in pages} - {"zoo.md"}


def test_every_network_has_a_row(pages):
    assert set(re.findall(r"^\| \[(\w+)\]", pages["zoo.md"], re.MULTILINE)) == NAMES


def test_every_family_has_a_page_that_someone_wrote(pages):
    for path, text in pages.items():
        written = text.partition(ZOO["MARKER"])[0]
        assert path == "zoo.md" or len(written.splitlines()) >= 10, path


def test_links_lead_somewhere(pages):
    for path, text in pages.items():
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            if not target.startswith(("http:", "https:")):
                assert ((DOCS / path).parent / target).exists(), f"{path}: {target}"


def test_facts_are_of_networks_that_are_there():
    assert set(FACTS["contests"]) | set(FACTS["accuracies"]) <= NAMES


@pytest.mark.parametrize("name", sorted(FACTS["accuracies"]))
def test_an_accuracy_has_its_protocol_and_its_source(name):
    for entry in FACTS["accuracies"][name]:
        numbers = {key: entry[key] for key in ("top1", "top5", "error1", "error5", "error") if key in entry}
        assert numbers
        assert set(entry) == {*numbers, *({"data"} & set(entry)), "how", "cite"}
        assert entry["how"]
        assert entry["cite"]
        assert all(0 < value < 100 for value in numbers.values())
        assert numbers.get("top1", 0) < numbers.get("top5", 100)
        assert numbers.get("error1", 100) > numbers.get("error5", 0)


def test_the_difference_of_every_stored_pair_is_written_down():
    """`python -m tests.parity --stored --missing` writes it."""
    reached = read_reached()
    for pair in pairs():
        if pair.stored.exists():
            assert reached[pair.name] <= TOLERANCE, pair.name


def test_a_page_says_what_each_convention_means_in_the_words_of_the_spec(pages):
    """A convention reaches every network that extends the spec that declares it, in other families too."""
    for path in zoo_specs():
        loaded = load_spec(path)
        declared = (yaml.safe_load(loaded.expanded).get("params") or {}).get("convention")
        if declared is None:
            continue
        page = pages[f"zoo/{ZOO['slug'](loaded.document.family)}.md"]
        (said,) = [
            line for line in page.splitlines() if line.startswith("`convention` of") and f"`{path.stem}`" in line
        ]
        assert said.endswith(f": {declared['doc']}.")
        assert all(choice in declared["doc"] for choice in declared["choice"][-1:]), path.stem
