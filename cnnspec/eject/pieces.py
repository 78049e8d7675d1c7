"""What an op becomes in a Python file: how its module is made, and how it is called."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from cnnspec.fields import INITIALIZERS, Initializer, Padding
from cnnspec.graph import Node
from cnnspec.ops.base import Parameter
from cnnspec.types import TensorType


class Code(str):
    """A name that is written as it stands; `definition` says what it is, where it is no helper."""

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


def rule(key: str) -> Rule | None:
    """The rule for the op called `key`: `piece(op, input types, node)` of a file of `rules/`; `None` without one."""
    try:
        found: Rule = import_module(f"cnnspec.eject.rules.{key}").piece
    except ModuleNotFoundError:
        return None
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
    sides = value.resolve((1, 1), kernel, (1, 1), dilation)
    if kernel == (1, 1) and sides == ((0, 0), (0, 0)):
        return "SAME"  # nothing to pad, by any rule
    if value.rule in ("same", "valid"):
        return value.rule.upper()
    return sides[0][0] if len({*sides[0], *sides[1]}) == 1 else sides


#: What Flax's own layers begin with, by the name that a spec would use.
_FLAX_DEFAULTS = {"kernel_init": "lecun_normal", "bias_init": "zeros", "scale_init": "ones"}


def initial(name: str, parameter: Parameter | None, groups: int = 1) -> tuple[Argument, ...]:
    """How a parameter begins; nothing where Flax begins it so by itself, or where there is none."""
    if parameter is None:
        return ()
    init = parameter.init
    numbers = [value for key, value in init.arguments if value != INITIALIZERS[init.name][key]]
    definition = _definition(init, parameter, groups)
    words = [init.name, *(str(value) for value in numbers)]
    mode = dict(init.arguments).get("mode")
    if mode is not None and not _flax_counts(parameter, groups, mode):
        words.append(f"of_{_fan(parameter, mode):g}")
    code = Code(re.sub(r"\W", "_", "_".join(words)), definition)
    return (Argument(name, code, default=_FLAX_DEFAULTS[name]),)


def _definition(init: Initializer, parameter: Parameter, groups: int) -> str:
    """The initialiser in `nnx.initializers`; empty for one of our helpers."""
    given = dict(init.arguments)
    where = "nnx.initializers"
    match init.name:
        case "signs":
            return ""
        case "zeros" | "ones":
            return f"{where}.{init.name}_init()"
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
            if mode == INITIALIZERS[name]["mode"] and _flax_counts(parameter, groups, mode):
                return f"{where}.{name}()"
    if _flax_counts(parameter, groups, mode):
        return f'{where}.variance_scaling({scale!r}, "{mode}", "{distribution}")'
    deviation = (scale / _fan(parameter, mode)) ** 0.5
    if distribution == "uniform":
        return f"shifted({where}.uniform({2 * 3**0.5 * deviation:.6g}), {-(3**0.5) * deviation:.6g})"
    cut = 0.87962566 if distribution == "truncated_normal" else 1  # what cutting off at two deviations leaves of one
    return f"{where}.{distribution}({deviation / cut:.6g})"


def _flax_counts(parameter: Parameter, groups: int, mode: str) -> bool:
    """Whether Flax finds the fans from the shape: for a bias it does not, and it counts the filters of all groups."""
    return len(parameter.shape) > 1 and (groups == 1 or mode == "fan_in")


def _fan(parameter: Parameter, mode: str) -> float:
    mean = (parameter.fan_in + parameter.fan_out) / 2
    return {"fan_in": parameter.fan_in, "fan_out": parameter.fan_out}.get(mode, mean)
