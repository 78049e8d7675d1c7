"""From the text of an expression to a function: a whitelisted part of Python's syntax, compiled once to closures."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from cnnspec.diagnostics import Problem, did_you_mean, listing
from cnnspec.expressions.access import SHAPE_ATTRIBUTES, Stretch, attribute, item, look_up, no_attribute
from cnnspec.expressions.bounds import BINARY, COMPARE, METER, MOST_CHARACTERS, MOST_PARTS, UNARY, bounded
from cnnspec.expressions.functions import FUNCTIONS, usage

Scope = Mapping[str, Any]
Closure = Callable[[Scope], Any]

_KNOWN = "arithmetic, comparison, `a if c else b`, indexing and functions are known"


def compile_expression(source: str, begin: int, names: set[str]) -> Closure:
    """The function that computes an expression, which begins at a position of its text; its names go into `names`."""
    if len(source) > MOST_CHARACTERS:
        raise Problem("E404", f"the expression is longer than {MOST_CHARACTERS:,} characters", "split it into params")
    text = source.strip()
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deep"
        raise Problem(
            "E401", f"`{text}` is not an expression: {reason}" if text else "the expression is empty", _KNOWN
        ) from None
    parts = sum(1 for _ in ast.walk(tree))
    if parts > MOST_PARTS:
        raise Problem("E404", f"the expression has more than {MOST_PARTS} parts", "split it into params")
    run = _Compiler(text, begin + len(source) - len(source.lstrip()), names).closure(tree.body)

    def measured(scope: Scope) -> Any:
        METER.spent += parts
        return run(scope)

    return measured


class _Compiler:
    """One expression becoming one function."""

    def __init__(self, text: str, begin: int, names: set[str]) -> None:
        self.text = text
        self.begin = begin
        self.names = names

    def stretch(self, node: ast.expr) -> Stretch | None:
        """Where a part stands in the text that the expression is in."""
        if node.end_col_offset is None or "\n" in self.text:
            return None
        data = self.text.encode()  # positions in the syntax tree count bytes
        start, end = (len(data[:offset].decode()) for offset in (node.col_offset, node.end_col_offset))
        return self.begin + start, self.begin + end

    def closure(self, node: ast.expr) -> Closure:
        """The function that computes one part of the expression."""
        inner, stretch = self.closure, self.stretch(node)
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None as value):
                bounded(value)
                return lambda scope: value
            case ast.Name(id=name):
                self.names.add(name)
                return lambda scope: look_up(name, scope, stretch)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                parts = [inner(e) for e in elements]
                return lambda scope: [part(scope) for part in parts]
            case ast.UnaryOp(op=op, operand=operand) if type(op) in UNARY:
                unary, value_of = UNARY[type(op)], inner(operand)
                return lambda scope: unary(value_of(scope))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                binary, left_of, right_of = BINARY[type(op)], inner(left), inner(right)
                return lambda scope: binary(left_of(scope), right_of(scope))
            case ast.BoolOp(op=op, values=values):
                operands, both = [inner(v) for v in values], isinstance(op, ast.And)
                return lambda scope: _logic(operands, both, scope)
            case ast.Compare(left=left, ops=ops, comparators=others) if all(type(o) in COMPARE for o in ops):
                terms, tests = [inner(left), *map(inner, others)], [COMPARE[type(o)] for o in ops]
                return lambda scope: _compare([t(scope) for t in terms], tests)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                test_of, then_of, else_of = inner(test), inner(body), inner(orelse)
                return lambda scope: then_of(scope) if test_of(scope) else else_of(scope)
            case ast.Attribute(value=owner, attr=name):
                owner_of, text = inner(owner), ast.unparse(owner)
                if text in ("input", "incoming") and name not in SHAPE_ATTRIBUTES:
                    raise no_attribute(text, name, stretch)
                return lambda scope: attribute(owner_of(scope), name, text, stretch)
            case ast.Subscript(value=owner, slice=index):
                owner_of, index_of = inner(owner), self.index(index)
                return lambda scope: item(owner_of(scope), index_of(scope))
            case ast.Call(func=ast.Name(id=name) as function, args=arguments, keywords=keywords):
                if name not in FUNCTIONS:
                    hint = did_you_mean(name, FUNCTIONS) or f"there are {listing(FUNCTIONS, 20)}"
                    raise Problem("E402", f"there is no function `{name}`", hint, stretch=self.stretch(function))
                if all(k.arg is not None for k in keywords) and not any(isinstance(a, ast.Starred) for a in arguments):
                    how = usage(name, len(arguments), [str(k.arg) for k in keywords])
                    if how:
                        raise Problem(
                            "E401", f"`{name}` does not take these arguments", f"write `{how}`", stretch=stretch
                        )
                    return self.call(name, arguments, {str(k.arg): k.value for k in keywords})
        shown = ast.unparse(node)
        raise Problem("E401", f"`{shown}` is not allowed in an expression", _KNOWN, stretch=stretch)

    def call(self, name: str, arguments: list[ast.expr], keywords: dict[str, ast.expr]) -> Closure:
        """The call of a function."""
        function, of = FUNCTIONS[name], [self.closure(a) for a in arguments]
        named = {word: self.closure(value) for word, value in keywords.items()}

        def run(scope: Scope) -> Any:
            values = [a(scope) for a in of]
            METER.spent += sum(len(v) for v in values if isinstance(v, list | tuple | str))
            result = function(*values, **{word: value(scope) for word, value in named.items()})
            METER.spent += len(result) if isinstance(result, list) else 0
            return bounded(result)

        return run

    def index(self, node: ast.expr) -> Closure:
        """What stands in brackets."""
        if isinstance(node, ast.Slice):
            bounds = [None if b is None else self.closure(b) for b in (node.lower, node.upper, node.step)]
            return lambda scope: slice(*[None if b is None else b(scope) for b in bounds])
        return self.closure(node)


def _logic(operands: list[Closure], both: bool, scope: Scope) -> Any:
    value: Any = both
    for operand in operands:
        value = operand(scope)
        if bool(value) is not both:
            return value
    return value


def _compare(values: list[Any], tests: list[Callable[[Any, Any], Any]]) -> bool:
    return all(test(a, b) for test, a, b in zip(tests, values, values[1:], strict=False))
