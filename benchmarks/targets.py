"""What the compiler should reach, and whether it does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks import tables
from benchmarks.figures import geometric_mean
from benchmarks.networks import NETWORKS
from cnnspec.cli.output import Table


@dataclass(frozen=True)
class Target:
    """A bound on a figure; `at_least` says on which side. `where` is the row that decides, or how many there are.

    What rests on a doubtful row proves nothing, and is said to be doubtful.
    """

    what: str
    bound: float
    reached: float
    where: str
    at_least: bool = True
    doubtful: bool = False

    @property
    def met(self) -> bool:
        return self.reached >= self.bound if self.at_least else self.reached <= self.bound


def inference(rows: tables.Rows) -> list[Target]:
    """The targets of inference that the rows say something about."""
    found = []
    for engine in ("nnx", "keras"):
        every = tables.ratios(rows, engine)
        by_kind = {kind: {k: r for k, r in every.items() if NETWORKS[rows[k]["network"]].kind == kind}
                   for kind in ("depthwise", "grouped")}  # fmt: skip
        resnet = {key: ratio for key, ratio in every.items() if rows[key]["network"] == "resnet50"}
        found += _least(f"{engine} / cnnspec: never slower", 1.0, every, rows)
        found += _least(f"{engine} / cnnspec: networks of depthwise convolutions", 10.0, by_kind["depthwise"], rows)
        found += _least(f"{engine} / cnnspec: networks of grouped convolutions", 2.5, by_kind["grouped"], rows)
        found += _least(f"{engine} / cnnspec: ResNet-50", 1.4, resnet, rows)
    for engine, batch, bound in (("torch.compile", 1, 1.05), ("torch.compile", 8, 1.0),
                                 ("onnxruntime", 1, 1.3), ("onnxruntime", 8, 1.3)):  # fmt: skip
        for base in ("cnnspec", "tuned"):
            ratios = tables.ratios(rows, engine, batch, base)
            if ratios:
                mean = 1 / geometric_mean(ratios.values())
                what, where = (
                    "cnnspec" if base == "cnnspec" else "cnnspec, tuned",
                    f"{len(ratios)} of {len(NETWORKS)} networks",
                )
                found.append(Target(f"{what} / {engine}: geometric mean at batch {batch}", bound, mean, where, False,
                                    _doubtful(ratios, rows)))  # fmt: skip
    return found


def training(rows: tables.Rows) -> list[Target]:
    """The targets of a training step."""
    return _least("torch / cnnspec: no slower a step", 1.0, tables.ratios(rows, "torch"), rows)


def depth(seconds: dict[str, float]) -> list[Target]:
    """The targets of depth, by name: `forward` and `training` seconds of compiling, `layer` as a ratio."""
    bounds = (("forward", "seconds to compile 1202 layers forward", 5.0),
              ("training", "seconds to compile a training step of 1202 layers", 10.0),
              ("layer", "a layer's share of a training step, 1202 layers over 110 unrolled", 1.0))  # fmt: skip
    return [Target(what, bound, seconds[name], "", False) for name, what, bound in bounds if name in seconds]


def table(targets: Iterable[Target]) -> Table:
    """Bounds beside what was reached."""
    found = Table(["figure", "bound", "reached", "met", "decided by"], right=(1, 2))
    for target in targets:
        sign = "≥" if target.at_least else "≤"
        met = f"{'yes' if target.met else 'no'}{', doubtful' if target.doubtful else ''}"
        found.add(target.what, f"{sign} {target.bound:g}", f"{target.reached:.2f}", met, target.where)
    return found


def _least(what: str, bound: float, ratios: dict[str, float], rows: tables.Rows) -> list[Target]:
    """The smallest ratio decides."""
    if not ratios:
        return []
    worst = min(ratios, key=lambda key: ratios[key])
    return [Target(what, bound, ratios[worst], worst.replace(" ", ", batch "), doubtful=_doubtful(ratios, rows))]


def _doubtful(ratios: dict[str, float], rows: tables.Rows) -> bool:
    return any(rows[key]["warnings"] for key in ratios)
