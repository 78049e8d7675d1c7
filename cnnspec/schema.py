"""The base of everything that is written in a spec: strict, frozen pydantic models.

An op or a block is one class in one file; the file's name is its key in the language (`ops/max_pool.py` holds
the op that a spec calls `max_pool`).
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class Spec(BaseModel):
    """A typed, immutable piece of a spec; unknown fields and wrong types are refused."""

    # Strictness (no text for a number, no 1 for true) is asked for where specs are read: here, Python code may say
    # `kernel=3` for what is normalised to a pair.
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)

    #: The word that stands for this class in a spec; equal to the name of its file.
    key: ClassVar[str] = ""
    #: The field that a bare value stands for: with `main = "rate"`, `dropout: 0.5` is `dropout: {rate: 0.5}`.
    main: ClassVar[str | None] = None
    #: Fields that the width factor of a scaling multiplies; one within a field is named `outer.inner`.
    width_fields: ClassVar[tuple[str, ...]] = ()
    #: Fields that the depth factor of a scaling multiplies.
    depth_fields: ClassVar[tuple[str, ...]] = ()
    #: Those of `width_fields` that the field `groups` has to divide.
    grouped_fields: ClassVar[tuple[str, ...]] = ()
    #: Probabilities: what they are makes no difference to shapes and counts, but for whether they are 1.
    chance_fields: ClassVar[tuple[str, ...]] = ()


def refuse(field: str, message: str, help: str) -> PydanticCustomError:
    """What a validator raises where a field contradicts another: a diagnostic E109 at that field.

    The message goes on from the name of the field: "`groups` of `conv` is there, and ...".
    """
    return PydanticCustomError("contradiction", "{text}", {"at": [field], "text": message, "help": help})


def either(spec: Spec, *fields: str) -> None:
    """Raise where more than one of the fields is given: they say the same thing in different ways."""
    given = [name for name in fields if name in spec.model_fields_set and getattr(spec, name) is not None]
    if len(given) > 1:
        raise refuse(given[1], f"stands beside `{given[0]}`, and only one of them counts", "keep one of them")
