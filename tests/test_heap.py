"""Memory that a training step frees is kept for the next one: seen by the pages that the system has to give again."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

STEPS = """
import resource
from cnnspec.heap import keep_freed_memory
kept = keep_freed_memory()
import cnnspec, jax, numpy as np
network = cnnspec.compile("cnnspec: 1\\nname: n\\ninput: {height: 128, width: 128, channels: 3}\\nlayers:\\n"
                          "- conv: {filters: 64, kernel: 1}\\n- activation: relu\\n- {id: last, conv: {filters: 64, kernel: 3}}\\n"
                          "outputs: {y: last}\\n")
params, state = network.init()
function = network.training()
step = jax.jit(jax.grad(lambda p, x: function(p, state, x)[0]["y"].sum()))
x = np.ones((16, 128, 128, 3), np.float32)
for _ in range(3):
    jax.block_until_ready(step(params, x))
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    jax.block_until_ready(step(params, x))
print(kept, (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // 4)
"""

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator")


def run(code: str, **environment: str) -> list[str]:
    """The words that a process prints that has nothing in its environment which would decide."""
    decides = ("MALLOC_", "GLIBC_", "CNNSPEC_KEEP")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(decides)}
    whole = {**clean, "JAX_PLATFORMS": "cpu", **environment}
    return subprocess.run(
        [sys.executable, "-c", code], env=whole, capture_output=True, text=True, check=True
    ).stdout.split()


@glibc
def test_a_step_finds_the_memory_of_the_last_one() -> None:
    kept, fewer = run(STEPS)
    given_back, pages = run(STEPS, CNNSPEC_KEEP_MEMORY="off")
    assert (kept, given_back) == ("True", "False")
    assert int(pages) > 10_000  # a map of 64 MiB alone has 16384
    assert int(fewer) < int(pages) / 4


@glibc
@pytest.mark.parametrize(("name", "value"), [("MALLOC_ARENA_MAX", "2"), ("GLIBC_TUNABLES", "glibc.malloc.arena_max=2")])
def test_what_the_user_has_decided_stays(name: str, value: str) -> None:
    asked = "from cnnspec.heap import keep_freed_memory; print(keep_freed_memory())"
    assert run(asked) == ["True"]
    assert run(asked, **{name: value}) == ["False"]
