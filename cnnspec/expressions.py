"""Expressions in a spec: `"${filters * 4}"`, or `$filters` for a plain name.

A whitelisted part of Python's expression syntax, compiled once to closures: numbers, text, lists, arithmetic,
comparison, `and`/`or`/`not`, `a if c else b`, indexing, slices, attributes of shapes, and a few functions. Nothing is
ever handed to `eval`, and every size is bounded, so that no expression can hang or exhaust a machine.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cnnspec.diagnostics import Problem, did_you_mean, listing
from cnnspec.types import TensorType

MOST_CHARACTERS = 2_000
MOST_PARTS = 200
MOST_NUMBER = 10**18
MOST_ELEMENTS = 10_000

Scope = Mapping[str, Any]
_Closure = Callable[[Scope], Any]

_NAME = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)")
_SHAPE_ATTRIBUTES = ("height", "width", "channels", "rank", "size", "shape")


def round_to(value: float, divisor: int, not_below: float = 0.9) -> int:
    """`value` rounded to a multiple of `divisor`, at least one of them, and not below that fraction of `value`.

    **Source**: the rule of MobileNet v2 and EfficientNet (`make_divisible`).
    """
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < not_below * value else rounded


def _linspace(start: float, stop: float, count: int) -> list[float]:
    if count > MOST_ELEMENTS:
        raise ValueError("too many elements")
    return [start + (stop - start) * i / max(count - 1, 1) for i in range(count)]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min, "max": max, "round": round, "ceil": math.ceil, "floor": math.floor, "abs": abs, "len": len, "sum": sum,
    "sqrt": math.sqrt, "log2": math.log2, "int": int, "float": float, "str": str, "bool": bool, "round_to": round_to,
    "linspace": _linspace,
}  # fmt: skip
_CONSTANTS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None, "pi": math.pi}


@dataclass(frozen=True)
class Template:
    """A text with expressions in it; wholly one expression, it keeps the type of its value."""

    parts: tuple[str | tuple[str, _Closure], ...]
    names: frozenset[str]

    def evaluate(self, scope: Scope) -> Any:
        """Its value; raises `Problem` (E402, E403, E404)."""
        if len(self.parts) == 1 and not isinstance(self.parts[0], str):
            return _run(*self.parts[0], scope)
        pieces = [part if isinstance(part, str) else str(_run(*part, scope)) for part in self.parts]
        return "".join(pieces)

    def explain(self, scope: Scope) -> str:
        """The expression with the value of each name beside it: `filters 64 * expansion 4`."""

        def show(match: re.Match[str]) -> str:
            word = match[0]
            value = scope.get(word)
            plain_value = isinstance(value, int | float | str) and not isinstance(value, bool)
            return f"{word} {value}" if plain_value and word not in FUNCTIONS else word

        shown = [
            part if isinstance(part, str) else re.sub(r"(?<![\w.\"'])[A-Za-z_]\w*(?![\w.\[(\"'])", show, part[0])
            for part in self.parts
        ]
        return "".join(shown)


@lru_cache(maxsize=4096)
def parse_template(text: str) -> Template | None:
    """The template of a text, or `None` where it holds no expression; raises `Problem` (E401, E404)."""
    if "$" not in text:
        return None
    parts: list[str | tuple[str, _Closure]] = []
    names: set[str] = set()
    position = 0
    literal = ""
    while position < len(text):
        if text.startswith("$$", position):
            literal, position = literal + "$", position + 2
            continue
        if text.startswith("${", position):
            end = _closing(text, position + 2)
            source, position = text[position + 2 : end], end + 1
        elif match := _NAME.match(text, position):
            source, position = match[1], match.end()
        else:
            literal, position = literal + text[position], position + 1
            continue
        if literal:
            parts.append(literal)
            literal = ""
        parts.append((source.strip(), _compile(source, names)))
    if literal or not parts:
        parts.append(literal)
    return Template(tuple(parts), frozenset(names))


def _closing(text: str, start: int) -> int:
    """Where the `}` of an expression stands."""
    depth, quote = 0, ""
    for index in range(start, len(text)):
        character = text[index]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "{":
            depth += 1
        elif character == "}":
            if depth == 0:
                return index
            depth -= 1
    raise Problem("E401", f"`{text[start - 2 :][:60]}` is not closed", "end the expression with `}`")


def _run(text: str, closure: _Closure, scope: Scope) -> Any:
    try:
        return closure(scope)
    except Problem:
        raise
    except (ArithmeticError, TypeError, ValueError, IndexError, KeyError, AttributeError, RecursionError) as error:
        reason = "division by zero" if isinstance(error, ZeroDivisionError) else str(error).strip("'\"")
        raise Problem("E403", f"`{text}` cannot be evaluated: {reason}", "check the values of its names") from None


def _compile(source: str, names: set[str]) -> _Closure:
    if len(source) > MOST_CHARACTERS:
        raise Problem("E404", f"the expression is longer than {MOST_CHARACTERS:,} characters", "split it into params")
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deep"
        raise Problem("E401", f"`{source.strip()}` is not an expression: {reason}",
                      "arithmetic, comparison, `a if c else b`, indexing and functions are known") from None  # fmt: skip
    if sum(1 for _ in ast.walk(tree)) > MOST_PARTS:
        raise Problem("E404", f"the expression has more than {MOST_PARTS} parts", "split it into params")
    return _closure(tree.body, names)


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MOST_NUMBER:
        raise Problem("E404", f"a number larger than {MOST_NUMBER:.0e} appears", "check the expression")
    if isinstance(value, float) and not math.isfinite(value):
        raise Problem("E404", "a number too large for arithmetic appears", "check the expression")
    if isinstance(value, str | list | tuple) and len(value) > MOST_ELEMENTS:
        raise Problem("E404", f"a value of more than {MOST_ELEMENTS:,} elements appears", "check the expression")
    return value


def _arithmetic(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(left: Any, right: Any) -> Any:
        for value in (left, right):
            if not isinstance(value, int | float):
                raise TypeError(f"{_show(value)} is not a number")
        return _bounded(function(left, right))

    return apply


def _add(left: Any, right: Any) -> Any:
    if type(left) is type(right) and isinstance(left, str | list | tuple):
        return _bounded(left + right)
    return _arithmetic(operator.add)(left, right)


def _power(left: Any, right: Any) -> Any:
    for value in (left, right):
        if not isinstance(value, int | float):
            raise TypeError(f"{_show(value)} is not a number")
    if abs(right) > 64:
        raise Problem("E404", f"the power {right} is too large", "use one of at most 64")
    result = left**right
    if isinstance(result, complex):
        raise ValueError("the root of a negative number")
    return _bounded(result)


def _contains(left: Any, right: Any) -> bool:
    if not isinstance(right, str | list | tuple):
        raise TypeError(f"{_show(right)} is not a list")
    return left in right


_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: _add, ast.Sub: _arithmetic(operator.sub), ast.Mult: _arithmetic(operator.mul),
    ast.Div: _arithmetic(operator.truediv), ast.FloorDiv: _arithmetic(operator.floordiv),
    ast.Mod: _arithmetic(operator.mod), ast.Pow: _power,
}  # fmt: skip
_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.In: _contains, ast.NotIn: lambda a, b: not _contains(a, b),
}  # fmt: skip
_UNARY: dict[type, Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_}


def _show(value: Any) -> str:
    return f"`{value.plain}`" if isinstance(value, TensorType) else f"`{str(value)[:40]}`"


def _closure(node: ast.expr, names: set[str]) -> _Closure:
    """The function that computes one part of an expression."""

    def inner(part: ast.expr) -> _Closure:
        return _closure(part, names)

    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as value):
            _bounded(value)
            return lambda scope: value
        case ast.Name(id=name):
            return _name(name, names)
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            parts = [inner(e) for e in elements]
            return lambda scope: [part(scope) for part in parts]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            unary, value_of = _UNARY[type(op)], inner(operand)
            return lambda scope: unary(value_of(scope))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            binary, left_of, right_of = _BINARY[type(op)], inner(left), inner(right)
            return lambda scope: binary(left_of(scope), right_of(scope))
        case ast.BoolOp(op=op, values=values):
            operands, both = [inner(v) for v in values], isinstance(op, ast.And)
            return lambda scope: _logic(operands, both, scope)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(o) in _COMPARE for o in ops):
            terms, tests = [inner(left), *map(inner, others)], [_COMPARE[type(o)] for o in ops]
            return lambda scope: _compare([t(scope) for t in terms], tests)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            test_of, then_of, else_of = inner(test), inner(body), inner(orelse)
            return lambda scope: then_of(scope) if test_of(scope) else else_of(scope)
        case ast.Attribute(value=owner, attr=attribute):
            owner_of = inner(owner)
            return lambda scope: _attribute(owner_of(scope), attribute, ast.unparse(owner))
        case ast.Subscript(value=owner, slice=index):
            owner_of, index_of = inner(owner), _index(index, names)
            return lambda scope: _item(owner_of(scope), index_of(scope))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=keywords) if name in FUNCTIONS:
            function, of = FUNCTIONS[name], [inner(a) for a in arguments]
            named = {k.arg: inner(k.value) for k in keywords if k.arg is not None}
            return lambda scope: _bounded(function(*[a(scope) for a in of], **{k: v(scope) for k, v in named.items()}))
        case ast.Call(func=ast.Name(id=name)):
            raise Problem(
                "E402",
                f"there is no function `{name}`",
                did_you_mean(name, FUNCTIONS) or f"there are {listing(FUNCTIONS, 20)}",
            )
        case _:
            raise Problem("E401", f"`{ast.unparse(node)[:60]}` is not allowed in an expression",
                          "arithmetic, comparison, `a if c else b`, indexing and functions are known")  # fmt: skip


def _name(name: str, names: set[str]) -> _Closure:
    names.add(name)

    def look_up(scope: Scope) -> Any:
        if name in scope:
            value = scope[name]
            if value is None and name in ("input", "incoming"):
                raise Problem("E403", f"`{name}` has no type here", "there is no single input before this node")
            return value
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        hint = did_you_mean(name, scope) or f"known here: {listing(scope, 20) or 'nothing'}"
        raise Problem("E402", f"there is no `{name}` here", hint)

    return look_up


def _index(node: ast.expr, names: set[str]) -> _Closure:
    if isinstance(node, ast.Slice):
        bounds = [None if b is None else _closure(b, names) for b in (node.lower, node.upper, node.step)]
        return lambda scope: slice(*[None if b is None else b(scope) for b in bounds])
    return _closure(node, names)


def _logic(operands: list[_Closure], both: bool, scope: Scope) -> Any:
    value: Any = both
    for operand in operands:
        value = operand(scope)
        if bool(value) is not both:
            return value
    return value


def _compare(values: list[Any], tests: list[Callable[[Any, Any], Any]]) -> bool:
    return all(test(a, b) for test, a, b in zip(tests, values, values[1:], strict=False))


def _attribute(owner: Any, name: str, text: str) -> Any:
    if isinstance(owner, TensorType):
        if name in ("height", "width") and owner.rank != 3:
            raise TypeError(f"`{text}` is {owner.plain} and has no {name}")
        if name in _SHAPE_ATTRIBUTES and (owner.rank or name != "channels"):
            value = getattr(owner, name)
            return list(value) if isinstance(value, tuple) else value
        raise Problem(
            "E402",
            f"`{text}` has no `{name}`",
            did_you_mean(name, _SHAPE_ATTRIBUTES) or f"it has {listing(_SHAPE_ATTRIBUTES)}",
        )
    if isinstance(owner, dict) and name in owner:
        return owner[name]
    raise TypeError(f"{_show(owner)} has no `{name}`")


def _item(owner: Any, index: Any) -> Any:
    if not isinstance(owner, list | tuple | dict | str):
        raise TypeError(f"{_show(owner)} is not a list")
    if isinstance(owner, list | tuple) and isinstance(index, int) and not -len(owner) <= index < len(owner):
        raise IndexError(f"there is no element {index} in a list of {len(owner)}")
    return owner[index]
