"""Ops against torch, where torch has them: sliding windows, padding, divisors, normalisation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnspec.diagnostics import Problem
from cnnspec.registry import op_class
from cnnspec.types import TensorType
from tests.ops.running import AloneRun, inputs_for, values_for

torch = pytest.importorskip("torch")
F = torch.nn.functional

pytestmark = pytest.mark.parity


def ours(key, fields, *shape):
    op = op_class(key).model_validate(fields, strict=True)
    types = (TensorType(shape),)
    params, state = values_for(op, types)
    (x,) = inputs_for(types)
    op.infer(*types)
    return np.asarray(op.lower(AloneRun(params, state, False), x)), x, params, state


def nchw(x):
    return torch.tensor(np.array(x)).permute(0, 3, 1, 2)


def check(mine, theirs):
    np.testing.assert_allclose(mine, theirs.permute(0, 2, 3, 1).numpy(), rtol=2e-4, atol=2e-5)


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(5, 12), st.integers(5, 12)), window=st.integers(2, 4), stride=st.integers(1, 3),
    padding=st.integers(0, 2), ceil=st.booleans(), count=st.booleans(),
)  # fmt: skip
def test_pools(size, window, stride, padding, ceil, count):
    padding = min(padding, window // 2)
    fields = {"window": window, "stride": stride, "padding": padding, "ceil": ceil}
    mine, x, _, _ = ours("avg_pool", {**fields, "count_padding": count}, *size, 3)
    check(mine, F.avg_pool2d(nchw(x), window, stride, padding, ceil, count_include_pad=count))
    mine, x, _, _ = ours("max_pool", fields, *size, 3)
    check(mine, F.max_pool2d(nchw(x), window, stride, padding, ceil_mode=ceil))


@settings(max_examples=40, deadline=None)
@given(kernel=st.integers(1, 4), stride=st.integers(1, 3), padding=st.integers(0, 2), dilation=st.integers(1, 2),
       groups=st.sampled_from([1, 2, 4]), size=st.integers(6, 11))  # fmt: skip
def test_conv(kernel, stride, padding, dilation, groups, size):
    fields = {
        "filters": 8,
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
    }
    try:
        mine, x, params, _ = ours("conv", fields, size, size + 1, 4)
    except Problem:
        return
    weight = torch.tensor(np.array(params["kernel"])).permute(3, 2, 0, 1)
    check(mine, F.conv2d(nchw(x), weight, torch.tensor(np.array(params["bias"])), stride, padding, dilation, groups))


@settings(max_examples=40, deadline=None)
@given(kernel=st.integers(2, 4), stride=st.integers(1, 3), padding=st.integers(0, 1), more=st.integers(0, 1))
def test_conv_transpose(kernel, stride, padding, more):
    more = min(more, stride - 1)
    fields = {"filters": 3, "kernel": kernel, "stride": stride, "padding": padding, "output_padding": more}
    mine, x, params, _ = ours("conv_transpose", fields, 5, 6, 4)
    weight = torch.tensor(np.array(params["kernel"])).permute(2, 3, 0, 1)
    check(mine, F.conv_transpose2d(nchw(x), weight, torch.tensor(np.array(params["bias"])), stride, padding, more))


def test_norms_and_adaptive_pools():
    mine, x, _, _ = ours("local_response_norm", {"size": 5, "divide_by_size": True, "k": 1.0}, 4, 5, 9)
    check(mine, F.local_response_norm(nchw(x), 5, 1e-4, 0.75, 1.0))
    mine, x, p, _ = ours("group_norm", {"groups": 2}, 4, 5, 6)
    check(mine, F.group_norm(nchw(x), 2, torch.tensor(np.array(p["scale"])), torch.tensor(np.array(p["bias"])), 1e-5))
    mine, x, _, _ = ours("adaptive_avg_pool", {"size": [3, 4]}, 7, 9, 2)
    check(mine, F.adaptive_avg_pool2d(nchw(x), (3, 4)))
    mine, x, _, _ = ours("adaptive_max_pool", {"size": 5}, 7, 9, 2)
    check(mine, F.adaptive_max_pool2d(nchw(x), 5))
    mine, x, _, _ = ours("upsample", {"size": [9, 5], "method": "bilinear"}, 6, 4, 2)
    check(mine, F.interpolate(nchw(x), (9, 5), mode="bilinear"))
    mine, x, _, _ = ours("upsample", {"size": [9, 5]}, 6, 4, 2)
    check(mine, F.interpolate(nchw(x), (9, 5)))
