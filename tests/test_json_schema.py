"""The schema for editors: right specs pass, and one mistake gives one right error at its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import given, settings

from cnnspec.cli.main import main
from cnnspec.diagnostics import Report, Source
from cnnspec.json_schema import language_schema
from cnnspec.registry import keys
from cnnspec.source import parse, plain
from cnnspec.testing import specs
from cnnspec.zoo import zoo_specs

SCHEMA = language_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def data_of(text: str) -> Any:
    tree = parse(Source("t", text), Report())
    assert tree is not None
    return plain(tree)


def errors(data: Any) -> list[tuple[list[Any], str]]:
    return [(list(e.absolute_path), e.message) for e in VALIDATOR.iter_errors(data)]


def test_it_is_a_schema_of_the_whole_language() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    chosen = {choice["if"]["required"][0] for choice in SCHEMA["$defs"]["node"]["else"]["allOf"]}
    assert chosen == keys()
    assert "oneOf" not in json.dumps(SCHEMA)


def test_every_field_has_a_description() -> None:
    for name, definition in SCHEMA["$defs"].items():
        for field, value in definition.get("properties", {}).items():
            if name not in ("node", "block") and name[0].isupper():
                assert "description" in value or "$ref" in value, f"{name}.{field}"


@pytest.mark.parametrize("path", zoo_specs(), ids=lambda path: path.stem)
def test_every_spec_of_the_zoo_is_valid(path: Path) -> None:
    assert errors(data_of(path.read_text())) == []


@given(specs())
@settings(max_examples=60)
def test_random_specs_are_valid(spec: dict[str, Any]) -> None:
    assert errors(spec) == []


HEAD = "cnnspec: 1\nname: n\ninput: {height: 8, width: 8, channels: 3}\nlayers:\n"


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        (HEAD + "  - conv: {filters: 4, kernal: 3}\n", ["layers", 0, "conv"], "'kernal' was unexpected"),
        (HEAD + "  - conv: {filters: four}\n", ["layers", 0, "conv", "filters"], "'four' is not of type 'integer'"),
        (HEAD + "  - conv: {filters: 0}\n", ["layers", 0, "conv", "filters"], "0 is less than the minimum of 1"),
        (HEAD + "  - {conv: {filters: 4}, repeat: -1}\n", ["layers", 0, "repeat"], "-1 is less than the minimum of 0"),
        (HEAD + "  - fire: {squeeze: 4, bypass: some}\n", ["layers", 0, "fire", "bypass"], "'some' is not one of"),
        (HEAD + "  - add: [{conv: {filtres: 4}}]\n", ["layers", 0, "add", 0, "conv"], "'filtres' was unexpected"),
        (
            HEAD + "  - residual: {body: [{conv: {filtres: 4}}]}\n",
            ["layers", 0, "residual", "body", 0, "conv"],
            "'filtres'",
        ),
        (
            HEAD + "  - mbconv: {filters: 4, se: {ration: 1}}\n",
            ["layers", 0, "mbconv", "se"],
            "'ration' was unexpected",
        ),
        (HEAD.replace("input", "inptu") + "  - flatten\n", [], "'inptu' was unexpected"),
        (HEAD.replace("1", "2", 1) + "  - flatten\n", ["cnnspec"], "1 was expected"),
        ("defaults: {conv: {kernal: 3}}\n" + HEAD + "  - flatten\n", ["defaults", "conv"], "'kernal' was unexpected"),
    ],
)
def test_one_mistake_gives_one_right_error(text: str, path: list[Any], message: str) -> None:
    found = errors(data_of(text))
    assert [place for place, _ in found] == [path], found
    assert message in found[0][1]


def test_an_expression_may_stand_for_any_value() -> None:
    text = '  - {when: $deep, repeat: "${n}", conv: {filters: "${n * 2}", kernel: $k, bias: "${true}", act: $act}}\n'
    assert errors(data_of(HEAD + text)) == []


def test_the_commands(tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert json.loads(run(main, ["schema"]).output) == SCHEMA
    assert run(main, ["schema", "-o", str(tmp_path / "s.json")]).exit_code == 0
    assert json.loads((tmp_path / "s.json").read_text()) == SCHEMA
    assert run(main, ["schema", "-o", str(tmp_path / "no" / "s.json")]).exit_code == 2


def test_the_starter_is_a_right_spec(tmp_path: Path) -> None:
    run, path = CliRunner().invoke, tmp_path / "my-net.yaml"
    assert run(main, ["new", str(path)]).exit_code == 0
    text = path.read_text()
    assert "name: my_net" in text
    assert errors(data_of(text)) == []
    assert run(main, ["check", str(path)]).exit_code == 0
    assert run(main, ["check", str(path), "--set", "classes=7", "--set", "width=16"]).exit_code == 0
    path.write_text("mine")
    refused = run(main, ["new", str(path)])
    assert refused.exit_code == 2
    assert "--force" in refused.output
    assert path.read_text() == "mine"
    assert run(main, ["new", str(path), "--force"]).exit_code == 0
    assert path.read_text() == text
    assert run(main, ["new", str(tmp_path / "no" / "x.yaml")]).exit_code == 2
