"""Peers' own weights: what they call our networks, and what is said where they are not to be had."""

from __future__ import annotations

import sys
from types import ModuleType
from urllib.error import HTTPError, URLError

import numpy as np
import pytest
import yaml

from cnnspec.diagnostics import SpecError
from cnnspec.frontend import load_spec
from cnnspec.weights import fetching
from cnnspec.zoo import zoo_specs
from tests.parity.pairs import pairs

MODELS = yaml.safe_load((fetching.Path(fetching.__file__).parent / "models.yaml").read_text())


def test_every_name_is_that_of_a_spec_and_of_a_compared_network():
    names = {path.stem for path in zoo_specs()}
    for peer, table in MODELS.items():
        for entry, model in table.items():
            spec = entry.partition("/")[0]
            assert spec in names
            called = next(iter(model)) if isinstance(model, dict) else model
            built = [pair.constructor for pair in pairs() if (pair.spec, pair.peer) == (spec, peer)]
            assert any(f"{called}'" in text or f"{called}(" in text for text in built), (peer, entry)


def test_a_peer_is_asked_for_its_own_name_of_the_network():
    assert fetching.model_of(load_spec("mnasnet_b1"), "torchvision") == "mnasnet1_0"
    assert fetching.model_of(load_spec("resnet50"), "timm") == "resnet50"
    b3 = load_spec("efficientnet_b3", set={"convention": "tf"})
    assert fetching.model_of(b3, "timm") == "tf_efficientnet_b3"
    assert fetching.model_of(load_spec("efficientnet_b3"), "timm") == "efficientnet_b3"


def client(monkeypatch, answer) -> None:
    """A torchvision whose one function does what `answer` does."""
    module = ModuleType("torchvision")
    module.models = type("models", (), {"get_model": staticmethod(answer)})
    monkeypatch.setitem(sys.modules, "torchvision", module)


def refusal() -> str:
    with pytest.raises(SpecError) as error:
        fetching.fetch(load_spec("resnet18"), "torchvision")
    (found,) = error.value.diagnostics
    assert found.code == "E814"
    return f"{found.message}; {found.help}"


def test_a_missing_package_a_missing_network_and_a_missing_model_are_told_apart(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    assert "torchvision is not installed; install torchvision" in refusal()

    def unreachable(name, weights):
        raise URLError("Name or service not known")

    def unreachable_behind(name, weights):
        try:
            unreachable(name, weights)
        except URLError:
            raise Exception("fetch failed") from None

    for answer in (unreachable, unreachable_behind):
        client(monkeypatch, answer)
        assert "there is no network here, or the server does not answer; bring the file from elsewhere" in refusal()

    def unknown(name, weights):
        raise HTTPError("https://example.org", 404, "Not Found", {}, None)

    client(monkeypatch, unknown)
    assert "404" in refusal()


def test_the_arrays_of_the_peers_model_come_back(monkeypatch):
    class Tensor:
        def detach(self):
            return self

        float = detach

        def numpy(self):
            return np.ones(3, np.float32)

    asked = []

    def answer(name, weights):
        asked.append((name, weights))
        return type("Model", (), {"state_dict": lambda self: {"fc.bias": Tensor()}})()

    client(monkeypatch, answer)
    assert fetching.fetch(load_spec("resnet18"), "torchvision")["fc.bias"].tolist() == [1, 1, 1]
    assert asked == [("resnet18", "DEFAULT")]
