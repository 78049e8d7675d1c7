"""One training step of ResNet-18 is torch's: loss, gradients, batch statistics, and the optimiser's update."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cnnspec.compiled import compile
from cnnspec.frontend import load_spec
from cnnspec.training.optimisers import learning_rate, optimiser
from cnnspec.training.recipe import Optimizer, Recipe, Schedule
from cnnspec.training.step import initial_state, make_step
from cnnspec.training.task import task_of
from cnnspec.weights.importing import import_weights

SIDE, BATCH = 64, 8

SPEC = """cnnspec: 1
name: resnet18_as_torch_counts
extends: resnet18.yaml
defaults: {batch_norm: {running_variance: unbiased}}     # torch's running average; Flax's and ours by default is biased
"""
RECIPE = Recipe(steps=10, optimizer=Optimizer(name="sgd", learning_rate=0.1, momentum=0.9, weight_decay=1e-4, decay_everything=True),
                schedule=Schedule())  # fmt: skip


def arrays_of(model: Any) -> dict[str, Any]:
    return {
        n: v.detach().numpy().copy() for n, v in model.state_dict().items() if not n.endswith("num_batches_tracked")
    }


def near(ours: Any, theirs: Any, bound: float = 1e-4) -> bool:
    return float(np.abs(np.asarray(ours) - theirs).max()) <= bound * max(float(np.abs(theirs).max()), 1e-3)


@pytest.mark.parity
@pytest.mark.slow
def test_a_step_of_resnet18_is_torchs():
    torch = pytest.importorskip("torch")
    from tests.parity.peers import torchvision

    torch.manual_seed(0)
    model = torchvision().models.resnet18(num_classes=10).train()
    loaded = load_spec(SPEC, set={"classes": 10, "input.height": SIDE, "input.width": SIDE})
    network = compile(loaded)
    params, state = network.split(import_weights(loaded, arrays_of(model), "torchvision"))
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (BATCH, SIDE, SIDE, 3)).astype(np.uint8)
    labels = random.integers(0, 10, BATCH).astype(np.int32)

    task = task_of(loaded.graph, loaded.document.inputs, RECIPE)
    curve = learning_rate(RECIPE, 100)
    rule = optimiser(RECIPE, curve)
    step = jax.jit(make_step(network.apply, task, RECIPE, rule, curve))
    before = initial_state(params, state, frozenset(), rule, None)
    after, measures = step(before, {"image": jnp.asarray(pixels), "label": jnp.asarray(labels)})

    images = np.asarray(task.inputs(jnp.asarray(pixels))[task.image])
    descent = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    loss = torch.nn.functional.cross_entropy(
        model(torch.tensor(images).permute(0, 3, 1, 2)), torch.tensor(labels).long()
    )
    loss.backward()
    norm = float(torch.sqrt(sum((p.grad**2).sum() for p in model.parameters())))
    descent.step()
    theirs = import_weights(loaded, arrays_of(model), "torchvision")

    assert near(measures[0], loss.detach().numpy())
    assert near(measures[2], np.float32(norm))
    ours = {**after["params"], **after["state"]}
    assert ours.keys() == theirs.keys()
    far = [path for path, value in ours.items() if not near(value, theirs[path])]
    assert far == []
    # The updates themselves, not only the weights that they hardly move.
    moved = [p for p in params if not near(ours[p] - params[p], theirs[p] - params[p], 2e-3)]
    assert moved == []
