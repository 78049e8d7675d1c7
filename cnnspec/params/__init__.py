"""Declared parameters of a spec or of a block written in YAML: their types, bounds, defaults, and values.

A declaration is a literal default (`classes: 1000`), the name of a type (`filters: int`), or a mapping:
`{type: int, default: 3, min: 1, max: 9}`, `{choice: [basic, bottleneck]}`, `{list: int, length: 4}`.
"""

from __future__ import annotations

from cnnspec.params.binding import FAILED, bind
from cnnspec.params.declarations import TYPE_NAMES, Declaration, Declared, read_declarations

__all__ = ["FAILED", "TYPE_NAMES", "Declaration", "Declared", "bind", "read_declarations"]
