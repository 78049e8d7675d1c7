"""Seeing which expressions are evaluated, and with what: for those who ask what a spec depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from cnnspec.expressions.compiling import Scope

if TYPE_CHECKING:
    from cnnspec.expressions.template import Template

Watcher = Callable[["Template", Scope], None]

WATCHER: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Within the block `watcher` is told of every expression before it is evaluated."""
    token = WATCHER.set(watcher)
    try:
        yield
    finally:
        WATCHER.reset(token)
