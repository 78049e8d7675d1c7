"""Expressions in a spec: `"${filters * 4}"`, or `$filters` for a plain name.

Numbers, text, lists, arithmetic, comparison, `and`/`or`/`not`, `a if c else b`, indexing, slices, attributes of shapes,
and a few functions. Nothing is ever handed to `eval`, and every size is bounded.
"""

from __future__ import annotations

from cnnspec.expressions.access import BELOW, look_up
from cnnspec.expressions.bounds import METER
from cnnspec.expressions.compiling import Scope
from cnnspec.expressions.functions import CONSTANTS, FUNCTIONS, round_to
from cnnspec.expressions.template import Template, parse_template
from cnnspec.expressions.watching import watched

__all__ = [
    "BELOW",
    "CONSTANTS",
    "FUNCTIONS",
    "METER",
    "Scope",
    "Template",
    "look_up",
    "parse_template",
    "round_to",
    "watched",
]
