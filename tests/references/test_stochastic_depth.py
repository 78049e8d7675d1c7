"""Stochastic depth: the schedule of the zoo's specs, and what is kept in training and at test time."""

from __future__ import annotations

from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cnnspec.compiled import compile
from cnnspec.frontend import load_spec
from cnnspec.weights.synthetic import synthetic_weights
from tests.references import stochastic_depth

WIDTH, BLOCKS, LAST = 5, 3, 0.4


@pytest.mark.parametrize(
    ("name", "blocks"), [("resnet110_cifar_stochastic_depth", 54), ("resnet1202_cifar_stochastic_depth", 600)]
)
def test_the_schedule_of_the_specs_is_the_papers(name, blocks):
    ops = [node.op for node in load_spec(name).graph.nodes if node.op.key == "drop_path"]
    expected = [stochastic_depth.survival(number, blocks, 0.5) for number in range(1, blocks + 1)]
    np.testing.assert_allclose([1 - op.rate for op in ops], expected, rtol=1e-12)
    assert {(op.per, op.inference) for op in ops} == {("batch", "expected")}
    # Section 3: on average 3L/4 blocks are there, for L = 54 about 40.
    assert sum(expected) == pytest.approx((3 * blocks - 1) / 4)


def spec(per: str, inference: str) -> str:
    return f"""cnnspec: 1
name: dropped
input: {{features: {WIDTH}}}
layers:
  - id: body
    repeat: {BLOCKS}
    residual:
      shortcut: identity
      body: [{{linear: {{features: {WIDTH}}}}}]
      survival: "${{1 - (index + 1) / count * (1 - {LAST})}}"
      survival_per: {per}
      survival_inference: {inference}
      act: relu
"""


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).standard_normal((6, WIDTH)).astype(np.float32)


def build(per: str, inference: str):
    network = compile(spec(per, inference))
    weights = synthetic_weights(network.graph)
    params, state = network.split(weights)
    kernels = [weights[p].astype(np.float64) for p in params if p.endswith("kernel")]
    biases = [weights[p].astype(np.float64) for p in params if p.endswith("bias")]
    factors = [1.0] * BLOCKS
    if inference == "rescale":  # timm's and torchvision's: a survivor is divided by its probability
        factors = [1 / stochastic_depth.survival(n, BLOCKS, LAST) for n in range(1, BLOCKS + 1)]
    bodies = [lambda x, k=k, b=b, f=f: f * (x @ k + b) for k, b, f in zip(kernels, biases, factors, strict=True)]

    @jax.jit
    def train(x, key):
        return next(iter(network.apply(params, state, x, rng=key, train=True)[0].values()))

    prepared = network.prepare(params, state)
    return bodies, train, lambda x: np.asarray(next(iter(network.infer(prepared, x).values())))


@pytest.mark.parametrize("inference", ["expected", "rescale"])
@pytest.mark.parametrize("per", ["batch", "sample"])
def test_training_keeps_whole_blocks_with_the_papers_probabilities(images, per, inference):
    bodies, train, _ = build(per, inference)
    ways = stochastic_depth.every_way(images.astype(np.float64), bodies)
    together = np.stack(list(ways.values()))  # [ways, images, width]
    seen: Counter[tuple[int, ...]] = Counter()
    mixed = 0
    draws = 400
    for key in jax.random.split(jax.random.key(0), draws):
        ours = np.asarray(train(images, key))
        distance = np.abs(together - ours).max(-1)  # of each image to each way
        assert distance.min(0).max() < 1e-4  # every image went one of the ways
        chosen = [list(ways)[n] for n in distance.argmin(0)]
        mixed += len(set(chosen)) > 1
        seen.update(chosen if per == "sample" else chosen[:1])
    assert (mixed == 0) == (per == "batch")
    total = sum(seen.values())
    for block in range(BLOCKS):
        p = stochastic_depth.survival(block + 1, BLOCKS, LAST)
        share = sum(n for alive, n in seen.items() if alive[block]) / total
        assert abs(share - p) < 5 * np.sqrt(p * (1 - p) / draws)


def test_at_test_time_the_paper_scales_and_the_others_do_not(images):
    probabilities = [stochastic_depth.survival(n, BLOCKS, LAST) for n in range(1, BLOCKS + 1)]
    bodies, _, infer = build("batch", "expected")
    theirs = stochastic_depth.tested(images.astype(np.float64), bodies, probabilities)
    np.testing.assert_allclose(infer(images), theirs, rtol=1e-5, atol=1e-5)
    unscaled = stochastic_depth.trained(images.astype(np.float64), bodies, [1] * BLOCKS)
    assert np.abs(unscaled - theirs).max() > 0.1
    _, _, infer = build("sample", "rescale")
    np.testing.assert_allclose(infer(jnp.asarray(images)), unscaled, rtol=1e-5, atol=1e-5)
