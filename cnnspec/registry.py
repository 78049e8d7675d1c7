"""Finds ops and blocks by key. The folders are the registry: `ops/max_pool.py` is the op `max_pool`.

Files are imported when their key is first used, so that checking a spec loads only what it names.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnspec.blocks.base import Block
    from cnnspec.ops.base import Op

_HERE = Path(__file__).parent


@cache
def _keys(folder: str) -> frozenset[str]:
    return frozenset(p.stem for p in (_HERE / folder).glob("*.py") if p.stem not in ("__init__", "base"))


def op_keys() -> frozenset[str]:
    """Every op, by file name."""
    return _keys("ops")


def block_keys() -> frozenset[str]:
    """Every block, by file name."""
    return _keys("blocks")


def keys() -> frozenset[str]:
    """Every word that may stand as a node in a spec; where an op and a block share one, the block is meant."""
    return op_keys() | block_keys()


@cache
def op_class(key: str) -> type[Op]:
    """The op called `key`."""
    found: type[Op] = _only_class(f"cnnspec.ops.{key}", key)
    return found


@cache
def block_class(key: str) -> type[Block]:
    """The block called `key`."""
    found: type[Block] = _only_class(f"cnnspec.blocks.{key}", key)
    return found


@cache
def spec_class(key: str) -> type[Op] | type[Block]:
    """What a spec means by `key`: the block of that name, or else the op."""
    return block_class(key) if key in block_keys() else op_class(key)


def _only_class(module: str, key: str) -> Any:
    loaded = import_module(module)
    return next(
        value
        for value in vars(loaded).values()
        if isinstance(value, type) and value.__module__ == module and getattr(value, "key", None) == key
    )
