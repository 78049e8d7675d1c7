"""Which ops and blocks take which input, and what their fields owe to each other so that they fit it."""

from __future__ import annotations

from collections.abc import Callable
from math import gcd
from typing import Any

from hypothesis import strategies as st
from pydantic import TypeAdapter

from cnnspec.fields import PaddingField
from cnnspec.testing.values import divisors
from cnnspec.types import TensorType

Fields = dict[str, Any]

_PADDING: TypeAdapter[Any] = TypeAdapter(PaddingField)

#: The rank that is needed; what is not named needs a feature map.
_RANKS: dict[str, tuple[int, ...]] = {
    "linear": (1,), "radial_basis_output": (1,),
    "squash": (2,), "capsule_length": (2,), "capsule_mask": (2,), "capsule_prediction": (2,), "capsule_routing": (2,),
    "capsule_decoder": (2,),
} | dict.fromkeys(
    ("activation", "identity", "dropout", "drop_path", "batch_norm", "layer_norm", "scale", "flatten", "reshape", "cast",
     "split", "add", "concat", "multiply"), (1, 2, 3),
)  # fmt: skip

#: The least height and width that is needed.
_LEAST = {"dense_transition": 2, "auxiliary_head": 2}


def fits(key: str, x: TensorType) -> bool:
    """Whether some fields make `key` take an input of type `x`."""
    if x.rank not in _RANKS.get(key, (3,)):
        return False
    if x.rank == 3 and min(x.height, x.width) < _LEAST.get(key, 1):
        return False
    return key != "group_norm" or x.rank == 3


def repair(key: str, fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    """`fields` changed where they contradict each other or do not fit `x`."""
    rule = _RULES.get(key)
    return fields if rule is None else rule(fields, x, draw)


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _window_fits(fields: Fields, x: TensorType, window: str = "kernel") -> bool:
    kernel, dilation = _pair(fields.get(window, 3)), _pair(fields.get("dilation", 1))
    padding = _PADDING.validate_python(fields.get("padding", "valid"))
    pads = padding.resolve((x.height, x.width), kernel, _pair(fields.get("stride", 1)), dilation)
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    return all(n + sum(p) >= e for n, p, e in zip(x.shape, pads, extents, strict=False))


def _convolution(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    depthwise = fields.get("depthwise", False)
    if depthwise:
        fields = {k: v for k, v in fields.items() if k not in ("filters", "groups")}
    else:
        fields.pop("multiplier", None)
        fields.setdefault("filters", draw(st.integers(1, 6)))
        if "groups" in fields:
            fields["groups"] = draw(st.sampled_from(divisors(gcd(x.channels, fields["filters"]))))
    if "padding" in fields and not _window_fits(fields, x):
        fields["padding"] = "same"
    return fields


def _connection(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    row = st.lists(st.integers(0, x.channels - 1), min_size=1, max_size=x.channels, unique=True)
    fields["table"] = draw(st.lists(row, min_size=1, max_size=4))
    fields.setdefault("padding", "same")
    return fields if _window_fits(fields, x) else {**fields, "padding": "same"}


def _transposed(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    if "groups" in fields:
        fields["groups"] = draw(st.sampled_from(divisors(gcd(x.channels, fields["filters"]))))
    if fields.get("padding") not in ("same", "valid"):
        fields["padding"] = draw(st.sampled_from(["same", "valid"]))
    return fields


def _pool(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    window = _pair(fields["window"])
    if fields.get("padding") not in (None, "same", "valid"):
        # A window must never lie wholly in the padding.
        fields["padding"] = [w // 2 for w in window]
    if "padding" in fields and not _window_fits(fields, x, "window"):
        fields["padding"] = "same"
    return fields


def _residual_block(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    out = fields["filters"] * fields.get("expansion", 1)
    same = out == x.channels
    kind = fields.get("shortcut")
    changes = not same or _pair(fields.get("stride", 1)) != (1, 1)
    if (kind == "identity" and changes) or (kind == "pool" and not same) or (kind == "pad" and out < x.channels):
        fields["shortcut"] = "auto"
    if draw(st.integers(0, 3)) == 0:
        fields["se"] = {"reduction": 2}
    return fields


def _bottleneck(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    fields.setdefault("expansion", 2)
    if "groups" in fields:
        fields["groups"] = draw(st.sampled_from([1, 2]))
    if draw(st.integers(0, 3)) == 0:
        groups = fields.get("groups", 1)
        fields["widths"] = [groups * draw(st.integers(1, 3)), groups * draw(st.integers(1, 3))]
    elif draw(st.integers(0, 3)) == 0:
        fields["base_width"] = draw(st.sampled_from([64, 128]))
    return _residual_block(fields, x, draw)


def _fire(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    if fields.get("bypass") == "identity" and fields["expand1x1"] + fields["expand3x3"] != x.channels:
        fields["bypass"] = "conv"
    return fields


def _inception(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    branch = st.fixed_dictionaries({"reduce": st.integers(1, 3), "filters": st.integers(1, 4)})
    for name in ("conv3x3", "conv5x5", "conv3x3_double"):
        if draw(st.booleans()):
            fields[name] = draw(branch)
    fields["conv1x1"] = draw(st.integers(1, 4))
    fields["pool"] = draw(st.integers(0, 3))
    if _pair(fields.get("stride", 1)) != (1, 1):
        # The pool of a module that halves the map agrees with its convolutions on even sizes, rounded up.
        fields["stride"] = 2
        if x.height % 2 or x.width % 2 or min(x.height, x.width) < 4:
            fields.pop("pool")
        else:
            fields["pool_ceil"] = True
    return fields


def _shortcut(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    changes = fields["filters"] != x.channels or _pair(fields.get("stride", 1)) != (1, 1)
    if fields.get("kind") == "identity" and changes:
        fields["kind"] = "projection"
    return fields


def _shuffle(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    if x.channels % 2 == 0 and draw(st.booleans()):
        return {**fields, "filters": x.channels, "stride": 1}
    return {**fields, "filters": 2 * draw(st.integers(1, 3)), "stride": 2}


def _separable(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    if "padding" in fields and not _window_fits(fields, x):
        fields["padding"] = "same"
    return fields


def _primary(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    fields["kernel"] = draw(st.integers(1, min(x.height, x.width, 3)))
    fields.setdefault("capsules", 2)
    fields.setdefault("dimensions", 3)
    if "padding" in fields and not _window_fits(fields, x):
        fields["padding"] = "same"
    return fields


def _auxiliary(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    if "adaptive" in fields:
        fields = {name: value for name, value in fields.items() if name not in ("window", "stride")}
    else:
        fields["window"] = draw(st.integers(1, min(x.height, x.width)))
    return {"filters": 2, "features": 3, **fields}


def _decoder(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    sizes = st.lists(st.integers(1, 4), min_size=1, max_size=3)
    return {**fields, "features": draw(sizes), "image": draw(sizes)}


def _crop(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    if draw(st.booleans()) and min(x.height, x.width) > 2:
        return {"sides": draw(st.sampled_from([1, [1, 0], [[0, 1], [1, 0]], 0]))}
    return {"size": draw(st.integers(1, min(x.height, x.width)))}


def _pad(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    fields["padding"] = draw(st.sampled_from([0, 1, [1, 0], [[0, 1], [2, 0]]]))
    if fields.get("mode") == "reflect" and min(x.height, x.width) < 3:
        fields["mode"] = "edge"
    if fields.get("mode", "constant") != "constant":
        fields.pop("value", None)
    return fields


def _upsample(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    one = {"factor": draw(st.integers(1, 2))} if draw(st.booleans()) else {"size": [x.height + 1, x.width]}
    return {k: v for k, v in fields.items() if k == "method"} | one


def _split(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    if x.channels > 1 and draw(st.booleans()):
        first = draw(st.integers(1, x.channels - 1))
        return {"sizes": [first, x.channels - first]}
    return {"parts": draw(st.sampled_from(divisors(x.channels)))}


def _reshape(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    options = [[x.size], [-1], list(reversed(x.shape)), [-1, x.channels]]
    return {"shape": draw(st.sampled_from(options))}


def _grouped(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    return {**fields, "groups": draw(st.sampled_from(divisors(x.channels)))}


def _across(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    return {**fields, "size": draw(st.integers(1, 5))}


def _vector(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    if isinstance(fields.get("norm"), dict):
        fields["norm"] = "layer"
    return fields


def _activation(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    own = {"slope": "leaky_relu", "alpha": "elu", "approximate": "gelu"}
    return {name: value for name, value in fields.items() if own.get(name, fields["function"]) == fields["function"]}


def _squeeze_excite(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    return _one_of(fields, "squeeze", "reduction", "ratio")


def _transition(fields: Fields, x: TensorType, draw: st.DrawFn) -> Fields:
    return _one_of(fields, "filters", "compression")


def _one_of(fields: Fields, *names: str) -> Fields:
    """The fields with only the first of those that say the same thing in different ways."""
    given = [name for name in names if name in fields]
    return {name: value for name, value in fields.items() if name not in given[1:]}


_RULES: dict[str, Callable[[Fields, TensorType, st.DrawFn], Fields]] = {
    "conv": _convolution, "connection_conv": _connection, "conv_transpose": _transposed, "max_pool": _pool,
    "avg_pool": _pool, "basic": _residual_block, "bottleneck": _bottleneck, "fire": _fire, "inception": _inception,
    "shortcut": _shortcut, "shuffle_unit": _shuffle, "separable_conv": _separable, "primary_capsules": _primary,
    "auxiliary_head": _auxiliary, "capsule_decoder": _decoder, "crop": _crop, "pad": _pad, "upsample": _upsample,
    "split": _split, "reshape": _reshape, "group_norm": _grouped, "channel_shuffle": _grouped, "linear": _vector,
    "local_response_norm": _across, "activation": _activation, "squeeze_excite": _squeeze_excite,
    "dense_transition": _transition,
}  # fmt: skip
