"""Verifies a spec over the values of its params and the sizes of its input, not only as it is written.

Hypothesis draws values within what `params` declares, and input sizes for which the spec is right; every network so
made must check, and keep the laws of `cnnspec.testing.laws`. What breaks one is shrunk to the simplest values.
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

from cnnspec.diagnostics import Diagnostic, Label, Report, Span
from cnnspec.frontend import LoadedSpec, check_spec, open_spec
from cnnspec.merge import load_tree
from cnnspec.params import Declaration, read_declarations
from cnnspec.source import Mapping
from cnnspec.testing.laws import COMPILED, DYNAMIC, STATIC

#: A run on numbers is made where the work for one image is below this, in multiply-accumulates.
MOST_MACS_OF_A_RUN = 2 * 10**9

#: So many networks are run on numbers, the first of them compiled and saved as well.
MOST_RUNS = 3


@dataclass
class Verification:
    """What was looked at, and what was found."""

    networks: int = 0
    runs: int = 0
    varied: dict[str, str] = field(default_factory=dict)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)


def verify(
    spec: str | Path | AnyMapping[str, Any],
    *,
    set: AnyMapping[str, Any] | None = None,
    examples: int = 30,
    seed: int = 0,
) -> Verification:
    """Look for values of params and input sizes for which the spec is wrong or breaks a law (E605)."""
    found, report = Verification(), Report()
    fixed = dict(set or {})
    loaded = check_spec(spec, report, set=fixed)
    if loaded is None:
        found.diagnostics = list(report)
        return found
    tree = _tree(spec)
    params = _strategies(tree, fixed)
    found.varied = {name: words for name, (_, words) in params.items()}
    found.sizes = _valid_sizes(spec, loaded, tree, fixed)
    drawn = {name: strategy for name, (strategy, _) in params.items()}
    if len(found.sizes) > 1:
        # The size as written comes first, so that a counterexample speaks of sizes only where they matter.
        drawn["input"] = st.sampled_from([None, *found.sizes])
    _search(spec, fixed, drawn, found, tree, examples if drawn else 1, seed)
    return found


def _search(
    spec: Any,
    fixed: dict[str, Any],
    drawn: dict[str, Any],
    found: Verification,
    tree: Mapping,
    examples: int,
    seed: int,
) -> None:
    """Draw, check, and report the simplest values that fail."""
    last: list[tuple[dict[str, Any], str, Span | None]] = []

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=seed == 0, print_blob=False,
        phases=(Phase.explicit, Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.fixed_dictionaries(drawn))
    def look(values: dict[str, Any]) -> None:
        values = {k: v for k, v in values.items() if k != "input"} | _size(values.get("input"))
        wrong = _wrong(spec, {**fixed, **values}, found)
        if wrong is not None:
            last.append((values, *wrong))
            raise AssertionError(wrong[0])

    try:
        look()
    except (AssertionError, HypothesisException, ExceptionGroup):
        if not last:
            raise
        values, message, span = last[-1]
        shown = ", ".join(f"{name}={value}" for name, value in values.items()) or "its defaults"
        labels = (Label("here", span),) if span is not None else ()
        found.diagnostics.append(
            Diagnostic("E605", f"with {shown}: {message}", _place(tree, values), "narrow the range of the param, or correct the layers; "
                       "try it with " + (" ".join(f"--set {n}={v}" for n, v in values.items()) or "`cnnspec check`"), labels)
        )  # fmt: skip


def _wrong(spec: Any, values: dict[str, Any], found: Verification) -> tuple[str, Span | None] | None:
    """What is wrong with the network of these values, if anything."""
    report = Report()
    loaded = check_spec(spec, report, set=values)
    if loaded is None:
        sizes = [name for name in values if name.startswith("input.")]
        plain_values = {name: value for name, value in values.items() if name not in sizes}
        # A size that goes with the defaults need not go with every value; only what no size explains is a mistake.
        if sizes and check_spec(spec, Report(), set=plain_values) is not None:
            return None
        first = next(d for d in report if d.severity == "error")
        return f"{first.code}: {first.message}", first.span
    laws = [*STATIC, *DYNAMIC[:1]]
    if found.runs < MOST_RUNS and loaded.totals.macs < MOST_MACS_OF_A_RUN:
        # What is compiled takes seconds: that is for the network as it is written.
        laws += [*DYNAMIC[1:], *(COMPILED if not found.runs else ())]
        found.runs += 1
    found.networks += 1
    for law in laws:
        try:
            law(loaded)
        except AssertionError as error:
            return str(error), None
        except Exception as error:  # whatever it is, the values that bring it about are what is asked for
            return f"{law.__name__.replace('_', ' ')}: {type(error).__name__}: {error}", None
    return None


def _tree(spec: Any) -> Mapping:
    """The merged document, for its declarations and their places; the spec is known to be right."""
    source, path = open_spec(spec, Report())
    assert source is not None
    tree = load_tree(source, Report(), path)
    assert tree is not None
    return tree


def _strategies(tree: Mapping, fixed: dict[str, Any]) -> dict[str, tuple[Any, str]]:
    """For each param with a range: values of it, and the range in words."""
    given = tree.get("set")
    settled = {*fixed, *(given.entries if isinstance(given, Mapping) else ())}
    found = {}
    for name, declaration in read_declarations(tree.get("params"), Report()).items():
        values = _values(declaration)
        if values is not None and name not in settled:
            found[name] = values
    return found


def _values(declaration: Declaration) -> tuple[Any, str] | None:
    """Values within a declaration; `None` where it says no range and only its default is sure to be meant."""
    declared = declaration.declared
    if declared.choice is not None:
        return st.sampled_from(declared.choice), " | ".join(map(str, declared.choice))
    if declared.type == "bool":
        return st.booleans(), "true | false"
    if declared.min is None or declared.max is None:
        return None
    words = f"{declared.min:g}..{declared.max:g}"
    whole = (declared.list or declared.type) == "int"
    values = st.integers(int(declared.min), int(declared.max)) if whole else st.floats(declared.min, declared.max)
    if declared.list is None:
        return values, words
    if declared.length is None:
        return None
    return st.lists(values, min_size=declared.length, max_size=declared.length), f"{declared.length} of {words}"


def _size(size: tuple[int, int] | None) -> dict[str, int]:
    return {} if size is None else {"input.height": size[0], "input.width": size[1]}


def _valid_sizes(spec: Any, loaded: LoadedSpec, tree: Mapping, fixed: dict[str, Any]) -> list[tuple[int, int]]:
    """Input sizes, from small to twice as large, for which the spec is right with its defaults."""
    first = loaded.graph.inputs[0].type
    if "input" not in tree.entries or first.rank != 3 or any(name.startswith("input.") for name in fixed):
        return []
    height, width = first.shape[:2]
    sizes = {
        (max(1, height * n // 16), max(1, width * n // 16)) for n in (1, 2, 3, 4, 6, 8, 12, 15, 16, 17, 20, 24, 32)
    }
    sizes |= {(height + 1, width), (height, width + 1), (max(1, height - 1), max(1, width - 1))}
    return sorted(
        (size for size in sizes if check_spec(spec, Report(), set={**fixed, **_size(size)}) is not None), key=prod
    )


def _place(tree: Mapping, values: dict[str, Any]) -> Span | None:
    """Where the first of the values is declared."""
    params = tree.get("params")
    for name in values:
        if isinstance(params, Mapping) and name in params.entries:
            return params.entries[name].key_span
    entry = tree.entries.get("input") or tree.entries.get("inputs")
    return entry.key_span if entry is not None else None
