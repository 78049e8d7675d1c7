"""What holds for every spec and every scale, over random ones."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cnnspec.diagnostics import Diagnostic, Report
from cnnspec.frontend import LoadedSpec, check_spec, load_spec
from cnnspec.graph import print_graph
from cnnspec.rendering import render_text
from cnnspec.scaling import Factors
from cnnspec.source import dump
from cnnspec.testing import check_text, specs
from cnnspec.testing.coverage import keys_of
from tests.scaling.strategies import factors, rules

#: Blocks with a shortcut that is there where the shape stays: widening may make a projection superfluous.
OPTIONAL_SHORTCUTS = {"basic", "bottleneck", "mbconv", "residual", "shortcut"}


def ids_of(spec: dict[str, Any]) -> list[str]:
    """The ids of the outermost nodes."""
    return [node["id"] for node in spec["layers"] if isinstance(node, dict) and "id" in node]


def without_expect(tree: Any) -> Any:
    """A spec that expects nothing of itself: with a scale of its own it would speak of the scaled network."""
    if isinstance(tree, dict):
        return {name: without_expect(value) for name, value in tree.items() if name != "expect"}
    return [without_expect(item) for item in tree] if isinstance(tree, list) else tree


def checked(spec: dict[str, Any], scale: Factors, explain: bool = False) -> tuple[LoadedSpec | None, list[Diagnostic]]:
    report = Report()
    loaded = check_spec(dump(spec), report, scale=scale, explain=explain)
    return loaded, [d for d in report if d.severity == "error"]


@given(spec=specs(), data=st.data())
def test_scaling_by_one_is_the_identity(spec, data):
    """Whatever the rule: what is not a multiple of its divisor stays as well, LeNet's 6 maps with divisor 8."""
    spec["scaling"] = data.draw(rules(ids_of(spec)))
    plain = check_text(spec).loaded
    assume(plain is not None)
    inputs = [i.type.height for i in plain.graph.inputs if i.type.rank == 3]
    same = (
        Factors(width=1.0, depth=1.0, phi=0.0) if len(inputs) > 1 else Factors(resolution=inputs[0] if inputs else None)
    )
    for scale in (same, Factors(phi=0.0)):
        if not spec["scaling"].get("resolutions") and spec["scaling"].get("resolution_multiple", 1) == 1:
            loaded, errors = checked(spec, scale)
            assert loaded is not None, errors
            assert print_graph(loaded.graph) == print_graph(plain.graph)
            assert loaded.totals == plain.totals


@settings(max_examples=120)
@given(spec=specs(), scale=factors(), data=st.data())
def test_a_scaled_spec_checks_or_gives_one_diagnostic_that_names_the_scale(spec, scale, data):
    spec["scaling"] = data.draw(rules(ids_of(spec)))
    assume(check_text(spec).loaded is not None)
    loaded, errors = checked(spec, scale, explain=True)
    if loaded is None:
        assert len(errors) == 1, render_text(errors)
        assert errors[0].message.startswith(f"scaled by {scale.plain}: "), render_text(errors)
        assert errors[0].span is not None
        assert errors[0].help


@given(spec=specs(), scale=factors(), data=st.data())
def test_the_same_scale_in_the_spec_gives_the_same(spec, scale, data):
    spec = without_expect(spec) | {"scaling": data.draw(rules(ids_of(spec)))}
    assume(check_text(spec).loaded is not None)
    outside, errors = checked(spec, scale, explain=True)
    inside = check_text({**spec, "scale": scale.model_dump(exclude_defaults=True)})
    own = [d for d in inside.diagnostics if d.severity == "error"]
    if outside is None:
        assert [(d.code, d.message) for d in own] == [(d.code, d.message) for d in errors]
    else:
        assert inside.loaded is not None, render_text(own)
        assert print_graph(inside.loaded.graph) == print_graph(outside.graph)


@settings(max_examples=120)
@given(spec=specs(), scale=factors(), data=st.data())
def test_what_is_written_is_the_scaled_network_and_scales_no_further(spec, scale, data):
    spec["scaling"] = data.draw(rules(ids_of(spec)))
    loaded, _ = checked(spec, scale)
    assume(loaded is not None)
    again = load_spec(loaded.expanded)
    assert print_graph(again.graph) == print_graph(loaded.graph)
    assert again.document.inputs == loaded.document.inputs
    assert load_spec(again.expanded).expanded == again.expanded


@settings(max_examples=120)
@given(
    spec=specs(),
    pair=st.tuples(st.floats(0.1, 4), st.floats(0.1, 4)).map(sorted),
    axis=st.sampled_from(["width", "depth"]),
)
def test_counts_never_fall_when_a_factor_grows(spec, pair, axis):
    assume(not keys_of(spec) & OPTIONAL_SHORTCUTS and "groups" not in dump(spec))
    small, large = (checked(spec, Factors(**{axis: factor}))[0] for factor in pair)
    assume(small is not None and large is not None)
    assert small.totals.macs <= large.totals.macs
    assert small.totals.params <= large.totals.params
    assert small.totals.activation_bytes <= large.totals.activation_bytes
