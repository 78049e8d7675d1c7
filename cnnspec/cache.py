"""The user's cache: what was compiled once is not compiled again, what was measured once is not measured again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path


def cache_folder() -> Path | None:
    """Where compiled programs are kept: `CNNSPEC_CACHE`, or the user's cache folder; `None` where it is switched off."""
    chosen = os.environ.get("CNNSPEC_CACHE")
    if chosen is not None:
        return Path(chosen) if chosen not in ("", "0", "off") else None
    from platformdirs import user_cache_path

    return user_cache_path("cnnspec") / "compiled"


def tuned_folder() -> Path | None:
    """Where measurements of this machine are kept: beside the compiled programs; `None` where it is switched off."""
    compiled = cache_folder()
    if compiled is None:
        return None
    return compiled / "tuned" if os.environ.get("CNNSPEC_CACHE") else compiled.parent / "tuned"


#: What the files of each kind are called: those of JAX's cache, and our own.
_NAMES = {"compiled": ("*-cache", "*-atime"), "tuned": ("*.json",)}


def kept(what: str) -> tuple[Path | None, list[Path]]:
    """The folder of "compiled" or "tuned" things, and the files that we or JAX have put there."""
    folder = tuned_folder() if what == "tuned" else cache_folder()
    if folder is None or not folder.is_dir():
        return folder, []
    return folder, sorted(path for name in _NAMES[what] for path in folder.glob(name) if path.is_file())


@cache
def enable_compilation_cache() -> None:
    """Switch JAX's persistent compilation cache on, unless the user has configured or refused one."""
    import jax

    folder = cache_folder()
    if folder is None or jax.config.jax_compilation_cache_dir:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # a home that cannot be written to: compile without a cache
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


@contextmanager
def not_cached() -> Iterator[None]:
    """What is compiled meanwhile is not written to the compilation cache: for programs that cannot be serialised."""
    import jax

    name = "jax_persistent_cache_min_compile_time_secs"
    before = getattr(jax.config, name)
    jax.config.update(name, float("inf"))
    try:
        yield
    finally:
        jax.config.update(name, before)
