"""Which file `extends` or `imports` means, and that files do not go in circles."""

from __future__ import annotations

from pathlib import Path

from cnnspec.diagnostics import Label, Report, Source, did_you_mean
from cnnspec.source import Mapping, Scalar, Tree, parse, read
from cnnspec.validation.words import shown
from cnnspec.zoo import find_spec, zoo_specs

_MOST_FILES = 16


def find(tree: Tree, folder: Path, chain: tuple[Path, ...], word: str, report: Report) -> Path | None:
    """The file that `word` (`extends` or `imports`) names: beside the one that names it, or of the zoo."""
    if not isinstance(tree, Scalar) or not isinstance(tree.value, str):
        example = "resnet50.yaml" if word == "extends" else "blocks.yaml"
        report.error(
            "E103", f"`{word}` should name a file, and is {shown(tree)}", tree.span, f"write `{word}: {example}`"
        )
        return None
    found = find_spec(tree.value, folder)
    if found is None:
        hint = _nearest(tree.value, folder)
        report.error("E501", f"`{word}` names `{tree.value}`, and there is no such file", tree.span, hint)
        return None
    if any(found.resolve() == seen.resolve() for seen in chain) or len(chain) > _MOST_FILES:
        names = " -> ".join([*(p.name for p in chain), found.name])
        report.error("E502", f"`{word}` goes in a circle or too deep: {names}", tree.span, "break the circle")
        return None
    return found


def _nearest(name: str, folder: Path) -> str:
    beside = [p.name for p in folder.glob("*.yaml")]
    if f"{name}.yaml" in beside:
        return f"did you mean `{name}.yaml`?"
    return (
        did_you_mean(name, sorted(beside))
        or did_you_mean(name, [p.stem for p in zoo_specs()])
        or "paths are relative to the file that names them; a bare name is looked up in the zoo"
    )


def open_tree(path: Path, report: Report, label: Label) -> tuple[Source, Mapping] | None:
    """The document of a file that another names; `label` says how it was reached."""
    source = read(path, report)
    if source is None:
        return None
    if label.span is not None and label.span.source.name != source.name:
        report.reached(source, label)
    tree = parse(source, report)
    if isinstance(tree, Mapping):
        return source, tree
    if tree is not None:
        report.error("E103", "a spec should be a mapping with `cnnspec: 1`, `name`, `input` and `layers`", tree.span,
                     "`cnnspec new` writes a starter")  # fmt: skip
    return None
