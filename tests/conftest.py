"""What all tests share: the profiles of Hypothesis, and short ways to check a spec."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

from cnnspec.testing.checking import Checked, check_text

_CHECKS = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)

# The everyday run is short and always the same; `HYPOTHESIS_PROFILE=thorough` (`make thorough`) looks far and wide.
settings.register_profile("everyday", max_examples=40, deadline=None, derandomize=True, suppress_health_check=_CHECKS)
settings.register_profile("thorough", max_examples=10_000, deadline=None, suppress_health_check=_CHECKS)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "everyday"))

# No process of tests starts anew; `test_huge_pages.py` lets its own.
os.environ.setdefault("CNNSPEC_HUGE_PAGES", "off")

HEADER = "cnnspec: 1\nname: net\ninput: {height: 8, width: 8, channels: 3}\n"


@pytest.fixture
def check() -> Callable[..., Checked]:
    """Checks a whole spec."""
    return check_text


@pytest.fixture
def check_layers() -> Callable[..., Checked]:
    """Checks nodes behind an 8x8x3 input: `check_layers("- conv: {filters: 4}")`; layers begin in line 5."""

    def run(layers: str, before: str = "", after: str = "", **given: object) -> Checked:
        body = "".join(f"  {line}\n" for line in layers.strip("\n").split("\n"))
        return check_text(f"{HEADER}{before}layers:\n{body}{after}", **given)  # type: ignore[arg-type]

    return run
