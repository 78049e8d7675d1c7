"""The law that every op keeps: what it infers is what it computes, and what it owns is what it uses."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cnnspec.registry import op_class, op_keys
from tests.ops.examples import EXAMPLES, OWN_TYPE
from tests.ops.running import AloneRun, inputs_for, values_for

CASES = [
    pytest.param(key, fields, types, id=f"{key}-{number}")
    for key, cases in sorted(EXAMPLES.items())
    for number, (fields, types) in enumerate(cases)
]


def as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


def test_every_op_has_examples():
    assert set(EXAMPLES) == set(op_keys())


@pytest.mark.parametrize(("key", "fields", "types"), CASES)
@pytest.mark.parametrize("train", [False, True])
def test_inferred_is_computed(key, fields, types, train):
    op = op_class(key).model_validate(fields, strict=True)
    params, state = values_for(op, types)
    inputs = inputs_for(types)
    inferred = as_tuple(op.infer(*types))
    run = AloneRun(params, state, train)
    outputs = as_tuple(op.lower(run, *inputs))
    assert [o.shape[1:] for o in outputs] == [t.shape for t in inferred]
    assert [str(o.dtype) for o in outputs] == [t.dtype for t in inferred]
    assert run.asked == {*params, *state} or (train and key == "batch_norm")
    abstract = jax.eval_shape(lambda *x: op.lower(AloneRun(params, state, train), *x), *inputs)
    assert [a.shape for a in as_tuple(abstract)] == [o.shape for o in outputs]
    jitted = jax.jit(lambda *x: op.lower(AloneRun(params, state, train), *x))(*inputs)
    for one, other in zip(as_tuple(jitted), outputs, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(("key", "fields", "types"), CASES)
def test_bfloat16_stays_bfloat16(key, fields, types):
    op = op_class(key).model_validate(fields, strict=True)
    params, state = values_for(op, types)
    outputs = as_tuple(op.lower(AloneRun(params, state, False), *inputs_for(types, jnp.bfloat16)))
    if key not in OWN_TYPE:
        assert all(o.dtype == jnp.bfloat16 for o in outputs)
    assert all(bool(jnp.isfinite(o.astype(jnp.float32)).all()) for o in outputs)


@pytest.mark.parametrize(("key", "fields", "types"), CASES)
def test_gradients_are_finite(key, fields, types):
    op = op_class(key).model_validate(fields, strict=True)
    params, state = values_for(op, types)
    inputs = inputs_for(types)

    def loss(params, x):
        outputs = as_tuple(op.lower(AloneRun(params, state, True), x, *inputs[1:]))
        return sum(jnp.square(o).sum() for o in outputs)

    gradients = jax.grad(loss, argnums=(0, 1))(params, inputs[0])
    assert all(bool(jnp.isfinite(g).all()) for g in jax.tree.leaves(gradients))


@pytest.mark.parametrize(("key", "fields", "types"), CASES)
def test_costs_and_origins_are_told(key, fields, types):
    op = op_class(key).model_validate(fields, strict=True)
    for output in as_tuple(op.infer(*types)):
        cost = op.cost(types, output)
        assert 0 <= 2 * cost.macs <= cost.flops
        for axis in range(output.rank):
            text = op.origin(axis, *types)
            assert text is None or text.strip()


@pytest.mark.parametrize("key", sorted(op_keys()))
def test_every_op_is_documented(key):
    cls = op_class(key)
    assert all(part in (cls.__doc__ or "") for part in ("**Shape**", "**Params**", "**Source**"))
    assert all(info.description for info in cls.model_fields.values())
