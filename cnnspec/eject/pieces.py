"""What an op becomes in a Python file: how its module is made, and how it is called."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from cnnspec.fields import INITIALIZERS, Initializer, Padding
from cnnspec.graph import Node
from cnnspec.ops.base import Parameter
from cnnspec.types import TensorType


class Code(str):
    """A name that is written as it stands; where it is not imported, `definition` says what it is."""

    definition: str

    def __new__(cls, name: str, definition: str = "") -> Code:
        made = super().__new__(cls, name)
        made.definition = definition
        return made


@dataclass(frozen=True)
class Argument:
    """A value that a module is made with: literal where it is the same everywhere, else an argument of its class.

    Two of one `kind` that are always equal become one argument. One that equals `default` is left out.
    """

    name: str
    value: Any
    kind: str = ""
    keyword: bool = True
    default: Any = None

    @property
    def group(self) -> str:
        return self.kind or self.name


def features(name: str, value: int) -> Argument:
    """A number of channels, as a positional argument."""
    return Argument(name, value, "features", keyword=False)


@dataclass(frozen=True)
class Piece:
    """An op in Python.

    `use` is an expression in which `{self}` is the module and `{0}`, `{1}`, ... are the inputs; `make` is the class of
    the module, empty where the op needs none; `helpers` names functions and classes of `cnnspec.eject.helpers`.
    """

    use: str
    make: str = ""
    arguments: tuple[Argument, ...] = ()
    helpers: tuple[str, ...] = ()


def module(make: str, *arguments: Argument, use: str = "{self}({0})", helper: bool = False) -> Piece:
    """A piece with a module; `helper` says that its class is one of `cnnspec.eject.helpers`."""
    return Piece(use, make, arguments, (make,) if helper else ())


def call(function: str, *arguments: str, helper: bool = False) -> Piece:
    """A piece that calls a function on its input; arguments are written as they stand."""
    return Piece(f"{function}({', '.join(('{0}', *arguments))})", helpers=(function,) if helper else ())


Rule = Callable[[Any, tuple[TensorType, ...], Node], Piece]


@cache
def rule(key: str) -> Rule:
    """The rule for the op called `key`: `piece(op, input types, node)` of a file of `rules/`."""
    found: Rule = import_module(f"cnnspec.eject.rules.{key}").piece
    return found


def literal(value: Any) -> str:
    """A value as Python writes it, with double quotes."""
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        inner = ", ".join(literal(item) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)


def one_or_pair(value: tuple[int, int]) -> int | tuple[int, int]:
    """A pair as one number where both are the same."""
    return value[0] if value[0] == value[1] else value


def padding(value: Padding, kernel: tuple[int, int], dilation: tuple[int, int]) -> Any:
    """Padding as Flax takes it: a name, a number, or pixels on every side."""
    if value.rule in ("same", "valid"):
        return value.rule.upper()
    sides = value.resolve((1, 1), kernel, (1, 1), dilation)
    return sides[0][0] if len({*sides[0], *sides[1]}) == 1 else sides


#: What Flax's own layers begin with, by the name that a spec would use.
_FLAX_DEFAULTS = {"kernel_init": "lecun_normal", "bias_init": "zeros", "scale_init": "ones"}
_IMPORTED = ("lecun_normal", "ones", "zeros")


def initial(name: str, parameter: Parameter | None, groups: int = 1) -> tuple[Argument, ...]:
    """How a parameter begins; nothing where Flax begins it so by itself, or where there is none."""
    if parameter is None:
        return ()
    init = parameter.init
    numbers = [value for key, value in init.arguments if value != INITIALIZERS[init.name][key]]
    definition = _definition(init, parameter, groups)
    words = [init.name, *(str(value) for value in numbers)]
    if groups > 1 and "fan_out" in map(str, numbers):
        words.append(f"of_{parameter.fan_out}")
    code = Code(re.sub(r"\W", "_", "_".join(words)), "" if definition in _IMPORTED else definition)
    return (Argument(name, code, default=_FLAX_DEFAULTS[name]),)


def _definition(init: Initializer, parameter: Parameter, groups: int) -> str:
    """The initialiser in `nnx.initializers`."""
    given = dict(init.arguments)
    where = "nnx.initializers"
    match init.name:
        case "zeros" | "ones" | "signs":
            return init.name
        case "constant":
            return f"{where}.constant({given['value']!r})"
        case "normal" | "truncated_normal":
            made = f"{where}.{init.name}({given['stddev']!r})"
            return made if not given["mean"] else f"shifted({made}, {given['mean']!r})"
        case "uniform":
            made = f"{where}.uniform({given['high'] - given['low']!r})"
            return f"shifted({made}, {given['low']!r})" if given["low"] else made
        case "variance_scaling":
            scale, mode, distribution = given["scale"], given["mode"], given["distribution"]
        case name:
            scale, mode = 2.0 if name.startswith("he") else 1.0, given["mode"]
            distribution = "uniform" if name.endswith("uniform") else "truncated_normal"
            if mode == INITIALIZERS[name]["mode"] and (groups == 1 or mode == "fan_in"):
                return name if name in _IMPORTED else f"{where}.{name}()"
    if groups > 1 and mode == "fan_out" and distribution == "truncated_normal":
        # Flax would count the filters of all groups; it cuts off at two standard deviations, and so does the divisor.
        return f"{where}.truncated_normal({(scale / parameter.fan_out) ** 0.5 / 0.87962566:.6g})"
    return f'{where}.variance_scaling({scale!r}, "{mode}", "{distribution}")'
