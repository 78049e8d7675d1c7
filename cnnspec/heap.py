"""The memory of a training step is kept for the next one, and not handed back to the system in between.

XLA takes the memory for the activations of a call anew in every call. glibc hands so large a piece back to the system
at once, and the system gives it again page by page, each cleared: a fifth of the time of a training step of ResNet-50,
two fifths of MobileNet's. `python -m benchmarks.heap` measures it. Compiling takes a quarter longer, since all threads
share a heap then; inference, whose activations are smaller, is as fast or faster as it is.
"""

from __future__ import annotations

import ctypes
import os
import platform
from functools import cache

#: What asks glibc for other ways; where one of them is set, the user has decided.
_VARIABLES = ("MALLOC_ARENA_MAX", "MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")
#: The options of `mallopt` (malloc.h), and what they are set to. Only the heap that all threads share grows without
#: bound, so it is the only one; nothing is mapped by itself, and what is free at the end of the heap stays.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8
_OPTIONS = {_ARENA_MAX: 1, _MMAP_MAX: 0, _TRIM_THRESHOLD: -1}


@cache
def keep_freed_memory() -> bool:
    """Tell glibc to keep what this process frees; returns whether it does.

    A thread keeps to the heap that it first took memory of: this has to come before JAX computes anything, and before
    `Compiled.init`. Nothing is changed where `CNNSPEC_KEEP_MEMORY=off`, where the user has set glibc's own variables,
    and with other C libraries.
    """
    if os.environ.get("CNNSPEC_KEEP_MEMORY", "on").lower() in ("off", "0") or platform.libc_ver()[0] != "glibc":
        return False
    if any(name in os.environ for name in _VARIABLES) or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return [mallopt(option, value) for option, value in _OPTIONS.items()] == [1, 1, 1]
