"""From files to one document: `extends`, `set`, `edits` and `imports` are resolved here, on located trees.

What comes out is a plain spec with none of them left; every value keeps the place where it was written.
"""

from __future__ import annotations

from cnnspec.merge.documents import KEYS, load_tree
from cnnspec.merge.mappings import merge_mappings

__all__ = ["KEYS", "load_tree", "merge_mappings"]
