"""An ejected file is readable, stands alone, and computes what the compiled network computes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from safetensors.numpy import save_file

import cnnspec
from cnnspec.cli.main import main
from cnnspec.eject import eject
from cnnspec.scaling import Factors
from cnnspec.testing import specs
from cnnspec.zoo import zoo_specs
from tests.export.ejecting import check_form, compare_inference, compare_training, import_file, write

SMALL = {"input.height": 32, "input.width": 32}
THIN = {"width": 0.25, "depth": 0.5}
#: One network a family, small; those with dropout have it off, since two libraries do not draw the same numbers.
FAMILIES = [
    ("lenet5", {}, {}),
    ("resnet18", SMALL, THIN),
    ("mobilenet_v2", {**SMALL, "dropout": 0.0}, THIN),
    ("densenet121", SMALL, {"width": 0.25, "depth": 0.25}),
    ("googlenet", {"input.height": 128, "input.width": 128, "dropout": 0.0, "aux_dropout": 0.0}, {"width": 0.25}),
    ("shufflenet_v2_x0_5", SMALL, {"depth": 0.5}),
    ("efficientnet_b0", {**SMALL, "dropout": 0.0, "drop_connect": 0.0}, THIN),
    ("capsnet", {}, {}),
]


@pytest.mark.parametrize(("name", "values", "factors"), FAMILIES, ids=[name for name, _, _ in FAMILIES])
def test_an_ejected_network_is_the_compiled_one(name, values, factors, tmp_path):
    compiled = cnnspec.compile(name, set=values, scale=Factors(**factors) if factors else None)
    path, weights = write(compiled, tmp_path)
    check_form(path)
    module = import_file(path)
    compare_inference(compiled, module, tmp_path, weights)
    compare_training(compiled, module, tmp_path, weights)


@settings(max_examples=6)
@given(specs(4))
def test_random_networks(tmp_path_factory, spec):
    folder = tmp_path_factory.mktemp("random")
    compiled = cnnspec.compile(spec)
    path, weights = write(compiled, folder)
    check_form(path)
    module = import_file(path)
    labels = any(entry.type.dtype == "int32" and not entry.optional for entry in compiled.graph.inputs)
    if weights and not labels:
        compare_inference(compiled, module, folder, weights, nonzero=False)


def test_files_of_the_zoo_are_as_the_formatter_writes_them(tmp_path):
    for spec in zoo_specs()[::4]:
        (tmp_path / f"{spec.stem}.py").write_text(eject(cnnspec.load_spec(spec)))
    check_form(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("path", zoo_specs(), ids=lambda path: path.stem)
def test_every_network_of_the_zoo_can_be_ejected(path, tmp_path):
    compiled = cnnspec.compile(path)
    written, weights = write(compiled, tmp_path)
    check_form(written)
    compare_inference(compiled, import_file(written), tmp_path, weights)


# --- how it reads -------------------------------------------------------------------------------------------


def body_of(layers: str, name: str = "Net", size: int = 8) -> str:
    """The `__call__` of a class of the file for some layers."""
    head = f"cnnspec: 1\nname: net\ninput: {{height: {size}, width: {size}, channels: 4}}\nlayers:\n"
    text = eject(cnnspec.load_spec(head + dedent(layers)))
    of_class = text[text.index(f"class {name}(") :]
    found = re.search(r"    def __call__.*?\n((?:        .*\n)+)", of_class)
    assert found is not None
    return dedent(found[1])


def test_blocks_that_differ_by_a_part_are_one_class():
    layers = """\
      - {id: stage, repeat: 3, basic: {filters: 8}}
      - {id: late, repeat: 2, basic: {filters: 8}}
    """
    assert body_of(layers, "Basic") == dedent("""\
        y = nnx.relu(self.conv1_norm(self.conv1(x)))
        y = self.conv2_norm(self.conv2(y))
        if self.with_shortcut:
            x = self.shortcut_norm(self.shortcut(x))
        return nnx.relu(y + x)
    """)
    assert body_of(layers) == dedent("""\
        for stage in (self.stage, self.late):
            for block in stage:
                x = block(x)
        return x
    """)


def test_the_parts_of_an_inverted_residual():
    layers = """\
      - {id: a, mbconv: {filters: 4, expand: 1}}
      - {id: b, mbconv: {filters: 8, expand: 2}}
      - {id: c, mbconv: {filters: 8, expand: 2}}
      - {id: d, mbconv: {filters: 8, expand: 2}}
    """
    assert body_of(layers, "MBConv").splitlines()[:3] == [
        "y = x", "if self.with_expand:", "    y = nnx.relu(self.expand_norm(self.expand(x)))"
    ]  # fmt: skip
    assert body_of(layers, "MBConv").splitlines()[-3:] == ["if self.residual:", "    y = y + x", "return y"]


def test_branches_are_named_after_their_layers():
    assert body_of("""\
      - {id: one, conv: {filters: 2, kernel: 1, act: relu}}
      - {id: three_1, from: input, conv: {filters: 2, kernel: 1}}
      - {id: three_2, conv: {filters: 2, act: relu}}
      - {id: pool, from: input, max_pool: {window: 3, stride: 1, padding: 1}}
      - {id: pooled, conv: {filters: 2, kernel: 1}}
      - {id: all, concat: [one, three_2, pooled]}
    """) == dedent("""\
        one = nnx.relu(self.one(x))
        three = self.three_1(x)
        three = nnx.relu(self.three_2(three))
        pooled = nnx.max_pool(x, (3, 3), (1, 1), padding=((1, 1), (1, 1)))
        pooled = self.pooled(pooled)
        return jnp.concatenate([one, three, pooled], axis=-1)
    """)


def test_short_operands_stand_within_a_sum():
    assert (
        body_of("""\
      - {id: a, conv: {filters: 4}}
      - {id: b, from: input, conv: {filters: 4}}
      - {id: both, add: [a, b]}
      - {id: end, activation: relu}
    """)
        == "return nnx.relu(self.a(x) + self.b(x))\n"
    )


def test_what_exists_only_in_training_stands_where_the_spec_has_it():
    layers = """\
      - {id: a, conv: {filters: 4}}
      - {id: aux, training_only: true, conv: {filters: 2, kernel: 1}}
      - {id: b, from: a, conv: {filters: 4}}
    outputs: {main: b, aux: aux}
    """
    assert body_of(layers) == dedent("""\
        x = self.a(x)
        if not self.deterministic:
            aux = self.aux(x)
        x = self.b(x)
        if self.deterministic:
            return {"main": x}
        return {"main": x, "aux": aux}
    """)


def test_values_of_most_layers_are_written_once():
    text = eject(cnnspec.load_spec("resnet18"))
    assert "Conv = partial(nnx.Conv, use_bias=False, kernel_init=he_normal_fan_out)\n" in text
    assert "BatchNorm = partial(nnx.BatchNorm, momentum=0.9, use_fast_variance=False)\n" in text
    assert "self.conv1 = Conv(3, 64, (7, 7), strides=2, padding=3, rngs=rngs)\n" in text


def test_a_file_of_other_weights_is_refused(tmp_path):
    compiled = cnnspec.compile("lenet5")
    path, weights = write(compiled, tmp_path)
    module = import_file(path)
    for change, message in (({"f6.bias": np.zeros(3, np.float32)}, "f6.bias is"), ({"c1.kernel": None}, "lacks 1 of")):
        given = {name: array for name, array in {**weights, **change}.items() if array is not None}
        save_file(given, tmp_path / "weights.safetensors")
        with pytest.raises(ValueError, match=message):
            module.load(str(tmp_path / "weights.safetensors"))


def test_the_excerpt_of_the_documentation_is_what_is_written():
    page = (Path(__file__).parents[2] / "docs" / "eject.md").read_text()
    (excerpt,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    text = eject(cnnspec.load_spec("resnet18"))
    assert excerpt in text
    assert f"{len(text.splitlines())} lines, 11,689,512 params" in page


def test_what_is_random_is_random_in_training_only(tmp_path):
    spec = {"cnnspec": 1, "name": "net", "input": {"features": 64},
            "layers": [{"linear": {"features": 64}}, {"dropout": 0.5}, {"drop_path": 0.5}]}  # fmt: skip
    path, _ = write(cnnspec.compile(spec), tmp_path)
    model = import_file(path).load(str(tmp_path / "weights.safetensors"))
    x = np.ones((8, 64), np.float32)
    assert (model(x) == model(x)).all()
    model.train()
    assert not (model(x) == model(x)).all()


# --- the command --------------------------------------------------------------------------------------------


def test_the_command_writes_a_file_and_replaces_none(tmp_path):
    path = tmp_path / "net.py"
    run = CliRunner().invoke
    done = run(main, ["eject", "resnet18", "--set", "classes=10", "--width", "0.5", "-o", str(path)])
    assert done.exit_code == 0, done.output
    assert done.output.startswith(f"{path}: resnet18, ")
    text = path.read_text()
    assert "self.classifier = nnx.Linear(256, 10, rngs=rngs)" in text
    assert [p.name for p in tmp_path.iterdir()] == ["net.py"]
    done = run(main, ["eject", "lenet5", "-o", str(path)])
    assert done.exit_code == 1
    assert "E805" in done.output
    assert path.read_text() == text
    assert run(main, ["eject", "lenet5", "-o", str(path), "--force"]).exit_code == 0
    assert "class Lenet5(" in path.read_text()
    assert run(main, ["eject", "lenet5", "-o", "-"]).output == path.read_text()
    assert "E807" in run(main, ["eject", "lenet5", "-o", str(path / "within.py")]).output


def test_a_wrong_spec_and_an_op_without_a_rule_are_told_of(tmp_path, monkeypatch):
    path = tmp_path / "net.yaml"
    path.write_text("cnnspec: 1\nname: net\ninput: {height: 4, width: 4, channels: 2}\nlayers:\n- max_pool: 2\n")
    monkeypatch.setitem(sys.modules, "cnnspec.eject.rules.max_pool", None)
    done = CliRunner().invoke(main, ["eject", str(path), "-o", str(tmp_path / "net.py")])
    assert done.exit_code == 1
    assert f"{path}:5:13: error[E818]: `max_pool` (at `max_pool_1`) cannot be written for Flax" in done.output
    path.write_text(path.read_text().replace("max_pool", "max_pol"))
    assert "did you mean `max_pool`?" in CliRunner().invoke(main, ["eject", str(path)]).output
