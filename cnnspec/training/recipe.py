"""What a recipe says: how a network is trained, as data."""

from __future__ import annotations

import itertools
import math
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from cnnspec.data.config import Augmentation, DatasetConfig, Loading, Mixing, Part
from cnnspec.document import Numbers, Reference
from cnnspec.fields import Fraction, Names, Positive, Rate, Size

NonNegative = Annotated[float, Field(ge=0.0)]


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _times(value: Any) -> tuple[float, ...]:
    items = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in items):
        raise PydanticCustomError("times_type", "should be a list of numbers")
    if not all(0 < a < b for a, b in itertools.pairwise((*items, math.inf))):
        raise PydanticCustomError("times_order", "should rise, from above 0")
    return tuple(float(v) for v in items)


Times = Annotated[
    tuple[float, ...],
    BeforeValidator(_times),
    PlainSerializer(list),
    WithJsonSchema({"type": ["number", "array"], "items": {"type": "number", "exclusiveMinimum": 0}}),
]
"""Moments of a training, in the recipe's own unit, each later than the one before."""


class Optimizer(Part):
    """The update rule; a field that the named rule does not have is refused."""

    name: Literal["sgd", "adam", "adamw", "rmsprop"] = Field("sgd", description="the rule")
    learning_rate: Positive = Field(0.1, description="the highest one; the schedule scales it")
    momentum: Rate | None = Field(None, description="sgd (0.9) and rmsprop (0.9)")
    nesterov: bool | None = Field(None, description="sgd: look ahead (false)")
    beta1: Rate | None = Field(None, description="adam, adamw: decay of the first moment (0.9)")
    beta2: Rate | None = Field(None, description="adam, adamw: decay of the second moment (0.999)")
    decay: Rate | None = Field(None, description="rmsprop: decay of the squared gradient (0.9)")
    epsilon: Positive | None = Field(None, description="adam, adamw (1e-8) and rmsprop (1e-3)")
    weight_decay: NonNegative = Field(
        0.0, description="added to the gradient times the weight; for adamw applied to the weight itself"
    )
    decay_everything: bool = Field(False, description="decay biases and the scales and biases of norms too")
    decay_exempt: Names = Field((), description="ids that are not decayed; `*` stands for anything")

    @model_validator(mode="after")
    def _fields_of_the_rule(self) -> Optimizer:
        for name, value in (("momentum", self.momentum), ("nesterov", self.nesterov), ("beta1", self.beta1),
                            ("beta2", self.beta2), ("decay", self.decay), ("epsilon", self.epsilon)):  # fmt: skip
            if value is not None and name not in RULE_FIELDS[self.name]:
                raise PydanticCustomError("rule_field", f"has no `{name}` for {self.name}")
        return self


RULE_FIELDS = {
    "sgd": ("momentum", "nesterov"),
    "adam": ("beta1", "beta2", "epsilon"),
    "adamw": ("beta1", "beta2", "epsilon"),
    "rmsprop": ("momentum", "decay", "epsilon"),
}


class Schedule(Part):
    """How the learning rate goes; lengths are in the recipe's own unit: epochs where it says `epochs`, else steps."""

    name: Literal["constant", "step", "cosine", "exponential", "linear", "one_cycle"] = Field(
        "constant", description="the curve"
    )
    warmup: NonNegative = Field(0.0, description="length of the linear rise before the curve begins")
    warmup_from: Fraction = Field(0.0, description="share of the learning rate that the rise begins with")
    at: Times = Field((), description="step: when the rate falls")
    factor: Numbers = Field((0.1,), description="step and exponential: what it is multiplied by; for `at`, one for all "
                            "times or one a time")  # fmt: skip
    every: Positive | None = Field(None, description="step (instead of `at`) and exponential: how often")
    staircase: bool = Field(False, description="exponential: in steps rather than smoothly")
    final: Fraction = Field(0.0, description="cosine, linear, one_cycle: share of the rate at the end")
    rise: Fraction = Field(0.3, description="one_cycle: share of the training that the rate rises")
    start: Fraction = Field(0.04, description="one_cycle: share of the rate at the start")

    @model_validator(mode="after")
    def _whole(self) -> Schedule:
        if self.name == "step" and bool(self.at) == (self.every is not None):
            raise PydanticCustomError("schedule_step", "of `step` needs either `at` or `every`")
        if self.name == "exponential" and self.every is None:
            raise PydanticCustomError("schedule_exponential", "of `exponential` needs `every`")
        if min(self.factor) <= 0 or len(self.factor) not in (1, len(self.at)):
            raise PydanticCustomError("schedule_factor", "needs a `factor` above 0, or one for each of its times")
        return self


class Loss(Part):
    """What is made small."""

    name: Literal["cross_entropy", "margin", "rbf"] = Field(
        "cross_entropy",
        description="`margin`: of capsule lengths (Sabour 2017, eq. 4); `rbf`: LeNet's (LeCun 1998, eq. 9)",
    )
    output: str | None = Field(None, description="output of the spec that it judges; by default its first vector")
    label_smoothing: Rate = Field(0.0, description="share of the target spread evenly (Szegedy 2015, section 7)")
    auxiliary: dict[str, NonNegative] = Field({}, description="weights of the cross-entropies of further outputs")
    reconstruction: str = Field("reconstruction", description="margin: output compared with the image")
    reconstruction_weight: NonNegative = Field(0.0005, description="margin: of the sum of squared errors a pixel")
    margins: tuple[float, float] | list[float] = Field((0.9, 0.1), description="margin: of present and absent classes")
    absent_weight: NonNegative = Field(0.5, description="margin: of the classes that are absent")
    competition: float = Field(0.1, description="rbf: the constant j that bounds what wrong classes can give")

    @model_validator(mode="after")
    def _whole(self) -> Loss:
        if self.label_smoothing and self.name != "cross_entropy":
            raise PydanticCustomError("loss_smoothing", "has label smoothing only for cross_entropy")
        if len(self.margins) != 2:
            raise PydanticCustomError("loss_margins", "needs two margins")
        return self


class Normalise(Part):
    """From pixel values of 0 to 255 to what the network sees: times scale, minus mean, by std."""

    scale: float = Field(1 / 255, description="factor on pixel values of 0 to 255")
    mean: Numbers = Field((0.0,), description="subtracted, after the scale")
    std: Numbers = Field((1.0,), description="divided by, after the mean")

    @model_validator(mode="after")
    def _not_flat(self) -> Normalise:
        if not self.scale or min(self.std) <= 0:
            raise PydanticCustomError("normalise_flat", "needs a `scale` other than 0 and a `std` above 0")
        return self


class Recipe(Part):
    """How a network is trained. Every field has a default; the empty recipe trains on the digits."""

    title: str = Field("", description="one line about this recipe")
    source: Reference | None = Field(None, description="where the training was published")
    published: str = Field("", description="the published result with its protocol")
    networks: Names = Field((), description="the networks of the zoo that it is for; `*` stands for anything")
    set: dict[str, Any] = Field({}, description="values of the spec's params, as `--set` gives them")
    dataset: Annotated[DatasetConfig, BeforeValidator(_named)] = Field(
        DatasetConfig(), description="the images; a bare name will do"
    )
    loading: Loading = Field(Loading(), description="how batches are made")
    normalise: Normalise | None = Field(
        None, description="of the pixels; by default the spec's `preprocess`, or to 0 .. 1"
    )
    augment: Augmentation = Field(Augmentation(), description="of training images")
    mixing: Mixing = Field(Mixing(), description="of pairs of images")
    batch_size: Size = Field(64, description="images a step, over all devices")
    epochs: Positive | None = Field(None, le=1e6, description="length of the training (10 where neither is given)")
    steps: Size | None = Field(None, le=10**9, description="length of the training, instead of epochs")
    optimizer: Annotated[Optimizer, BeforeValidator(_named)] = Field(
        Optimizer(), description="the update rule; a bare name will do"
    )
    schedule: Annotated[Schedule, BeforeValidator(_named)] = Field(
        Schedule(), description="of the learning rate; a bare name will do"
    )
    loss: Annotated[Loss, BeforeValidator(_named)] = Field(
        Loss(), description="what is made small; a bare name will do"
    )
    clip: Positive | None = Field(None, description="largest norm of the whole gradient")
    accumulate: Size = Field(1, description="batches whose gradients are averaged for one update")
    ema: Rate | None = Field(
        None, description="decay of the running average of the weights, which is then what is evaluated"
    )
    precision: Literal["float32", "bfloat16"] = Field("float32", description="of the computation; weights stay float32")
    seed: int = Field(0, ge=0, lt=2**31, description="of weights, order, augmentation and dropout")
    weights: str | None = Field(
        None, description="file or run folder to start from; what fits by name and shape is taken"
    )
    freeze: Names = Field((), description="ids whose weights stay as they are; `*` stands for anything")
    remat: Names = Field(
        (), description="ids whose inner activations are computed again for the gradient, to save memory"
    )
    evaluate_every: Positive = Field(1.0, description="epochs or steps, as the length is given")
    evaluation_batch: Size | None = Field(None, description="images a batch of the evaluation; by default `batch_size`")
    checkpoint_every: Positive | None = Field(
        None, description="epochs or steps between checkpoints; by default every evaluation"
    )

    @model_validator(mode="after")
    def _one_length(self) -> Recipe:
        if self.epochs is not None and self.steps is not None:
            raise PydanticCustomError("length", "has both `epochs` and `steps`")
        if (self.mixing.mixup or self.mixing.cutmix) and self.loss.name != "cross_entropy":
            raise PydanticCustomError("mixing_loss", "mixes images only for cross_entropy")
        return self

    def is_for(self, network: str) -> bool:
        """Whether it names this network of the zoo."""
        return any(fnmatchcase(network, pattern) for pattern in self.networks)

    def total_steps(self, images: int) -> int:
        """Steps of the whole training on `images` training images."""
        return self.steps if self.steps is not None else max(1, round(self.to_steps(self.epochs or 10.0, images)))

    def to_steps(self, length: float, images: int) -> float:
        """A length in the recipe's unit, in steps; at least 1."""
        return max(1.0, length if self.steps is not None else length * images / self.batch_size)
