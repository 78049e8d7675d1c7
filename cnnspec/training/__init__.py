"""Training, evaluating and predicting: `train(spec, recipe)` and what the commands of the same names call.

Nothing here is imported by `cnnspec check`; JAX is loaded by the modules that compute.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Trained", "train"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from cnnspec.training import trainer

        return getattr(trainer, name)
    raise AttributeError(f"module `cnnspec.training` has no attribute `{name}`")
