"""The commands on photographs beside torchvision: as stored where there is no torch, and live where there is."""

from __future__ import annotations

import pytest

from tests.parity.pairs import TOLERANCE, VARIATION, difference, variation
from tests.parity.photograph import compare, compared_networks, stored

PAIRS = {pair.spec: pair for pair in compared_networks()}


def test_every_stored_file_belongs_to_a_network():
    folder = stored(PAIRS["vgg16"]).parent
    assert {path.stem for path in folder.glob("*.npy")} == set(PAIRS)


@pytest.mark.parametrize(
    "name", [pytest.param("resnet50", marks=pytest.mark.ci), pytest.param("vgg16", marks=pytest.mark.slow)]
)
def test_the_commands_give_the_stored_logits(name, tmp_path):
    _check(*compare(PAIRS[name], tmp_path, live=False))


@pytest.mark.parity
@pytest.mark.parametrize("name", PAIRS)
def test_the_commands_give_the_logits_of_torchvision(name, tmp_path):
    pytest.importorskip("torch")
    _check(*compare(PAIRS[name], tmp_path, live=True))


def _check(ours, theirs):
    assert difference(ours, theirs) <= TOLERANCE
    assert variation(theirs) >= VARIATION, "the logits hardly depend on the photograph: nothing is proven"
