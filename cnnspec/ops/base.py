"""What an op is: the primitive of the language, and the only place that knows shapes, costs and lowering.

One file an op. It owns its fields, its shape rule (`infer`), its parameters, its cost, and its lowering to JAX
(imported inside `lower`, so that checking a spec needs no JAX).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from cnnspec.diagnostics import Problem
from cnnspec.fields import Initializer
from cnnspec.schema import Spec
from cnnspec.types import TensorType

if TYPE_CHECKING:
    from jax import Array

Inputs = tuple[TensorType, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One array that an op owns.

    `trainable=False` marks state (running statistics): not counted as a parameter, not given a gradient.
    The fans are those of the initialisers' papers: inputs and outputs that one unit is connected to.
    """

    shape: tuple[int, ...]
    init: Initializer
    fan_in: int = 1
    fan_out: int = 1
    trainable: bool = True


@dataclass(frozen=True, slots=True)
class Cost:
    """The work for one image.

    `macs` counts multiply-accumulates of learned weights with data (convolution, linear, capsule prediction), as
    papers and peers count them: no bias, no normalisation, no activation, no pooling. `flops` counts every
    arithmetic operation: two for each MAC, and one for each addition, multiplication, comparison, exponential.
    """

    macs: int = 0
    flops: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """The sliding window of a convolution or a pool, for the receptive field (pixels along height and width)."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int] = (1, 1)


class Run(Protocol):
    """What a lowering may ask of the run it is part of; names are the op's own (`kernel`, `mean`)."""

    train: bool
    #: The form chosen for this node; "plain" unless a later decision picked a faster one.
    form: str

    def param(self, name: str) -> Array: ...
    def layout(self, name: str) -> Array | None: ...
    def value(self, name: str, usual: Any) -> Any: ...
    def state(self, name: str) -> Array: ...
    def update(self, name: str, value: Array) -> None: ...
    def key(self) -> Array: ...


class Op(Spec):
    """A primitive operation.

    Subclasses are final, live in the file of their key, and define at least `infer` and `lower`.
    """

    #: The number of inputs, least and most (`None`: any number).
    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    #: Inputs from this position on may be absent (`None` in `lower`).
    optional_from: ClassVar[int | None] = None
    #: Names of the outputs where there are several, else empty.
    ports: ClassVar[tuple[str, ...]] = ()
    #: True where the result would lose too much in bfloat16 (softmax, routing, statistics).
    full_precision: ClassVar[bool] = False
    #: True where the output depends on the rest of the batch or on chance while training.
    stochastic: ClassVar[bool] = False
    #: True where a class label may come in, which is a whole number that counts nothing.
    takes_labels: ClassVar[bool] = False

    @abstractmethod
    def infer(self, *inputs: TensorType) -> TensorType | tuple[TensorType, ...]:
        """The type of the output (a tuple where there are several); raises `Problem` where the inputs do not fit."""

    def parameters(self, *inputs: TensorType) -> dict[str, Parameter]:
        """The arrays that this op owns, by name."""
        return {}

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        """The work for one image."""
        return Cost()

    def sliding_window(self, *inputs: TensorType) -> Window | None:
        """The sliding window, for ops that have one."""
        return None

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        """What made dimension `axis` of the output ("filters 64"); `None` where it is the first input's."""
        return None

    @property
    def identity(self) -> bool:
        """Whether this op returns its input unchanged at inference, whatever comes in."""
        return False

    def does_nothing(self, *inputs: TensorType) -> bool:
        """Whether it returns inputs of these types unchanged at inference (a pad by nothing, a pool of one pixel)."""
        return self.identity

    @abstractmethod
    def lower(self, run: Run, *inputs: Any) -> Any:
        """The computation on arrays with a leading batch dimension."""


def feature_map(x: TensorType, key: str) -> TensorType:
    """`x` itself if it is a feature map (height, width, channels); raises E201 otherwise."""
    if x.rank != 3:
        raise Problem(
            "E201",
            f"`{key}` needs a feature map (height x width x channels), and the input is {x.plain}",
            "move it before the `flatten` or global pooling, or `reshape` the input first",
            operands=(0,),
        )
    return x


def same_shape(key: str, inputs: Inputs) -> TensorType:
    """The type that all inputs have; raises E203 where they differ."""
    first = inputs[0]
    for number, other in enumerate(inputs):
        if other.shape != first.shape:
            axis = next((i for i, (a, b) in enumerate(zip(first.shape, other.shape, strict=False)) if a != b), None)
            if first.rank == other.rank == 3 and axis == 2:
                hint = f"give both {first.channels} channels, or project one with `conv: {{filters: {first.channels}, kernel: 1}}`"
            elif first.rank == other.rank == 3:
                hint = "give both branches the same strides, or project one with a strided 1x1 `conv`"
            else:
                hint = "bring both to one shape with `reshape`, `flatten` or `linear`"
            raise Problem(
                "E203", f"the inputs of `{key}` differ: {first.plain} and {other.plain}", hint, axis=axis,
                operands=(0, number),
            )  # fmt: skip
    return first


def slide(
    x: TensorType,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    pads: tuple[tuple[int, int], tuple[int, int]],
    ceil: bool = False,
    field: str = "kernel",
) -> tuple[int, int]:
    """Height and width after a sliding window; raises E202 where the window, given as `field`, does not fit.

    With `ceil`, a last window that begins inside the map or its leading padding counts, as in torch and Caffe.
    """
    sizes = []
    for name, length, window, step, spread, (before, after) in zip(
        ("height", "width"), x.shape[:2], kernel, stride, dilation, pads, strict=True
    ):
        extent = (window - 1) * spread + 1
        room = length + before + after - extent
        if room < 0:
            raise Problem(
                "E202",
                f"a window of {extent} does not fit the {name} of {length}"
                + (f" with {before + after} pixels of padding" if before + after else ""),
                f"make the window at most {length + before + after}, pad it, or use a smaller stride before it",
                field=field,
                axis=0 if name == "height" else 1,
                operands=(0,),
            )
        count = room // step + 1
        if ceil and room % step and count * step < length + before:
            count += 1
        sizes.append(count)
    return (sizes[0], sizes[1])
