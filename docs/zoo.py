"""Writes docs/zoo.md and the tables of docs/zoo/FAMILY.md, from the specs, `zoo/facts.yaml`, and the parity tests.

`python docs/zoo.py` writes; `tests/test_zoo_pages.py` says when the pages are out of date. A family's page begins with
what people wrote; everything from the marker on is written here.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from cnnspec.cli.list_ import used_blocks
from cnnspec.frontend import LoadedSpec, load_spec
from cnnspec.registry import block_keys
from cnnspec.zoo import zoo_specs

DOCS = Path(__file__).parent
PARITY = DOCS.parent / "tests" / "parity"
MARKER = "<!-- what follows is written by docs/zoo.py -->"

INTRODUCTION = """# The zoo

Every network is one YAML file in [specs](../specs); `cnnspec summary NAME` shows it, `cnnspec check` holds it to the counts and sizes that its
paper or a peer gives. This page is written by `make docs`.

- **MACs** are multiply-accumulates of an image, **weights** the size in float32 with running statistics (1 MB = 10^6 bytes).
- **Equals** names the library whose network has the same logits on the same weights, and the largest difference reached, as a share of the largest
  logit. *counts* says that there is no such peer: parameters and sizes are held to the paper or to a count by hand.
- **Published accuracy** is what others measured, in per cent, on ImageNet (ILSVRC 2012) where nothing else is said, with its protocol; nothing of it was
  trained here. Results of contests are those of ensembles where that is said, and not to be compared with a single network's.
"""

COLUMNS = ("network", "year", "params", "MACs", "weights", "input", "equals", "published accuracy", "contest", "source")


@cache
def facts() -> dict[str, Any]:
    """What the specs do not hold."""
    return dict(yaml.safe_load((DOCS / "zoo" / "facts.yaml").read_text(encoding="utf-8")))


@cache
def families() -> dict[str, dict[str, LoadedSpec]]:
    """The specs of each family by name, families in the order of their first paper."""
    found: dict[str, dict[str, LoadedSpec]] = {}
    for path in zoo_specs():
        loaded = load_spec(path)
        found.setdefault(loaded.document.family, {})[path.stem] = loaded
    return dict(sorted(found.items(), key=lambda entry: (min(map(_year, entry[1].values())), entry[0])))


@cache
def peers() -> dict[str, list[tuple[str, str, float | None]]]:
    """By spec: the peers with the same logits, what was set for them, and the difference reached."""
    entries = yaml.safe_load((PARITY / "pairs.yaml").read_text(encoding="utf-8"))
    reached = json.loads((PARITY / "reached.json").read_text(encoding="utf-8"))
    found: dict[str, list[tuple[str, str, float | None]]] = {}
    for entry in entries:
        variant = f"_{entry['variant']}" if entry.get("variant") else ""
        given = ", ".join(f"{name}={value}" for name, value in entry.get("set", {}).items())
        difference = reached.get(f"{entry['spec']}--{entry['peer']}{variant}")
        found.setdefault(entry["spec"], []).append((entry["peer"], given, difference))
    return found


def slug(family: str) -> str:
    """The name of a family's page."""
    return family.lower().replace(" ", "_").replace("-", "_")


def pages() -> dict[str, str]:
    """The text of every page, by its path from the folder of the documentation."""
    found = {"zoo.md": overview()}
    for family, specs in families().items():
        path = f"zoo/{slug(family)}.md"
        written = (DOCS / path).read_text(encoding="utf-8") if (DOCS / path).exists() else f"# {family}\n"
        found[path] = f"{written.partition(MARKER)[0].rstrip()}\n\n{MARKER}\n\n{_family_tables(specs)}"
    return found


def overview() -> str:
    """The table of all networks, family by family."""
    lines = [INTRODUCTION]
    for family, specs in families().items():
        lines += [f"## [{family}](zoo/{slug(family)}.md)", "", *_header(COLUMNS)]
        for name, loaded in specs.items():
            source = loaded.document.source
            cells = (_link(name, "../specs"), source.year if source else "", *_counts(loaded), _equals(name),
                     _accuracies(name), facts()["contests"].get(name, ""), _source(loaded))  # fmt: skip
            lines.append(_row(cells))
        lines.append("")
    variants = sum(map(len, families().values()))
    proven = sum(name in peers() for specs in families().values() for name in specs)
    lines.append(f"{variants} networks of {len(families())} families; {proven} with the logits of a peer.\n")
    return "\n".join(lines)


def _family_tables(specs: dict[str, LoadedSpec]) -> str:
    lines = ["## Specs", "", *_header(("network", "params", "MACs", "weights", "input", "equals", "what it is"))]
    for name, loaded in specs.items():
        lines.append(_row((_link(name, "../../specs"), *_counts(loaded), _equals(name), loaded.document.description)))
    used = {key for loaded in specs.values() for key in used_blocks(loaded)}
    known = sorted(used & block_keys())
    own = sorted({key for loaded in specs.values() for key in yaml.safe_load(loaded.expanded).get("blocks") or {}})
    lines += [
        "",
        "## Blocks",
        "",
        "Of the language: " + ", ".join(f"[`{k}`](../reference/{k}.md)" for k in known) + ".",
    ]
    if own:
        lines.append("Written in the specs: " + ", ".join(f"`{key}`" for key in own) + ".")
    lines += _conventions(specs)
    return "\n".join([*lines, ""])


def _conventions(specs: dict[str, LoadedSpec]) -> list[str]:
    """What the specs of a family say of their param `convention`; those that say the same are named together."""
    said: dict[str, list[str]] = {}
    for name, loaded in specs.items():
        declared = (yaml.safe_load(loaded.expanded).get("params") or {}).get("convention")
        if isinstance(declared, dict) and declared.get("doc"):
            choices = ", ".join(f"`{choice}`" for choice in declared["choice"])
            said.setdefault(f"is one of {choices}: {declared['doc']}.", []).append(f"`{name}`")
    paragraphs = [f"`convention` of {', '.join(names)} {text}" for text, names in said.items()]
    return ["", "## Conventions", *(line for paragraph in paragraphs for line in ("", paragraph))] if paragraphs else []


def _header(columns: tuple[str, ...]) -> list[str]:
    right = ("params", "MACs", "weights")
    return [_row(columns), _row(tuple("---:" if column in right else "---" for column in columns))]


def _row(cells: tuple[Any, ...]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _link(name: str, folder: str) -> str:
    return f"[{name}]({folder}/{name}.yaml)"


def _year(loaded: LoadedSpec) -> int:
    return (loaded.document.source.year if loaded.document.source else None) or 9999


def _counts(loaded: LoadedSpec) -> tuple[str, str, str, str]:
    t = loaded.totals
    return f"{t.params:,}", f"{t.macs:,}", f"{t.weight_bytes / 1e6:.1f} MB", loaded.graph.inputs[0].type.plain


def _equals(name: str) -> str:
    said = []
    for peer, given, difference in peers().get(name, []):
        settings = f" ({given})" if given else ""
        how_near = "" if difference is None else f" to {difference:.0e}" if difference else " exactly"
        said.append(f"{peer}{settings}{how_near}")
    return ", ".join(said) or "counts"


def _accuracies(name: str) -> str:
    return "; ".join(_accuracy(entry) for entry in facts()["accuracies"].get(name, []))


_WORDS = {
    "top1": "top-1 {}",
    "top5": "top-5 {}",
    "error1": "top-1 error {}",
    "error5": "top-5 error {}",
    "error": "error {}",
}


def _accuracy(entry: dict[str, Any]) -> str:
    numbers = ", ".join(words.format(entry[key]) for key, words in _WORDS.items() if key in entry)
    data = f"{entry['data']}, " if "data" in entry else ""
    return f"{numbers} ({data}{entry['how']}; {entry['cite']})"


def _source(loaded: LoadedSpec) -> str:
    source = loaded.document.source
    if source is None:
        return ""
    address = (
        f"https://arxiv.org/abs/{source.arxiv}"
        if source.arxiv
        else source.url or (f"https://doi.org/{source.doi}" if source.doi else "")
    )
    title = f"[{source.title}]({address})" if address else source.title
    return f"{source.authors}: {title}" + (f", {source.where}" if source.where else "")


def main() -> None:
    """Write all pages."""
    found = pages()
    for path, text in found.items():
        (DOCS / path).parent.mkdir(exist_ok=True)
        (DOCS / path).write_text(text, encoding="utf-8")
    print(f"{len(found)} pages of the zoo in {DOCS}")


if __name__ == "__main__":
    main()
