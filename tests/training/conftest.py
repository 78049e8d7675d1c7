"""A network small enough to train in a second, and a recipe for it."""

from __future__ import annotations

from typing import Any

import pytest

from cnnspec.training import pictures

TINY = """cnnspec: 1
name: tiny
params: {classes: 10}
input: {height: 8, width: 8, channels: 1}
layers:
  - {id: c1, conv: {filters: 4, kernel: 3, stride: 2, norm: batch, act: relu}}
  - flatten
  - {id: drop, dropout: 0.1}
  - {id: fc, linear: {features: $classes}}
outputs: {logits: fc}
"""


@pytest.fixture(scope="session")
def tiny() -> str:
    return TINY


@pytest.fixture(scope="session")
def recipe() -> dict[str, Any]:
    return {
        "dataset": "digits",
        "batch_size": 32,
        "steps": 24,
        "optimizer": {"name": "adam", "learning_rate": 0.01},
        "evaluate_every": 8,
        "ema": 0.9,
        "augment": {"affine": {"shift": 1}},
    }


@pytest.fixture
def unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are made up to the last stroke and written empty: rendering takes half of a short training's time."""
    monkeypatch.setattr(pictures, "_save", lambda figure, path: path.touch())
