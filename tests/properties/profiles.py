"""How many examples a property looks at: a few every day, and many in the thorough profile.

`HYPOTHESIS_PROFILE=thorough pytest tests/properties` (`make thorough`) looks at 10,000 of each, and fewer where one
takes seconds. `THOROUGH_EXAMPLES` changes the number.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
EXAMPLES = int(os.environ.get("THOROUGH_EXAMPLES", "10000"))


def few(everyday: int, share: float = 1.0) -> Callable[[Any], Any]:
    """So many examples every day; a share of the thorough profile's where each takes long."""
    examples = max(1, int(EXAMPLES * share)) if THOROUGH else everyday
    return settings(max_examples=examples, suppress_health_check=list(HealthCheck))
