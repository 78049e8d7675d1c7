"""Bias, activation and a residual sum cost no sweep of their own: XLA computes them in one loop, in every form."""

from __future__ import annotations

import re

import jax
import jax.numpy as jnp
import pytest

from cnnspec.lower.forms.conv import Geometry
from cnnspec.lower.forms.table import FORMS, TRAINING

SAME, NONE = ((1, 1), (1, 1)), ((0, 0), (0, 0))
SHAPES = {"dot": ((1, 1, 32, 32), 1), "shifted": ((3, 3, 1, 32), 32), "split": ((3, 3, 16, 32), 2),
          "block_diagonal": ((3, 3, 16, 32), 2)}  # fmt: skip


@pytest.mark.parametrize("form", [form for form in FORMS if form not in TRAINING])
def test_what_follows_a_convolution_is_one_loop(form):
    shape, groups = SHAPES.get(form, ((3, 3, 32, 32), 1))
    geometry = Geometry((1, 1), NONE if shape[0] == 1 else SAME, (1, 1), groups)

    @jax.jit
    def run(x, kernel, bias, other):
        return jax.nn.relu(FORMS[form](x, kernel, geometry) + bias + other)

    x = jnp.ones((1, 14, 14, 32))
    text = run.lower(x, jnp.ones(shape), jnp.ones(32), x).compile().as_text()
    entry = text[text.index("ENTRY") :]
    root = re.search(r"ROOT .*? fusion\(.*?calls=(%[\w.-]+)", entry)
    assert root is not None, entry
    body = text[text.index(f"{root[1]} (") :].split("\n}", 1)[0]
    assert body.count(" add(") >= 2
    assert " maximum(" in body
    assert not re.search(r"= f32\S* (add|maximum)\(", entry)
