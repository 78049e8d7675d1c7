"""Published accuracies of the zoo, those that may be compared: ImageNet, one network, one crop, top-1."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from cnnspec.diagnostics import Report
from cnnspec.frontend import LoadedSpec, check_spec, load_spec
from cnnspec.scaling import Factors
from cnnspec.zoo import zoo_specs

#: Who trained the weights: the authors of the network, a library by the recipe of that time, or by one of today.
Trained = Literal["authors", "library", "newer recipe"]
ORDER: tuple[Trained, ...] = ("authors", "library", "newer recipe")

_AUTHORS = ("paper", "the authors", "TensorFlow's published", "arXiv")
_ONE_CROP = re.compile(r"\bone crop\b(?: of (\d+))?")

#: Torchvision evaluates what it trained by its recipe of 2021 at this shorter side.
_NEWER = "shorter side 232"


#: What is left of a name, as people write it: `x1_5` is `1.5x`, `b3` is `B3`.
_READABLE = (
    (r"^_?x(\d)_(\d)", r"\1.\2x"), (r"^(\d)_(\d)", r"\1.\2"), (r"^(torchvision|keras|se_)", ""), (r"^a(?=_)", "A"),
    (r"^b(?=\d)", "B"), (r"_bn$", " BN"), (r"_", " "),
)  # fmt: skip


@dataclass(frozen=True)
class Published:
    """A network with its top-1 accuracy in per cent, its counts at the size of the crop, and who says so."""

    name: str
    label: str
    family: str
    accuracy: float
    macs: int
    params: int
    trained: Trained
    cite: str


@cache
def facts() -> dict[str, Any]:
    """What the specs do not hold, from the installed package or from the documentation of a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "facts.yaml"
    path = inside if inside.exists() else package.parent / "docs" / "zoo" / "facts.yaml"
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


@cache
def published() -> tuple[Published, ...]:
    """One accuracy a network; within a family from those who trained most of it, so that its points compare."""
    found: dict[str, list[Published]] = {}
    for path in zoo_specs():
        entries = facts()["accuracies"].get(path.stem, ())
        if any(_comparable(entry) for entry in entries):
            loaded = load_spec(path)
            found[path.stem] = [point for entry in entries if (point := _point(path.stem, loaded, entry)) is not None]
    most = Counter((p.family, p.trained) for points in found.values() for p in {p.trained: p for p in points}.values())

    def rank(point: Published) -> tuple[bool, int, int]:
        return point.trained == "newer recipe", -most[point.family, point.trained], ORDER.index(point.trained)

    return tuple(min(points, key=rank) for points in found.values() if points)


def _comparable(entry: dict[str, Any]) -> bool:
    """Whether an accuracy is of ImageNet, by one network from one crop."""
    return "data" not in entry and ("top1" in entry or "error1" in entry) and bool(_ONE_CROP.search(entry["how"]))


def _point(name: str, loaded: LoadedSpec, entry: dict[str, Any]) -> Published | None:
    if not _comparable(entry):
        return None
    match, written = _ONE_CROP.search(entry["how"]), loaded
    pixels = int(match[1]) if match is not None and match[1] else None
    if pixels is not None and pixels != loaded.graph.inputs[0].type.height:
        # What was measured at another size costs what it costs there.
        resized = check_spec(loaded, Report(), scale=Factors(resolution=pixels))
        if resized is None:
            return None
        loaded = resized
    accuracy = entry["top1"] if "top1" in entry else 100 - entry["error1"]
    trained: Trained = "authors" if entry["cite"].startswith(_AUTHORS) else "library"
    if trained == "library" and _NEWER in entry["how"]:
        trained = "newer recipe"
    family = loaded.document.family
    return Published(name, short_label(name, written), family, accuracy, loaded.totals.macs,
                     loaded.totals.params, trained, entry["cite"])  # fmt: skip


def short_label(name: str, loaded: LoadedSpec) -> str:
    """What tells a network from its family: `50`, `B3`, `0.5x 160`; empty where nothing does."""
    scaler, family = loaded.scaler, loaded.document.family
    if not scaler.rule.variants and (scaler.width != 1 or scaler.resolution is not None):
        return f"{scaler.width:g}x" + (f" {scaler.resolution}" if scaler.resolution is not None else "")
    rest = name
    for word in re.split(r"\W+", family.lower()):
        rest = re.sub(rf"^{word}_?", "", rest)
    for pattern, readable in _READABLE:
        rest = re.sub(pattern, readable, rest)
    return rest.strip()


def of_families(names: Iterable[str]) -> set[str]:
    """The families of networks of the zoo."""
    return {load_spec(name).document.family for name in names}
