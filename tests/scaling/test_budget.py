"""Budgets: how near the answer comes, what stands around it, and what is said of those out of reach."""

from __future__ import annotations

import pytest

import cnnspec
from cnnspec.diagnostics import Report, SpecError
from cnnspec.frontend import check_spec, count_spec, load_spec
from cnnspec.scaling import Factors
from cnnspec.scaling.budget import Solution, count, solve


def assert_sound(spec: str, solution: Solution) -> None:
    """The answer keeps within the budget, and every choice is the network that its factors make."""
    assert solution.best.value <= solution.budget
    for fit in (solution.best, *solution.neighbours):
        again = check_spec(spec, Report(), scale=fit.factors)
        assert again is not None, fit.factors
        assert count(again, solution.what) == fit.value == count(fit.network, solution.what)


@pytest.mark.parametrize(
    ("spec", "what", "budget", "near"),
    [
        ("resnet50", "macs", 1_000_000_000, 0.95),
        ("resnet50", "macs", 12_000_000_000, 0.85),
        ("mobilenet_v1", "params", 1_000_000, 0.99),
        ("efficientnet_b0", "macs", 800_000_000, 0.95),
        ("efficientnet_b0", "activation_memory", 40 * 2**20, 0.9),
        ("vgg16", "activation_memory", 20 * 2**20, 0.75),
        ("lenet5_modern", "params", 30_000, 0.8),
        ("capsnet", "params", 1_000_000, 0.9),
        ("bn_inception", "macs", 300_000_000, 0.95),
    ],
)
def test_a_budget_is_met_and_kept(spec, what, budget, near):
    solution = solve(spec, what, budget)
    assert_sound(spec, solution)
    assert near <= solution.share(solution.best) <= 1
    # The next larger network is too large: between the two lies what whole channels, rows and pixels cannot give.
    above = [fit for fit in solution.neighbours if fit.value > budget]
    assert len(above) == 1
    assert above[0].direction == "compound"


def test_what_whole_rows_leave_over_is_filled_along_one_axis():
    solution = solve("vgg16", "activation_memory", 20 * 2**20)
    filled = [fit for fit in solution.neighbours if fit.direction.startswith("compound, more")]
    assert filled
    assert max(solution.share(fit) for fit in filled) > 0.98 > solution.share(solution.best)


def test_neighbours_scale_one_axis_alone():
    solution = solve("efficientnet_b0", "macs", 800_000_000)
    alone = {fit.direction: fit.factors.model_dump(exclude_defaults=True) for fit in solution.neighbours}
    for axis in ("width", "depth", "resolution"):
        assert set(alone[f"{axis} alone"]) == {axis}


@pytest.mark.parametrize("what", ["macs", "params", "activation_memory"])
def test_the_network_itself_is_within_its_own_size(what):
    base = cnnspec.load_spec("resnet18")
    solution = solve("resnet18", what, count(base, what))
    assert solution.best.factors.nothing
    assert solution.share(solution.best) == 1


def test_sizes_that_the_network_refuses_give_way_to_valid_ones():
    """The auxiliary head of Inception v3 needs 299 pixels: the compound rule shrinks its width and depth alone."""
    solution = solve("inception_v3", "macs", 1_000_000_000)
    assert_sound("inception_v3", solution)
    assert solution.best.network.inputs[0].type.height == 299
    assert solution.share(solution.best) > 0.95


@pytest.mark.parametrize(
    ("spec", "what", "budget"),
    [
        ("vgg16", "params", 10),
        ("lenet5", "macs", 1),
        ("efficientnet_b0", "params", 1),
        ("resnet18", "activation_memory", 1),
    ],
)
def test_a_budget_below_every_network_names_the_smallest(spec, what, budget):
    with pytest.raises(SpecError) as caught:
        solve(spec, what, budget)
    (found,) = caught.value.diagnostics
    assert found.code == "E903"
    said = int(found.help.split(" has ")[1].split(",  ")[0].split(", with")[0].replace(",", ""))
    assert budget < said < count(cnnspec.load_spec(spec), what)


def test_a_budget_beyond_every_network_names_the_largest():
    with pytest.raises(SpecError) as caught:
        solve("efficientnet_b0", "macs", 10**18)
    (found,) = caught.value.diagnostics
    assert found.code == "E903"
    assert "the largest that was found has" in found.help
    assert "phi 10" in found.help


def test_settings_belong_to_the_network_that_is_scaled():
    few, many = (solve("resnet18", "params", 3_000_000, {"classes": n}).loaded for n in (10, 1000))
    assert few.graph.type_of(few.graph.outputs["logits"]).shape == (10,)
    assert few.scaler.width > many.scaler.width


def test_in_python():
    loaded = cnnspec.scale("mobilenet_v2", macs=100_000_000)
    assert 90_000_000 < loaded.totals.macs <= 100_000_000
    assert cnnspec.load_spec(loaded.expanded).totals == loaded.totals
    assert cnnspec.scale("mobilenet_v2", params=2e6).totals.params <= 2_000_000
    assert cnnspec.scale("mobilenet_v2", activation_memory=10 * 2**20).totals.activation_bytes <= 10 * 2**20


def test_the_depth_of_a_network_without_repeats_is_not_tried():
    """Alexnet's layers are listed one by one: no choice around the answer scales the depth, nor takes the time for it."""
    solution = solve("alexnet", "macs", 400_000_000)
    assert [*{fit.direction for fit in solution.neighbours if "depth" in fit.direction}] == []
    assert any(fit.direction == "width alone" for fit in solution.neighbours)
    repeated = solve("resnet50", "macs", 3_000_000_000)
    assert any(fit.direction == "depth alone" for fit in repeated.neighbours)


GAPS = """cnnspec: 1
name: gaps
input: {height: 32, width: 32, channels: 3}
layers:
  - {id: stem, conv: {filters: 96, stride: 2}}
  - {id: grouped, repeat: 2, conv: {filters: 96, groups: 6}}
"""


@pytest.mark.parametrize("times", [0.05, 0.2, 0.5, 2.5, 12])
def test_scales_at_which_the_network_is_none_end_no_search(times):
    """Where six groups do not divide the channels there is no network; on both sides of the budget there are some."""
    base = load_spec(GAPS).totals.macs
    solution = solve(GAPS, "macs", round(times * base))
    sampled = (count_spec(GAPS, Factors(phi=n / 10)) for n in range(-80, 81))
    found = [network.totals.macs for network in sampled if network is not None]
    assert len(found) < 100
    assert solution.best.value >= max(macs for macs in found if macs <= times * base)
    assert load_spec(GAPS, scale=solution.best.factors).totals.macs == solution.best.value <= times * base


def test_a_budget_that_no_scale_meets_is_told_of_the_network_as_it_stands():
    with pytest.raises(SpecError) as caught:
        solve(GAPS.replace("layers:", "scaling: {exempt: [filters], fixed_depth: [grouped]}\nlayers:"), "params", 1000)
    assert caught.value.diagnostics[0].help == "the smallest that was found has 30,528, as it stands"
