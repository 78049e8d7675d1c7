"""The header of a spec: everything but its nodes, as typed, immutable models."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from cnnspec.fields import Pair, Size, Sizes
from cnnspec.schema import Spec

LANGUAGE_VERSION = 1


class Reference(Spec):
    """Where an architecture was published."""

    title: str = Field(description="of the paper")
    authors: str = Field("", description="as cited")
    year: int | None = Field(None, ge=1940, le=2100, description="of publication")
    arxiv: str | None = Field(None, description="number, as text")
    doi: str | None = Field(None, description="digital object identifier")
    url: str | None = Field(None, description="where it can be read")
    where: str = Field("", description="section, table, column")
    notes: str = Field("", description="what the spec follows where sources differ")


def _numbers(value: Any) -> tuple[float, ...]:
    items = value if isinstance(value, list | tuple) else [value]
    if not items or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in items):
        raise PydanticCustomError("numbers_type", "should be a number or a list of numbers, one a channel")
    return tuple(float(v) for v in items)


Numbers = Annotated[
    tuple[float, ...],
    BeforeValidator(_numbers),
    PlainSerializer(list),
    WithJsonSchema({"type": ["number", "array"], "items": {"type": "number"}}),
]
"""One number for all channels, or one a channel."""


class Preprocess(Spec):
    """From an image file to the network's input, in this order: resize, crop, scale, subtract mean, divide by std."""

    resize: Size | None = Field(None, description="pixels of the shorter side, keeping the aspect ratio")
    pad: Size | None = Field(None, description="pixels of the longer side, keeping the aspect ratio, amid black")
    stretch: Pair | None = Field(None, description="height and width, whatever the aspect ratio")
    crop: Pair | None = Field(None, description="height and width of the centre crop")
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos"] = Field("bilinear", description="of resizing")
    scale: float = Field(1 / 255, description="factor on pixel values of 0 to 255")
    mean: Numbers = Field((0.0,), description="subtracted, after the scale")
    std: Numbers = Field((1.0,), description="divided by, after the mean")
    order: Literal["rgb", "bgr"] = Field("rgb", description="order of the colour channels")


class InputSpec(Spec):
    """One input: a feature map, a vector, or a class label an image."""

    height: Size | None = Field(None, description="pixels")
    width: Size | None = Field(None, description="pixels")
    channels: Size | None = Field(None, description="3 of a colour image, 1 of a grey one")
    features: Size | None = Field(None, description="length of a vector")
    classes: Size | None = Field(None, description="number of classes, of an input that is a label")
    optional: bool = Field(False, description="whether callers may leave it out")
    preprocess: Preprocess | None = Field(None, description="from an image file to this input")

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Its shape without batch; `None` where the fields do not say one."""
        given = (self.height is not None, self.width is not None, self.channels is not None)
        others = (self.features is not None) + (self.classes is not None)
        if all(given) and not others:
            return (self.height or 0, self.width or 0, self.channels or 0)
        if any(given) or others != 1:
            return None
        return () if self.features is None else (self.features,)


_SUFFIX = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_COUNT = re.compile(r"(\d+)(?:\.(\d+))?\s*([KMGT]?)")


class Count(Spec):
    """An expected number: exact, or rounded to the digits written (`4.1G`)."""

    text: str
    value: int
    unit: int = 1
    digits: int = 0

    def matches(self, actual: int) -> bool:
        """Whether `actual`, rounded as the expectation was written, is the expectation."""
        if self.unit == 1:
            return actual == self.value
        step = self.unit // 10**self.digits or 1
        return (actual + step // 2) // step * step == self.value


def _count(value: Any) -> Count:
    if isinstance(value, Count):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Count(text=f"{value:,}", value=value)
    match = _COUNT.fullmatch(value) if isinstance(value, str) else None
    if match is None or not match[3]:
        raise PydanticCustomError("count_type", "should be a whole number, or a rounded one such as `4.1G` or `25.6M`")
    unit, decimals = _SUFFIX[match[3]], match[2] or ""
    return Count(
        text=value, value=int(match[1] + decimals) * unit // 10 ** len(decimals), unit=unit, digits=len(decimals)
    )


CountField = Annotated[
    Count,
    BeforeValidator(_count),
    PlainSerializer(lambda count: count.value if count.unit == 1 else count.text),
    WithJsonSchema({"type": ["integer", "string"], "description": "exact, or rounded as in `4.1G`"}),
]


def _outputs(value: Any) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """A shape, or a shape for each output, as pairs; the name of the only output is left empty."""
    items = value.items() if isinstance(value, dict) else [("", value)]
    for name, shape in items:
        if not isinstance(shape, list | tuple) or not all(type(n) is int and n >= 1 for n in shape):
            message = "should be a shape, such as [1000]" + (
                "" if name else ", or a shape for each output: {logits: [1000]}"
            )
            raise PydanticCustomError("shape_type", "{text}", {"at": [name] if name else [], "text": message})
    return tuple((name, tuple(shape)) for name, shape in items)


def _plain_outputs(value: tuple[tuple[str, tuple[int, ...]], ...]) -> Any:
    named = {name: list(shape) for name, shape in value}
    return named.get("", named)


OutputShapes = Annotated[
    tuple[tuple[str, tuple[int, ...]], ...],
    BeforeValidator(_outputs),
    PlainSerializer(_plain_outputs),
    WithJsonSchema(
        {
            "type": ["array", "object"],
            "items": {"type": "integer", "minimum": 1},
            "additionalProperties": {"type": "array", "items": {"type": "integer", "minimum": 1}},
        }
    ),
]
"""The shape of the only output, or of each by name."""


def _origin(value: Any) -> Any:
    if isinstance(value, str) or (isinstance(value, dict) and all(isinstance(v, str) for v in value.values())):
        return value
    raise PydanticCustomError("origin_type", "should be text, or a text for each expectation")


Origin = Annotated[
    Any,
    BeforeValidator(_origin),
    WithJsonSchema({"type": ["string", "object"], "additionalProperties": {"type": "string"}}),
]
"""Where numbers come from: one text for all, or one each."""


class Expect(Spec):
    """What is known of the network from elsewhere; `check` and `compile` enforce it."""

    params: CountField | None = Field(None, description="learned parameters, without training-only parts")
    training_params: CountField | None = Field(None, description="learned parameters of training-only parts")
    state: CountField | None = Field(None, description="numbers that are not learned: running statistics")
    macs: CountField | None = Field(None, description="multiply-accumulates an image")
    output: OutputShapes | None = Field(None, description="shape, or a shape for each output")
    nodes: dict[str, Sizes] = Field({}, description="shapes by node")
    origin: Origin | None = Field(None, description="where the numbers come from")


class Document(Spec):
    """The header of a spec."""

    cnnspec: int = Field(description="version of the language")
    name: str = Field(description="of the network")
    family: str = Field("", description="of the zoo")
    description: str = Field("", description="one or two sentences")
    source: Reference | None = None
    inputs: dict[str, InputSpec] = Field({})
    expect: Expect | None = None
    params: dict[str, Any] = Field({}, description="the values in force")
