"""`cnnspec list`: every network of the zoo in a row, filtered by what it is, counts and is made of."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from cnnspec.cli import list_
from cnnspec.cli.main import main
from cnnspec.registry import keys
from cnnspec.zoo import zoo_specs


def listed(*arguments: str) -> dict[str, dict]:
    done = CliRunner().invoke(main, ["list", *arguments, "--json"])
    assert done.exit_code == 0, done.output
    return {row["name"]: row for row in json.loads(done.output)}


@pytest.fixture(scope="module")
def everything() -> dict[str, dict]:
    return listed()


@pytest.fixture
def few(monkeypatch) -> None:
    """A dozen networks stand for the zoo: each listing reads them all."""
    names = {"lenet5", "alexnet", "alexnet_cifar100", "vgg11", "googlenet", "bn_inception", "resnet18", "se_resnet50", "mnasnet_a1",
             "mobilenet_v1", "mobilenet_v2_035", "efficientnet_b0", "densenet121"}  # fmt: skip
    chosen = [path for path in zoo_specs() if path.stem in names]
    assert len(chosen) == len(names)
    monkeypatch.setattr(list_, "zoo_specs", lambda: chosen)


def test_every_network_is_there_with_what_is_known_of_it(everything):
    assert set(everything) == {path.stem for path in zoo_specs()}
    row = everything["resnet50"]
    assert {key: row[key] for key in ("family", "year", "params", "macs", "inputs")} == {
        "family": "ResNet", "year": 2015, "params": 25_557_032, "macs": 4_089_184_256, "inputs": {"input": [224, 224, 3]},
    }  # fmt: skip
    assert {"bottleneck", "conv", "batch_norm", "max_pool", "linear"} <= set(row["blocks"])
    assert set(everything["capsnet"]["inputs"]) == {"image", "label"}


def test_a_block_within_a_block_is_used_too(everything):
    using = {name for name, row in everything.items() if "squeeze_excite" in row["blocks"]}
    assert {"se_resnet50", "senet154", "efficientnet_b7", "mnasnet_a1"} < using
    assert not using & {"resnet50", "mnasnet_b1", "mobilenet_v2"}
    assert "halving" in everything["xception"]["blocks"]  # written in the spec itself


@pytest.mark.parametrize(
    ("arguments", "holds"),
    [
        (("--family", "mobilenet"), lambda row: "MobileNet" in row["family"]),
        (("--params", "5M"), lambda row: row["params"] <= 5e6),
        (("--params", "100M.."), lambda row: row["params"] >= 1e8),
        (("--macs", "300M..1.5G"), lambda row: 3e8 <= row["macs"] <= 1.5e9),
        (("--uses", "squeeze_excite"), lambda row: "squeeze_excite" in row["blocks"]),
        (("--uses", "local_response_norm", "--params", "..10M"), lambda row: "local_response_norm" in row["blocks"] and row["params"] <= 1e7),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("few")
def test_filters_keep_what_they_say_and_nothing_else(everything, arguments, holds):
    found = set(listed(*arguments))
    assert found == {path.stem for path in list_.zoo_specs() if holds(everything[path.stem])}
    assert 0 < len(found) < 13


@pytest.mark.usefixtures("few")
def test_a_table_for_people_and_an_exit_code_where_nothing_is_found():
    done = CliRunner().invoke(main, ["list", "--family", "lenet"])
    assert "lenet5" in done.output
    assert "googlenet" not in done.output
    assert "60,000" in done.output
    done = CliRunner().invoke(main, ["list", "--family", "transformer"])
    assert done.exit_code == 1
    assert "no spec of the zoo is like that" in done.stderr


@pytest.mark.parametrize("text", ["many", "5Q", "1M..2M..3M", ".."])
def test_a_range_that_is_none_is_a_mistake_in_calling(text):
    done = CliRunner().invoke(main, ["list", "--params", text])
    assert done.exit_code == 2
    assert "should be a range such as 5M, 1M..5M or 1G.." in done.stderr


def test_the_blocks_and_ops_of_the_language():
    done = CliRunner().invoke(main, ["list", "--blocks", "--json"])
    rows = json.loads(done.output)
    assert {row["key"] for row in rows} == keys()
    assert all(row["doc"] for row in rows)
