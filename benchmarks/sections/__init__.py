"""What is measured, a module a section.

A section has `NAME`, `TITLE`, `METHOD` (sentences for the page), `keys(options)` (its rows), `measure(key, options)`
(one row, which can be written as JSON), `line(row)` (for the terminal while it goes on), `result_tables(rows)` with their
titles, and `notes(rows)`.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

_MODULES = ("start", "scaling", "call", "compile", "inference", "ceiling", "training", "memory")


def sections() -> dict[str, ModuleType]:
    """Every section by its name, in the order of the page."""
    return {name: import_module(f"benchmarks.sections.{name}") for name in _MODULES}
