"""Examples of every op: fields and the types that come in. A test asserts that no op is left out."""

from __future__ import annotations

from typing import Any

from cnnspec.types import TensorType


def t(*shape: int) -> TensorType:
    return TensorType(shape)


LABEL = TensorType((), "int32")
MAP, ODD, VECTOR, CAPSULES = t(8, 8, 4), t(7, 9, 6), t(12), t(5, 4)

EXAMPLES: dict[str, list[tuple[dict[str, Any], tuple[TensorType, ...]]]] = {
    "activation": [
        ({"function": f}, (ODD,))
        for f in (
            "relu relu6 leaky_relu elu tanh scaled_tanh sigmoid hard_sigmoid silu swish hard_swish gelu softmax".split()
        )
    ],
    "adaptive_avg_pool": [({"size": 3}, (ODD,)), ({"size": [2, 9]}, (ODD,)), ({"size": 10}, (MAP,))],
    "adaptive_max_pool": [({"size": 3}, (ODD,)), ({"size": 10}, (MAP,))],
    "add": [({}, (MAP, MAP)), ({}, (VECTOR, VECTOR, VECTOR)), ({}, (MAP,))],
    "avg_pool": [
        ({"window": 2}, (MAP,)),
        ({"window": 3, "stride": 2, "padding": 1}, (ODD,)),
        ({"window": 3, "stride": 2, "padding": 1, "count_padding": True, "ceil": True}, (ODD,)),
        ({"window": 3, "stride": 1, "padding": "same"}, (ODD,)),
    ],
    "batch_norm": [
        ({}, (MAP,)),
        ({"scale": False, "bias": False, "running_variance": "unbiased"}, (ODD,)),
        ({"epsilon": 0.001}, (VECTOR,)),
    ],
    "capsule_length": [({}, (CAPSULES,))],
    "capsule_mask": [({}, (CAPSULES,)), ({}, (CAPSULES, LABEL))],
    "capsule_prediction": [({"capsules": 3, "dimensions": 6}, (CAPSULES,))],
    "cast": [({"dtype": "float32"}, (MAP,)), ({"dtype": "bfloat16"}, (MAP,))],
    "channel_shuffle": [({"groups": 2}, (MAP,)), ({"groups": 3}, (ODD,))],
    "concat": [({}, (MAP, t(8, 8, 3))), ({}, (VECTOR, t(5)))],
    "connection_conv": [({"table": [[0, 1], [2], [0, 3, 2]], "kernel": 3}, (MAP,))],
    "conv": [
        ({"filters": 5}, (MAP,)),
        ({"filters": 6, "kernel": [3, 5], "stride": [2, 1], "padding": "half", "bias": False}, (ODD,)),
        ({"filters": 6, "groups": 2, "padding": "valid", "dilation": 2}, (ODD,)),
        ({"depthwise": True, "multiplier": 2, "stride": 2, "padding": [[0, 1], [2, 1]]}, (MAP,)),
        ({"filters": 4, "kernel": 1, "stride": 2, "padding": 0}, (ODD,)),
    ],
    "conv_transpose": [
        ({"filters": 3, "stride": 2}, (ODD,)),
        ({"filters": 4, "kernel": 4, "stride": 2, "padding": 1, "groups": 2}, (MAP,)),
        ({"filters": 4, "kernel": 3, "stride": 2, "padding": 1, "output_padding": 1, "bias": False}, (MAP,)),
        ({"filters": 2, "kernel": 3, "dilation": 2, "padding": "valid"}, (MAP,)),
    ],
    "crop": [({"size": 4}, (ODD,)), ({"sides": [[1, 0], [2, 3]]}, (ODD,))],
    "drop_path": [({"rate": 0.4, "per": "batch", "inference": "expected"}, (MAP,)), ({"rate": 0.4}, (VECTOR,))],
    "dropout": [({"rate": 0.3}, (MAP,)), ({"rate": 0.0}, (VECTOR,))],
    "dynamic_routing": [({"iterations": 3}, (t(6, 3, 4),)), ({"iterations": 2, "stop_gradient": True}, (t(6, 3, 4),))],
    "flatten": [({}, (ODD,)), ({}, (VECTOR,))],
    "global_avg_pool": [({}, (ODD,)), ({"keep_dims": True}, (ODD,))],
    "global_max_pool": [({}, (ODD,)), ({"keep_dims": True}, (ODD,))],
    "group_norm": [({"groups": 2}, (MAP,)), ({"groups": 3, "bias": False}, (ODD,))],
    "identity": [({}, (MAP,))],
    "layer_norm": [({}, (MAP,)), ({"scale": False}, (VECTOR,))],
    "linear": [({"features": 7}, (VECTOR,)), ({"features": 1, "bias": False}, (VECTOR,))],
    "local_response_norm": [({}, (ODD,)), ({"size": 4, "divide_by_size": True, "k": 1.0}, (MAP,))],
    "max_pool": [
        ({"window": 2}, (MAP,)),
        ({"window": 3, "stride": 2, "padding": 1}, (ODD,)),
        ({"window": 3, "stride": 2, "ceil": True}, (MAP,)),
        ({"window": [2, 3], "stride": 1, "padding": "same"}, (ODD,)),
    ],
    "multiply": [({}, (MAP, t(1, 1, 4))), ({}, (t(1, 1, 4), MAP)), ({}, (VECTOR, VECTOR))],
    "pad": [
        ({"padding": 2, "channels": 3}, (MAP,)),
        ({"padding": [[1, 0], [2, 3]], "mode": "reflect"}, (MAP,)),
        ({"padding": 1, "mode": "edge"}, (ODD,)),
    ],
    "radial_basis_output": [({"classes": 3}, (VECTOR,)), ({"classes": 3, "trainable": True}, (VECTOR,))],
    "reshape": [({"shape": [-1, 8]}, (MAP,)), ({"shape": [3, 4]}, (VECTOR,))],
    "scale": [
        ({"value": 0.3}, (MAP,)),
        ({"learned": True, "bias": True}, (MAP,)),
        ({"learned": True, "per_channel": False}, (VECTOR,)),
    ],
    "split": [({"parts": 2}, (MAP,)), ({"sizes": [1, 2, 3]}, (ODD,))],
    "squash": [({}, (CAPSULES,))],
    "upsample": [({"factor": 2}, (ODD,)), ({"size": [11, 5], "method": "bilinear"}, (MAP,)), ({"size": 5}, (ODD,))],
}

#: Ops whose result keeps its own element type whatever comes in.
OWN_TYPE = ("cast",)
