"""Strict YAML: from a file to a tree in which every key and value knows its place, and back to text.

The scalars are those of YAML 1.2's core schema. Tags, anchors, aliases and merge keys are refused, duplicate keys too,
and size and depth are bounded, so that no file can hang or exhaust a machine.
"""

from __future__ import annotations

from cnnspec.source.parsing import MOST_DEPTH, MOST_VALUES, parse
from cnnspec.source.reading import MOST_BYTES, read
from cnnspec.source.scalars import meant, resolve_scalar
from cnnspec.source.tree import UNREADABLE, Entry, Mapping, Scalar, Sequence, Tree, Value, plain, tree_of
from cnnspec.source.writing import dump

__all__ = [
    "MOST_BYTES", "MOST_DEPTH", "MOST_VALUES", "UNREADABLE", "Entry", "Mapping", "Scalar", "Sequence", "Tree", "Value",
    "dump", "meant", "parse", "plain", "read", "resolve_scalar", "tree_of",
]  # fmt: skip
