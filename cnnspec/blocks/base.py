"""What a block is: a composite that stands for a few ops, and nothing else.

A block owns its fields and one `unfold`, which calls ops and other blocks. Shapes, costs and lowering follow by
themselves from the ops; there is no shape or lowering code in a block. A block written in YAML is the same thing.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Protocol

from pydantic import BeforeValidator, PlainSerializer, SkipValidation, WithJsonSchema
from pydantic_core import PydanticCustomError

from cnnspec.diagnostics import listing
from cnnspec.graph import Ref
from cnnspec.ops.activation import FUNCTIONS, Activation
from cnnspec.ops.base import Op
from cnnspec.registry import op_class
from cnnspec.schema import Spec
from cnnspec.types import TensorType
from cnnspec.validation.places import Named


@dataclass(frozen=True, slots=True)
class Value:
    """What flows into and out of a block: an output of a node, with its type."""

    ref: Ref
    types: tuple[TensorType, ...]
    #: Whether it was said which of several outputs is meant.
    chosen: bool = False

    @property
    def whole(self) -> bool:
        """Whether it is all outputs of a node of several, and none of them by itself."""
        return len(self.types) > 1 and not self.chosen

    @property
    def type(self) -> TensorType:
        return self.types[self.ref.port]

    @property
    def channels(self) -> int:
        return self.type.channels

    def port(self, number: int) -> Value:
        """Another output of the same node."""
        return Value(Ref(self.ref.node, number), self.types, chosen=True)

    @property
    def ports(self) -> list[Ref]:
        """All outputs of the same node."""
        return [Ref(self.ref.node, number) for number in range(len(self.types))]


class Builder(Protocol):
    """What a block may ask of the elaborator while it expands."""

    def __call__(
        self, spec: Spec, *inputs: Value | None, id: str | None = None, why: Mapping[str, str] | None = None
    ) -> Value:
        """Add an op or a block and return its output.

        `id` names it inside this block; without one it takes the block's own path (once in a block: the part
        whose weights are the block's own). `why` says how a field came by its value ("filters 64 x expansion 4").
        """

    def layers(self, layers: Layers, *inputs: Value, id: str) -> Value:
        """Add a list of nodes written in the spec and return the output of the last."""

    def branch(self, branch: Branch, *inputs: Value, id: str) -> Value:
        """Add one branch written in the spec: an id, a node, or a list of nodes."""


class Block(Spec):
    """A composite of ops and blocks."""

    #: The number of inputs, least and most (`None`: any number).
    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    #: True where a class label may come in.
    takes_labels: ClassVar[bool] = False

    @abstractmethod
    def unfold(self, build: Builder, *inputs: Value) -> Value | dict[str, Value]:
        """Say what the block stands for; raises `Problem` where its fields and inputs do not fit together."""


# --- fields that only blocks have -----------------------------------------------------------------------------

#: `cnnspec.json_schema` puts its definitions in their place.
_LAYERS = {"x-nodes": "layers"}
_BRANCH = {"x-nodes": "branch"}
_BRANCHES = {"type": "array", "items": {"x-nodes": "branch"}}

Layers = Annotated[Any, SkipValidation, WithJsonSchema(_LAYERS)]
"""A list of nodes, kept as written until the block is expanded."""

Branch = Annotated[Any, SkipValidation, WithJsonSchema(_BRANCH)]
"""An id, a node, or a list of nodes, kept as written."""

Branches = Annotated[Any, SkipValidation, WithJsonSchema(_BRANCHES)]
"""A list of branches, kept as written."""


@cache
def nested_fields(cls: type[Spec]) -> tuple[str, ...]:
    """The fields of a block that hold nodes; they stay as written until the block is expanded."""
    return tuple(name for name, info in cls.model_fields.items() if any(_is_nested(m) for m in info.metadata))


def _is_nested(metadata: object) -> bool:
    schema = getattr(metadata, "json_schema", None)
    return isinstance(schema, dict) and schema in (_LAYERS, _BRANCH, _BRANCHES)


_NORMS = ("batch", "layer", "group")


def _norm(value: Any) -> Op | None:
    if value is None or value == "none" or isinstance(value, Op):
        return None if isinstance(value, str) else value
    name: Any = value
    given: Any = {}
    if isinstance(value, dict) and len(value) == 1:
        name, given = next(iter(value.items()))
    if name not in _NORMS or not isinstance(given, dict):
        message = "should be one of `batch`, `layer`, `group`, `none`, or {batch: {...}}"
        raise PydanticCustomError("choice", message, {"choices": [*_NORMS, "none"]})
    return op_class(f"{name}_norm").model_validate(given, strict=True)


def _norm_class(name: str) -> type[Spec] | None:
    return op_class(f"{name}_norm") if name in _NORMS else None


def _plain_norm(value: Op | None) -> Any:
    if value is None:
        return "none"
    given = value.model_dump(exclude_unset=True)
    name = value.key.removesuffix("_norm")
    return {name: given} if given else name


Norm = Annotated[
    Any,
    Named(_norm_class),
    BeforeValidator(_norm),
    PlainSerializer(_plain_norm),
    WithJsonSchema(
        {
            "description": "batch | layer | group | none, or {batch: {epsilon: 0.001}}",
            "anyOf": [
                {"enum": ["batch", "layer", "group", "none", None]},
                {"type": "object", "minProperties": 1, "maxProperties": 1},
            ],
        }
    ),
]
"""A normalisation by name, or with its fields."""


def _act(value: Any) -> Activation | None:
    if value is None or value == "none" or isinstance(value, Activation):
        return None if isinstance(value, str) else value
    name: Any = value
    given: Any = {}
    if isinstance(value, dict) and len(value) == 1:
        name, given = next(iter(value.items()))
    if name not in FUNCTIONS or not isinstance(given, dict):
        message = "should be one of {names}, `none`, or {leaky_relu: {slope: 0.1}}"
        choices = [*FUNCTIONS, "none"]
        raise PydanticCustomError("choice", message, {"choices": choices, "names": listing(FUNCTIONS, 20)})
    return Activation.model_validate({"function": name, **given}, strict=True)


def _plain_act(value: Activation | None) -> Any:
    if value is None:
        return "none"
    given = value.model_dump(exclude_unset=True)
    name = given.pop("function")
    return {name: given} if given else name


Act = Annotated[
    Any,
    Named(lambda name: Activation),
    BeforeValidator(_act),
    PlainSerializer(_plain_act),
    WithJsonSchema(
        {
            "description": "an activation by name, or with its fields: {leaky_relu: {slope: 0.1}}",
            "anyOf": [
                {"type": ["string", "null"]},
                {"type": "object", "minProperties": 1, "maxProperties": 1},
            ],
        }
    ),
]
"""An activation by name, or with its fields; `none` for none."""

Order = Literal["weight_norm_act", "norm_act_weight", "act_weight_norm"]
"""The order of the weighted op, the normalisation and the activation."""


def bias_by_default(norm: Op | None) -> bool:
    """Whether a layer has a bias where the spec does not say: not beside a batch norm, which takes it away again."""
    return norm is None or norm.key != "batch_norm"


def weighted(build: Builder, op: Op, x: Value, *, norm: Op | None, act: Activation | None, order: Order) -> Value:
    """The weighted `op` with a normalisation and an activation around it, in the order said.

    The op takes the block's own path, so that its weights keep their names whatever stands around it.
    """
    for part in order.split("_"):
        if part == "weight":
            x = build(op, x)
        elif part == "norm" and norm is not None:
            x = build(norm, x, id="norm")
        elif part == "act" and act is not None:
            x = build(act, x, id="act")
    return x
