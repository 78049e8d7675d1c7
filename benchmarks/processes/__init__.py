"""Whole processes that are measured from outside, or measure one thing that can only be done once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.turns import ENVIRONMENT, ROOT, Failed, ended_after, reason, wait

#: Environment of a process of ours that compiles everything itself.
NO_CACHE = {"CNNSPEC_CACHE": "off"}
#: Environment of JAX programs by hand, with a compilation cache in a folder.
CACHE_BY_HAND = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}


def run(
    command: Sequence[str], environment: Mapping[str, str] | None = None, until_line: bool = False, limit: float = 600.0
) -> tuple[float, str, int]:
    """Run `python ARGUMENT...` to its end: seconds until it ended (or wrote a line), what it wrote, and its peak memory.

    **Errors**: `Failed` where it does not end well.
    """
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env={**os.environ, **ENVIRONMENT, **(environment or {})},
                                   stdout=subprocess.PIPE, stderr=errors, text=True)  # fmt: skip
        assert process.stdout is not None
        with ended_after(process, limit), process.stdout:
            first = process.stdout.readline() if until_line else ""
            seconds = time.perf_counter() - begin
            text = first + process.stdout.read()
            peak = wait(process, limit)
        if process.returncode == -signal.SIGKILL:
            raise Failed(f"did not finish in {limit:.0f} s")
        if process.returncode:
            errors.seek(0)
            raise Failed(reason(process.returncode, errors.read()))
    return seconds if until_line else time.perf_counter() - begin, text, peak


def answer(text: str) -> dict[str, Any]:
    """What a process said in its last line, as JSON."""
    return dict(json.loads(text.strip().splitlines()[-1]))
