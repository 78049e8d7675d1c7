"""Rows of results as a run would give them, without running anything."""

from __future__ import annotations

from typing import Any

from benchmarks import figures


def engine(*turns: float, **given: Any) -> dict[str, Any]:
    """An engine whose turns took so many seconds, of three calls each."""
    quiet = {"shape": [1, 1000], "finite": True, "first": [1.0, 2.0], "largest": 2.0, "idle_share": 0.0, "peak": 2**30}
    return {**figures.summary([[seconds] * 3 for seconds in turns]), **quiet, **given}


def row(network: str, batch: int = 1, absent: dict[str, str] | None = None, **engines: Any) -> dict[str, Any]:
    """A row with engines by name (`torch_compile` for `torch.compile`): seconds, or what `engine` gives."""
    found = {
        name.replace("_", "."): value if isinstance(value, dict) else engine(value, value)
        for name, value in engines.items()
    }
    return {"network": network, "batch": batch, "absent": absent or {}, "engines": found, "others": 0.0, "warnings": []}


def rows(*found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By key, as results have them."""
    return {f"{row['network']} {row['batch']}": row for row in found}
