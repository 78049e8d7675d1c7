"""`cnnspec.scale`: a scaled network in Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnspec.diagnostics import Diagnostic, Problem, SpecError
from cnnspec.frontend import LoadedSpec, SpecLike, load_spec
from cnnspec.scaling.factors import BUDGETS, read_factors


def scale(spec: SpecLike, *, set: Mapping[str, Any] | None = None, **factors: Any) -> LoadedSpec:
    """A scaled network: by `width`, `depth`, `resolution` (pixels), `phi` or `variant`; or to a budget.

    A budget is the most `macs`, `params` or bytes of `activation_memory` that the network may have; it is scaled by the
    compound rule, as near to it as that leads. What comes back stands for a spec wherever one is asked for, and its
    `expanded` text is a plain spec that needs no scaling any more. **Errors**: `SpecError` E901 unknown variant, E902
    contradictory, E903 a budget out of reach, E904 out of range, or the one mistake that the scale makes.

    **Example**: `cnnspec.scale("resnet50", width=0.5, resolution=160).totals.macs`
    """
    given = {name: value for name, value in factors.items() if value is not None}
    budgets = {name: given.pop(name) for name in BUDGETS if name in given}
    try:
        asked = read_factors(given)
        if len(budgets) + bool(given) > 1:
            both = " and ".join(f"`{name}`" for name in (*budgets, *given))
            raise Problem("E902", f"{both} contradict each other", "give factors, or one budget")
        for name, amount in budgets.items():
            return solved(spec, name, amount, set)
    except Problem as problem:
        raise SpecError([Diagnostic(problem.code, problem.message, None, problem.help)]) from None
    return load_spec(spec, set=set, scale=asked)


def solved(spec: SpecLike, what: str, amount: Any, set: Mapping[str, Any] | None) -> LoadedSpec:
    """The network along the compound direction that keeps within a budget."""
    from cnnspec.scaling.budget import solve

    if isinstance(amount, bool) or not isinstance(amount, int | float) or not 1 <= amount < float("inf"):
        raise Problem("E904", f"`{what}` should be an amount of at least 1, and is {amount}", "", field=what)
    return solve(spec, what, int(amount), set, alone=True).loaded
