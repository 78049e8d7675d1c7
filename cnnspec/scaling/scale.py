"""`cnnspec.scale`: a scaled network in Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnspec.diagnostics import Diagnostic, Problem, SpecError
from cnnspec.frontend import LoadedSpec, SpecLike, load_spec
from cnnspec.scaling.factors import read_factors


def scale(spec: SpecLike, *, set: Mapping[str, Any] | None = None, **factors: Any) -> LoadedSpec:
    """A scaled network: `width`, `depth`, `resolution` (pixels), `phi`, or `variant`.

    What comes back stands for a spec wherever one is asked for, and its `expanded` text is a plain spec that needs no
    scaling any more. **Errors**: `SpecError` E901, E902, E904, or the one mistake that the scale makes.

    **Example**: `cnnspec.scale("resnet50", width=0.5, resolution=160).totals.macs`
    """
    try:
        asked = read_factors(factors)
    except Problem as problem:
        raise SpecError([Diagnostic(problem.code, problem.message, None, problem.help)]) from None
    return load_spec(spec, set=set, scale=asked)
