"""Convolutions by oneDNN, which jaxlib brings along for CPUs of the x86 family.

Bias, a second summand and the activation are computed while the result is still in the registers, which XLA's own
convolutions and products cannot. XLA reaches oneDNN through a custom call that its own passes write where they are
switched on, which they are not in the released jaxlib. That call is no interface of JAX, and some convolutions (those
that oneDNN computes by its own `gemm`) never return from it, as they wait in a thread for others of the same pool. So it
is used for no network that was not tried before, in a process of its own (`cnnspec.lower.trial`).

A program with such a call cannot be serialised: it is made for a process and nothing else (`cnnspec.lower.native`).
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp

from cnnspec.lower.forms.conv import Geometry
from cnnspec.lower.tiles import cores

#: Versions of jaxlib with which the tests of this module have run.
TESTED = ("0.10.2",)
#: What oneDNN calls the activations that it computes with a convolution, by our name.
ACTIVATIONS = {"relu": "RELU", "relu6": "RELU6", "tanh": "TANH", "sigmoid": "SIGMOID"}


@cache
def available() -> bool:
    """Whether oneDNN may be tried in this process: by jaxlib, processor and devices. `CNNSPEC_ONEDNN=off` says no."""
    if os.environ.get("CNNSPEC_ONEDNN", "on").lower() in ("off", "0") or version("jaxlib") not in TESTED:
        return False
    if platform.machine() not in ("x86_64", "AMD64") or cores() < 2:  # it holds one thread, and its work needs another
        return False
    return bool(jax.default_backend() == "cpu" and jax.device_count() == 1)


def convolve(
    x: Any, kernel: Any, geometry: Geometry, bias: Any = None, summand: Any = None, activation: str | None = None
) -> Any:
    """`activation(convolution + bias + summand)` in float32.

    **Shape**: `x` `[N, H, W, C]`, `kernel` `[kh, kw, C / groups, filters]`, `bias` `[filters]`, `summand` as the result.
    """
    sizes = (
        (x.shape[i + 1] + sum(geometry.padding[i]) - (kernel.shape[i] - 1) * geometry.dilation[i] - 1)
        // geometry.stride[i]
        + 1
        for i in (0, 1)
    )
    following = [name for name, array in (("BIAS", bias), ("BINARY_ADD", summand)) if array is not None]
    following += [ACTIVATIONS[activation]] if activation is not None else []
    call = jax.ffi.ffi_call(
        "__onednn$convolution", jax.ShapeDtypeStruct((x.shape[0], *sizes, kernel.shape[-1]), jnp.float32),
        custom_call_api_version=1, legacy_backend_config=_configuration(geometry, following),
    )  # fmt: skip
    return call(*(array for array in (x, kernel, bias, summand) if array is not None))


def _configuration(geometry: Geometry, following: Sequence[str]) -> str:
    """The message `OneDnnConvolutionConfig` of XLA as JSON: layouts NHWC and HWIO, the window, and what follows."""
    pixels = {"dims": 4, "data": {"batch_dim": 0, "feature_dim": 3, "spatial_dims": [1, 2]}}
    taps = {"dims": 4, "filter": {"input_feature_dim": 2, "output_feature_dim": 3, "spatial_dims": [0, 1]}}
    window = {
        "pad_left": [before for before, _ in geometry.padding],
        "pad_right": [after for _, after in geometry.padding],
        "strides": geometry.stride,
        "window_dilations": geometry.dilation,
    }
    convolution = {
        "dims": 4, "input": pixels, "kernel": taps, "output": pixels, "window": window,
        "fusions": {"ops": following}, "feature_groups": geometry.groups,
    }  # fmt: skip
    return json.dumps({"onednn_conv_config": convolution})
