"""The grid search for a compound rule."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from cnnspec.diagnostics import SpecError
from cnnspec.frontend import load_spec
from cnnspec.scaling import Factors
from cnnspec.scaling.search import grid, search


def test_the_grid_is_the_papers():
    """alpha beta^2 gamma^2 near 2, all three at least 1: the paper's own answer is one of its points."""
    rules = grid(0.05, 2.0, 0.1)
    assert len(rules) > 200
    assert all(abs(rule.growth / 2 - 1) <= 0.1 for rule in rules)
    assert [abs(rule.growth - 2) for rule in rules] == sorted(abs(rule.growth - 2) for rule in rules)
    assert (1.2, 1.1, 1.15) in {(rule.alpha, rule.beta, rule.gamma) for rule in rules}
    assert min(min(rule.alpha, rule.beta, rule.gamma) for rule in rules) == 1


@pytest.fixture(scope="module")
def found():
    return search("mobilenet_v2", step=0.1)


def test_candidates_are_networks_of_about_twice_the_macs(found):
    base = load_spec("mobilenet_v2").totals.macs
    assert len(found) >= 10
    assert all(1.6 <= c.macs / base <= 2.4 for c in found)


def test_a_candidate_is_the_network_of_its_rule(found):
    for candidate in found[::4]:
        rule = candidate.compound
        factors = Factors(depth=rule.alpha, width=rule.beta, resolution=round(224 * rule.gamma))
        totals = load_spec("mobilenet_v2", scale=factors).totals
        assert (totals.macs, totals.params) == (candidate.macs, candidate.params)


def test_a_network_stands_once(found):
    """Rules that round to one network are one candidate, that whose growth is nearest to 2."""
    shapes = {(c.macs, c.params) for c in found}
    assert len(shapes) == len(found)


@pytest.mark.parametrize(
    ("proxy", "key"),
    [
        ("params", lambda c: -c.params),
        ("macs", lambda c: c.macs),
        (lambda loaded: -len(loaded.graph.nodes), lambda c: -c.score),
    ],
)
def test_a_proxy_ranks(proxy, key):
    ranked = search("mobilenet_v2", step=0.1, proxy=proxy)
    assert len(ranked) >= 3
    assert [key(c) for c in ranked] == sorted(key(c) for c in ranked)


def test_latency_is_measured_here():
    ranked = search("lenet5_modern", step=0.1, proxy="latency", most=2)
    assert len(ranked) == 2
    assert 0 < ranked[0].score <= ranked[1].score < 5


def test_progress_is_told():
    told: dict[str, list[str]] = {}

    @contextmanager
    def progress(title, total):
        told[title] = []
        yield told[title].append
        assert len(told[title]) == total

    candidates = search("lenet5_modern", step=0.1, progress=progress)
    assert list(told) == ["rules", "networks"]
    assert len(told["networks"]) == len(candidates)
    assert told["rules"][0].count(",") == 2


def test_a_network_that_cannot_grow_says_so():
    text = "cnnspec: 1\nname: net\ninput: {features: 8}\nparams: {n: 4}\nlayers: [{linear: {features: $n}}]\n"
    with pytest.raises(SpecError) as caught:
        search(text)
    assert [d.code for d in caught.value.diagnostics] == ["E903"]
