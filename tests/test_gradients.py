"""`cnnspec gradients`: the norms against plain JAX and by hand, and the vanishing that shortcuts cure."""

from __future__ import annotations

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner

from cnnspec.cli.main import main
from cnnspec.compiled import compile
from cnnspec.frontend import load_spec
from cnnspec.gradients import draw, gradients

SMALL = """cnnspec: 1
name: small
input: {height: 6, width: 6, channels: 2}
layers:
  - {id: stem, conv: {filters: 4, act: relu}}
  - {id: halves, split: 2}
  - {id: left, from: "halves:0", conv: {filters: 3, kernel: 1}}
  - {id: again, from: "halves:1", shared: left}
  - {id: joined, concat: [left, again]}
  - global_avg_pool
  - {id: classifier, linear: {features: 5}}
  - {id: aside, from: stem, conv: {filters: 1}}
outputs: {logits: classifier, aside: aside}
"""


def deep(residual: bool, layers: int = 20) -> str:
    conv = "conv: {filters: 8, act: relu, kernel_init: lecun_normal}"
    node = f"residual: {{shortcut: identity, body: [{{{conv}}}]}}" if residual else conv
    return f"""cnnspec: 1
name: {"residual" if residual else "plain"}
input: {{height: 8, width: 8, channels: 8}}
layers:
  - {{id: body, repeat: {layers}, {node}}}
  - global_avg_pool
  - {{id: classifier, linear: {{features: 4}}}}
"""


def by_path(found):
    return {n.path: n for n in found.nodes}


def test_norms_are_those_of_plain_jax():
    loaded, batch, seed = load_spec(SMALL), 4, 3
    found = by_path(gradients(loaded, batch, seed))
    network = compile(loaded)
    params, state = network.init(seed)
    random = np.random.default_rng(seed)
    images = random.standard_normal((batch, 6, 6, 2), np.float32)
    labels = random.integers(0, 5, batch)

    def logits_of(values):
        return network.apply(values, state, images, rng=jax.random.key(0), train=True)[0]["logits"]

    def loss_of(logits):
        return -jax.nn.log_softmax(logits)[np.arange(batch), labels].mean()

    expected = jax.grad(lambda values: loss_of(logits_of(values)))({p: jnp.asarray(v) for p, v in params.items()})

    def norm(*arrays):
        return float(np.sqrt(sum(np.square(np.asarray(a)).sum() for a in arrays)))

    for path in ("stem", "left", "classifier"):
        own = [expected[p] for p in expected if p.startswith(f"{path}.")]
        assert found[path].params == pytest.approx(norm(*own), rel=1e-4)
    # Of the cross-entropy with respect to the logits: softmax less the one-hot class, over the batch.
    share = (jax.nn.softmax(logits_of(params)) - np.eye(5)[labels]) / batch
    assert found["classifier"].output == pytest.approx(norm(share), rel=1e-4)
    assert found["again"].output > 0  # the second use of shared weights
    assert found["aside"].output == 0  # no part of the first output


def test_without_shortcuts_the_gradient_vanishes():
    plain, residual = (gradients(load_spec(deep(r)), batch=2) for r in (False, True))
    assert len(plain.weighted) == len(residual.weighted) == 21
    assert plain.growth < 0.8
    assert 0.9 < residual.growth < 1.3
    assert plain.weighted[0].output < 1e-2 * residual.weighted[0].output


@pytest.mark.parametrize("layers", ["- radial_basis_output: 3", "- linear: {features: 3}"])
def test_distances_count_the_other_way(layers):
    text = f"cnnspec: 1\nname: x\ninput: {{features: 6}}\nlayers:\n  - linear: {{features: 4}}\n  {layers}\n"
    found = gradients(load_spec(text), batch=3)
    assert np.isfinite(found.loss)
    assert found.nodes[0].output > 0


def test_a_map_as_output_has_a_loss_too():
    text = "cnnspec: 1\nname: x\ninput: {height: 4, width: 4, channels: 1}\nlayers:\n  - {id: c, conv: {filters: 2}}\n"
    found = gradients(load_spec(text), batch=3)
    assert found.growth is None
    # Half the mean square: the gradient of the output is the output itself over all its numbers.
    assert found.nodes[0].output == pytest.approx(np.sqrt(2 * found.loss / (3 * 4 * 4 * 2)), rel=1e-4)


def test_the_command_prints_draws_and_says_what_it_does(tmp_path):
    for name in ("plain", "residual"):
        (tmp_path / f"{name}.yaml").write_text(deep(name == "residual", 3))
    specs = [str(tmp_path / f"{name}.yaml") for name in ("plain", "residual")]
    picture = tmp_path / "picture.png"
    done = CliRunner().invoke(main, ["gradients", *specs, "--batch", "2", "-o", str(picture)])
    assert done.exit_code == 0, done.output
    assert "plain output" in done.stdout
    assert "body.0.add" not in done.stdout
    assert "(2 of 2)" in done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    done = CliRunner().invoke(main, ["gradients", specs[1], "--batch", "2", "-o", str(picture), "--json"])
    (data,) = json.loads(done.stdout)
    assert {n["path"] for n in data["nodes"]} >= {"body.0.add", "classifier"}
    assert data["name"] == "residual"


def test_a_picture_of_a_network_that_nothing_reaches_is_drawn(tmp_path):
    text = SMALL.replace("{logits: classifier, aside: aside}", "{aside: aside, logits: classifier}")
    draw(tmp_path / "x.png", [gradients(load_spec(text), batch=2)])
    assert (tmp_path / "x.png").stat().st_size > 1000
