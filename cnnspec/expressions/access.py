"""Names, attributes and elements: how an expression reaches the values that there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnspec.diagnostics import Problem, did_you_mean, listing
from cnnspec.expressions.bounds import show
from cnnspec.expressions.functions import CONSTANTS, FUNCTIONS
from cnnspec.types import TensorType

#: What is asked of a shape.
SHAPE_ATTRIBUTES = ("height", "width", "channels", "rank", "size", "shape", "classes")

#: Known everywhere, and of no help in a list of what is known.
_EVERYWHERE = ("incoming", "scale")

Stretch = tuple[int, int]


class _Below:
    """What stands in a scope for a name that is declared, and only further below."""


BELOW = _Below()


def look_up(name: str, scope: Mapping[str, Any], stretch: Stretch | None) -> Any:
    """The value of a name; raises E402 where there is none."""
    if name in scope:
        value = scope[name]
        if value is BELOW:
            raise Problem(
                "E402", f"`{name}` has no value yet", "a param may use those declared above it", stretch=stretch
            )
        if value is None and name in ("input", "incoming"):
            raise Problem(
                "E403", f"`{name}` has no type here", "there is no single input before this node", stretch=stretch
            )
        return value
    if name in CONSTANTS:
        return CONSTANTS[name]
    if name in FUNCTIONS:
        raise Problem("E402", f"`{name}` is a function", f"give it its arguments: `{name}(...)`", stretch=stretch)
    known = [word for word, value in scope.items() if word not in _EVERYWHERE and value is not BELOW]
    hint = did_you_mean(name, known) or (f"known here: {listing(known, 20)}" if known else "declare it in `params:`")
    raise Problem("E402", f"there is no `{name}` here", hint, stretch=stretch)


def attribute(owner: Any, name: str, text: str, stretch: Stretch | None) -> Any:
    """What stands behind a `.`: of a shape its height, width and so on, or an entry of a mapping."""
    if isinstance(owner, TensorType):
        if name in ("height", "width") and owner.rank != 3:
            raise TypeError(f"`{text}` is {owner.plain} and has no {name}")
        known = _attributes_of(owner)
        if name in known:
            value = getattr(owner, name)
            return list(value) if isinstance(value, tuple) else value
        raise no_attribute(text, name, stretch, known)
    if isinstance(owner, dict) and name in owner:
        return owner[name]
    raise TypeError(f"{show(owner)} has no `{name}`")


def _attributes_of(shape: TensorType) -> tuple[str, ...]:
    """What can be asked of this shape: a label has classes and no channels, a vector no height."""
    has = {
        "height": shape.rank == 3,
        "width": shape.rank == 3,
        "channels": shape.rank > 0,
        "classes": shape.classes is not None,
    }
    return tuple(name for name in SHAPE_ATTRIBUTES if has.get(name, True))


def no_attribute(text: str, name: str, stretch: Stretch | None, known: tuple[str, ...] = SHAPE_ATTRIBUTES) -> Problem:
    """E402 for what a shape has not."""
    hint = did_you_mean(name, known) or f"it has {listing(known)}"
    return Problem("E402", f"`{text}` has no `{name}`", hint, stretch=stretch)


def item(owner: Any, index: Any) -> Any:
    """An element of a list or mapping, or a part of a list or text."""
    if isinstance(owner, TensorType):
        raise TypeError(f"{show(owner)} is a shape: write `.height`, `.width`, `.channels`, or `.shape[0]`")
    if not isinstance(owner, list | tuple | dict | str):
        raise TypeError(f"{show(owner)} is not a list")
    if isinstance(owner, list | tuple) and isinstance(index, int) and not -len(owner) <= index < len(owner):
        raise IndexError(f"there is no element {index} in a list of {len(owner)}")
    return owner[index]
