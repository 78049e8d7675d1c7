"""A set of sizes as people say it."""

from __future__ import annotations

from collections.abc import Iterable

from cnnspec.sizes.valid import Valid


def in_words(valid: Valid) -> str:
    """A set of sizes as people say it: `at least 75`, `multiples of 32`, `only 28`."""
    residues = valid.endless
    if not residues:
        sizes = valid.below(valid.greatest + 1)
        return f"only {_runs(sizes)}" if sizes else "no size"
    start, period = valid.settled, _least_period(residues, valid.period)
    residues = frozenset(r % period for r in residues)
    # The first size from which the residue decides alone, brought down as far as that stays true.
    while start > 1 and ((start - 1) in valid) == ((start - 1) % period in residues):
        start -= 1
    first = next(n for n in range(start, start + period) if n % period in residues)
    before = valid.below(start)
    if period == 1:
        words = f"at least {first}" if first > 1 else "any size"
    elif residues == {0}:
        words = f"multiples of {period}" + (f", at least {first}" if first > period else "")
    else:
        words = f"{_around(residues, period)}" + (f", at least {first}" if first >= period else "")
    return words + (f", and {_runs(before)}" if before else "")


def _around(residues: frozenset[int], period: int) -> str:
    """`32k - 1 to 32k + 6`: runs of residues, with those that end at the period told from its multiple."""
    begins = sorted(r for r in residues if (r - 1) % period not in residues)
    shown = []
    for begin in begins:
        length = next(n for n in range(1, period + 1) if (begin + n) % period not in residues)
        shift = begin - period if begin + length > period else begin
        ends = sorted({shift, shift + length - 1})
        shown.append(" to ".join(f"{period}k" + (f" {'+' if e > 0 else '-'} {abs(e)}" if e else "") for e in ends))
    return ", ".join(shown[:8]) + (f", and {len(shown) - 8} more" if len(shown) > 8 else "")


def _runs(sizes: Iterable[int]) -> str:
    """`0, 3 to 7, 9`."""
    runs: list[list[int]] = []
    for size in sizes:
        if runs and size == runs[-1][1] + 1:
            runs[-1][1] = size
        else:
            runs.append([size, size])
    shown = [str(a) if a == b else f"{a} to {b}" if b > a + 1 else f"{a}, {b}" for a, b in runs]
    return ", ".join(shown[:12]) + (f", and {len(shown) - 12} more" if len(shown) > 12 else "")


def _least_period(residues: frozenset[int], period: int) -> int:
    for shorter in range(1, period + 1):
        if period % shorter == 0 and all(((r + shorter) % period) in residues for r in residues):
            return shorter
    return period
