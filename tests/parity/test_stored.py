"""Our logits against the peers' that are stored: no peer is needed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cnnspec.compiled import Compiled, compile
from cnnspec.frontend import load_spec
from cnnspec.graph import print_graph
from tests.parity.pairs import TOLERANCE, VARIATION, Pair, compiled, difference, our_logits, pairs, variation

PAIRS = {pair.name: pair for pair in pairs()}


def cases() -> list[object]:
    """Names of pairs that are compared in one test: an everyday one with those that ask the same of us, the others by spec."""
    everyday = {_asked(pair): pair.name for pair in pairs() if pair.everyday}
    together: dict[str, list[str]] = {}
    for pair in pairs():
        together.setdefault(everyday.get(_asked(pair), pair.spec), []).append(pair.name)
    return [
        pytest.param(names, id=name, marks=() if name in everyday.values() else pytest.mark.ci)
        for name, names in together.items()
    ]


def _asked(pair: Pair) -> tuple[object, ...]:
    return pair.spec, *sorted(pair.settings.items()), pair.gain


@pytest.mark.parametrize("names", cases())
def test_our_logits_equal_the_peers(names):
    known: dict[tuple[str, float], np.ndarray] = {}
    for pair in map(PAIRS.__getitem__, names):
        network = compiled(pair)
        # Where peers follow one convention under two names, ours is computed once.
        same = print_graph(network.graph), pair.gain
        if same not in known:
            known[same] = our_logits(network, pair)
        ours = known[same]
        theirs = np.load(pair.stored)
        assert difference(ours, theirs) <= TOLERANCE, pair.name
        assert variation(theirs) >= VARIATION, f"{pair.name}: the logits hardly depend on the input: nothing is proven"


def test_every_stored_file_belongs_to_a_pair():
    folder = next(iter(PAIRS.values())).stored.parent
    assert {path.stem for path in folder.glob("*.npy")} == set(PAIRS)


#: A pair, and a fault that is planted into its merged spec: what is replaced, and by what.
FAULTS = {
    "epsilon": ("resnet18--torchvision", "${1.001e-5 if convention == 'keras' else 1e-5}", "${1e-3}"),
    "padding": ("resnet18--torchvision", "padding: half", "padding: same"),
    "stride": ("resnet50--torchvision", "default: torchvision", "default: paper"),
    "pool mode": ("shufflenet_v2_x1_0--torchvision", "pool1, max_pool", "pool1, avg_pool"),
    "activation": ("mobilenet_v2--torchvision", "act: relu6", "act: relu"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_noticed(fault):
    name, old, new = FAULTS[fault]
    pair = PAIRS[name]
    text = load_spec(pair.source, set=pair.settings).expanded
    assert old in text
    faulty = compile(text.replace(old, new), set={"classes": 1000})  # a setting lifts the expectations
    assert difference(our_logits(faulty, pair), np.load(pair.stored)) > 10 * TOLERANCE


def test_swapped_branches_are_noticed():
    pair = PAIRS["squeezenet1_1--torchvision"]
    network = compiled(pair)
    nodes = tuple(replace(n, inputs=n.inputs[::-1]) if n.path == "fire5.concat" else n for n in network.graph.nodes)
    swapped = Compiled(replace(network.loaded, graph=network.graph.with_nodes(nodes)))
    assert difference(our_logits(swapped, pair), np.load(pair.stored)) > 10 * TOLERANCE
