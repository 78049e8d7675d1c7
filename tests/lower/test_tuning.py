"""What is measured on a machine decides there, and nowhere else; what is remembered can be forgotten."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import cnnspec
from cnnspec.cli.main import main
from cnnspec.compiled import Compiled
from cnnspec.lower.forms import measure, memory
from cnnspec.lower.forms.choose import choose
from cnnspec.lower.forms.memory import Memory, network_signature, remember, remembered, signature
from cnnspec.tuning import tune

SPEC = {
    "cnnspec": 1, "name": "net", "input": {"height": 6, "width": 6, "channels": 8},
    "layers": [{"id": "a", "conv": {"filters": 8, "kernel": 3, "groups": 2, "norm": "batch", "act": "relu"}},
               {"id": "b", "conv": {"filters": 8, "kernel": 3, "groups": 2}},
               {"id": "c", "conv": {"filters": 4, "kernel": 1}}, {"id": "p", "max_pool": 2}], "outputs": ["p"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CNNSPEC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(measure, "LONG", 0.0)


def known(compiled, path, times, batch=1):
    """A memory in which a node was measured so."""
    node = compiled.infer_graph.by_path[path]
    return Memory({signature(node, compiled.infer_graph.types_into(node)): {batch: times}})


def test_what_was_measured_decides():
    compiled = cnnspec.compile(SPEC)
    graph = compiled.infer_graph
    node = graph.by_path["b"]
    types = graph.types_into(node)
    usual = choose(node, types)
    assert usual.form == "block_diagonal"
    found = known(compiled, "b", {"plain": 1e-3, "block_diagonal": 2e-3, "split": 3e-3}, batch=4)
    chosen = choose(node, types, batch=1, memory=found)
    assert chosen.form == "plain"
    assert chosen.reason == "1 ms measured here, block_diagonal 2 ms"
    assert choose(node, types, memory=found) == usual  # a portable program: the batch is not known
    assert choose(node, types, train=True, batch=4, memory=found).form == choose(node, types, train=True).form
    assert choose(node, types, "tpu", batch=4, memory=found).form == "plain"
    close = known(compiled, "b", {"plain": 1.96e-3, "block_diagonal": 2e-3}, batch=4)
    assert choose(node, types, batch=4, memory=close).form == "block_diagonal"


def test_the_nearest_batch_counts():
    found = Memory({"op": {1: {"plain": 1.0}, 16: {"plain": 2.0}}}, {"net": {8: {2: 0.2, 4: 0.1}}})
    assert found.times("op", 3) == {"plain": 1.0}
    assert found.times("op", 8) == {"plain": 2.0}
    assert found.times("other", 1) == found.times("op", None) == {}
    assert found.tile("net", 32) == 4
    assert found.tile("other", 32) is None


def test_a_measured_network_computes_the_same_and_its_artefact_does_not_know(tmp_path):
    loaded = cnnspec.load_spec(SPEC)
    usual = Compiled(loaded, memory=Memory())
    found = known(usual, "b", {"split": 1e-3, "block_diagonal": 2e-3})
    found.tiles[network_signature(usual.infer_graph)] = {6: {4: 1.0, 6: 2.0}}
    measured = Compiled(loaded, memory=found)
    assert measured.program_for(1).forms["b"] == "split"
    assert measured.inference_program.forms["b"] == "block_diagonal"
    assert (measured.tile(6), usual.tile(6)) == (4, max(usual.tile(6), 1))
    params, state = measured.init()
    x = np.random.default_rng(0).standard_normal((6, 6, 6, 8)).astype(np.float32)
    expected = usual.infer(usual.prepare(params, state), x)["p"]
    np.testing.assert_allclose(measured.infer(measured.prepare(params, state), x)["p"], expected, rtol=1e-5, atol=1e-5)

    for name, network in (("one", usual), ("other", measured)):
        cnnspec.save(network, tmp_path / name, params, state)
    one, other = (json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("one", "other"))
    assert one["files"] == other["files"]
    plain = cnnspec.load(tmp_path / "one")
    assert "b.kernel@split" not in plain.manifest["arguments"]
    remember(found)
    tuned = cnnspec.load(tmp_path / "one")
    assert "b.kernel@split" in tuned.manifest["arguments"]
    for artefact in (plain, tuned):
        np.testing.assert_allclose(artefact(x)["p"], expected, rtol=1e-5, atol=1e-5)


def test_layouts_are_made_once_at_load():
    compiled = Compiled(cnnspec.load_spec(SPEC), memory=Memory())
    prepared = compiled.prepare(*compiled.init())
    assert prepared["a.folded_kernel@block_diagonal"].shape == (1, 3, 3, 8, 8)
    shapes = compiled.prepared_shapes(*compiled.init())
    assert {path: array.shape for path, array in prepared.items()} == {p: s.shape for p, s in shapes.items()}


def test_another_machine_knows_nothing_of_it(monkeypatch):
    remember(Memory({"op": {1: {"plain": 1.0}}}))
    remember(Memory({"op": {2: {"plain": 2.0}}}))
    assert remembered().forms == {"op": {1: {"plain": 1.0}, 2: {"plain": 2.0}}}
    here = memory.machine()
    assert here["cores"] >= 1
    monkeypatch.setattr(memory, "machine", lambda: {**here, "processor": "another"})
    assert remembered() == Memory()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99}', '{"format": 1, "forms": 3, "tiles": {}}'])
def test_a_damaged_file_counts_for_nothing(text):
    path = remember(Memory({"op": {1: {"plain": 1.0}}}))
    path.write_text(text)
    assert remembered() == Memory()
    remember(Memory({"op": {1: {"plain": 2.0}}}))
    assert remembered().forms == {"op": {1: {"plain": 2.0}}}


@pytest.mark.parametrize("seconds", [1.5, 0.99])
def test_forms_that_the_whole_network_does_not_gain_by_are_forgotten(monkeypatch, seconds):
    slow = {"usual": 1.0, "measured": seconds}
    monkeypatch.setattr("cnnspec.tuning._whole", lambda networks, batch: {name: slow[name] for name in networks})
    monkeypatch.setattr("cnnspec.tuning.attempt", lambda *a: None)
    found = tune(cnnspec.compile(SPEC))
    assert (found.worthwhile, found.place) == (False, None)
    assert remembered() == Memory()


def test_tune_explain_and_forget(tmp_path, monkeypatch):
    spec = tmp_path / "net.yaml"
    spec.write_text(cnnspec.load_spec(SPEC).expanded)
    monkeypatch.setattr("cnnspec.tuning.LONG", 0.0)
    monkeypatch.setattr("cnnspec.tuning.FORMS_GAIN", -1e9)
    monkeypatch.setattr("cnnspec.tuning.LIBRARY_GAIN", 1.0)
    run = CliRunner().invoke
    done = run(main, ["compile", str(spec), "--tune", "--batch", "8", "--json", "-o", str(tmp_path / "net")])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout[: done.stdout.index("\n}") + 2])
    assert {op["path"]: op["count"] for op in found["ops"]} == {"a": 2, "c": 1, "p": 1}
    assert set(found["ops"][0]["seconds"]) == {"plain", "split", "block_diagonal"}
    assert "8" in found["tiles"]
    assert "measuring 1/" in done.stderr
    assert str(tmp_path / "cache" / "tuned") in done.stderr

    done = run(main, ["compile", str(spec), "--explain", "--batch", "8"])
    assert done.exit_code == 0, done.output
    assert "measured here" in done.output
    assert "part of the layers beside them: 1 batch_norm" in done.output
    data = json.loads(run(main, ["compile", str(spec), "--explain", "--json", "--platform", "cuda"]).output)
    assert {node["form"] for node in data["nodes"]} == {"plain"}
    assert data["nodes"][0]["holds"] == ["a.norm"]
    assert data["nodes"][0]["place"].startswith(f"{spec}:")

    assert json.loads(run(main, ["cache", "--json"]).output)[1]["files"] == 1
    assert run(main, ["cache", "--clear", "tuned"]).exit_code == 0
    assert remembered() == Memory()
    assert run(main, ["compile", str(spec), "--json"]).exit_code == 2


def test_a_cache_that_is_off(tmp_path, monkeypatch):
    monkeypatch.setenv("CNNSPEC_CACHE", "off")
    assert remember(Memory({"op": {1: {"plain": 1.0}}})) is None
    assert remembered() == Memory()
    assert "switched off" in CliRunner().invoke(main, ["cache"]).output


def test_the_page_shows_what_is_printed():
    page = (Path(__file__).parents[2] / "docs" / "performance.md").read_text()
    shown = re.search(r"^\$ cnnspec (compile mobilenet_v2 --explain)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert shown is not None
    printed = CliRunner().invoke(main, shown[1].split()).output
    for part in shown[2].split("...\n"):
        assert part in printed
