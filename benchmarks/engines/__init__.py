"""The contenders: each module builds a network its own way, with what a careful user of it would do for speed.

A module has `NAME`, `LABEL`, `NEEDS` (what must be installed), `ENVIRONMENT` (of its process), `KINDS` (inference,
training), `has(network)`, and a function for each kind that gives a `Contender`; `MEASURES` where it measures while it is
built. What it runs with is imported when it
builds, so that listing engines is quick, and the process that measures stays small.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_MODULES = ("cnnspec", "cnnspec_tuned", "nnx", "keras", "torch", "torch_compile", "onnxruntime")


@dataclass(frozen=True)
class Contender:
    """What an engine built: ways to run the network once and wait for it, of which the fastest is taken.

    `output` turns what a run gives into a numpy array: logits `[batch, classes]`, or the loss of a training step.
    """

    runs: Mapping[str, Callable[[], Any]]
    output: Callable[[Any], Any]


def engines() -> dict[str, ModuleType]:
    """Every engine by its name, ours first."""
    modules = [import_module(f"benchmarks.engines.{name}") for name in _MODULES]
    return {module.NAME: module for module in modules}


def missing_packages(engine: ModuleType) -> list[str]:
    """What would have to be installed for an engine."""
    return [package for package in engine.NEEDS if find_spec(package) is None]
