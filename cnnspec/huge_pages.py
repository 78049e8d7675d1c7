"""Large arrays in huge pages, for processes that train.

XLA takes the memory for the activations of a step anew in every step, some hundred megabytes, and glibc hands it back
to the system when the step is over. The system then gives it again page by page, each cleared: a fifth of the time of a
training step of ResNet-50, two fifths of MobileNet's. In pages of 2 MiB instead of 4 KiB that costs next to nothing.
`python -m benchmarks.huge_pages` measures it.
"""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

_VARIABLE, _TUNABLE = "GLIBC_TUNABLES", "glibc.malloc.hugetlb"
#: How Linux says whether programs get huge pages: `always [madvise] never`, the one that holds in brackets.
_SYSTEM = Path("/sys/kernel/mm/transparent_hugepage/enabled")
#: The first version of glibc that can ask for them.
_GLIBC = (2, 35)


def start_with_huge_pages() -> bool:
    """Start this process anew with huge pages for large arrays, where it can have them and has not; whether it has them.

    glibc reads its settings when a process starts, so this has to be the first that a script does. It does nothing
    outside of Linux and scripts, where the system gives none, and with `CNNSPEC_HUGE_PAGES=off`.
    """
    tunables = os.environ.get(_VARIABLE, "")
    if _TUNABLE in tunables:
        return f"{_TUNABLE}=1" in tunables
    if os.environ.get("CNNSPEC_HUGE_PAGES", "on").lower() in ("off", "0") or not _possible():
        return False
    if sys.argv[0] in ("", "-"):  # no script that could start anew
        return False
    os.environ[_VARIABLE] = ":".join(filter(None, (tunables, f"{_TUNABLE}=1")))
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _possible() -> bool:
    name, version = platform.libc_ver()
    if name != "glibc" or tuple(map(int, version.split(".")[:2])) < _GLIBC:
        return False
    try:
        return "[madvise]" in _SYSTEM.read_text()
    except OSError:
        return False
