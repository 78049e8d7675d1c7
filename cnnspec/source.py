"""Strict YAML, as a tree in which every key and value knows its place.

The scalars are those of YAML 1.2's core schema (`1e-3` is a number, `on` is text, `010` is ten). Tags, anchors,
aliases and merge keys are refused, duplicate keys too, and size and depth are bounded, so that no file can hang or
exhaust a machine. The events come from PyYAML (libyaml where it is there); the tree is built without recursion.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cnnspec.diagnostics import Label, Report, Source, Span, did_you_mean

MOST_BYTES = 2**20
MOST_DEPTH = 64
MOST_VALUES = 200_000

_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A single value."""

    value: Value
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A value of a mapping, and where its key stands."""

    key_span: Span
    value: Tree


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """A list."""

    items: tuple[Tree, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """Keys and values, in the order written."""

    entries: dict[str, Entry]
    span: Span

    def get(self, key: str) -> Tree | None:
        """The value of `key`, if it is there."""
        entry = self.entries.get(key)
        return None if entry is None else entry.value


Tree = Scalar | Sequence | Mapping


def read(path: Path, report: Report) -> Source | None:
    """The text of a file; reports E001, E002 or E006 where it cannot be had."""
    name = str(path)
    try:
        if path.is_file() and path.stat().st_size > MOST_BYTES:
            report.error("E006", f"{name} is larger than {MOST_BYTES // 2**20} MiB, more than any spec needs")
            return None
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a file name"
        report.error("E001", f"cannot read {name}: {reason.lower()}", None, _nearby(path))
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        report.error("E002", f"{name} is not UTF-8 text: byte {error.start}, in line {line}", None, "save it as UTF-8")
        return None
    return Source(name, text)


def _nearby(path: Path) -> str:
    try:
        names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    except OSError:
        names = []
    near = did_you_mean(path.name, names)
    return near or "`cnnspec list` shows the specs of the zoo"


def parse(source: Source, report: Report) -> Tree | None:
    """The tree of a text; `None` after reporting where there is none to be had."""
    bad = re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", source.text)
    if bad is not None:
        line = source.text.count("\n", 0, bad.start()) + 1
        column = bad.start() - source.text.rfind("\n", 0, bad.start())
        span = Span(source, line, column, line, column + 1)
        report.error("E002", f"the control character U+{ord(bad[0]):04X} has no place in YAML", span, "delete it")
        return None
    return _Builder(source, report).build()


@dataclass
class _Open:
    """A list or mapping whose end is not reached yet."""

    start: Any
    mapping: bool
    items: list[Tree] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: tuple[str, Span] | None = None
    #: Filled instead of `entries` where the key is refused, so that its value is still read.
    skip: bool = False


class _Builder:
    """One text becoming one tree."""

    def __init__(self, source: Source, report: Report) -> None:
        self.source = source
        self.report = report
        self.stack: list[_Open] = []
        self.roots: list[Tree] = []

    def build(self) -> Tree | None:
        count = 0
        try:
            for event in self._events():
                count += 1
                if count > 2 * MOST_VALUES:
                    span = self._span(event.start_mark, event.end_mark)
                    self.report.error("E006", f"more than {MOST_VALUES:,} values, more than any spec needs", span)
                    return None
                if not self._take(event):
                    return None
        except yaml.YAMLError as error:
            self._syntax(error)
            return None
        except RecursionError:
            self.report.error("E006", f"nested more than {MOST_DEPTH} deep")
            return None
        if not self.roots:
            message = "the file is empty"
            self.report.error("E003", message, Span(self.source, 1, 1, 1, 2), "`cnnspec new` writes a starter")
            return None
        if len(self.roots) > 1:
            self.report.error("E006", "the file holds more than one document", self.roots[1].span,
                              "one file describes one network: delete from `---` on")  # fmt: skip
        return self.roots[0]

    def _events(self) -> Iterator[Any]:
        loader = _LOADER(self.source.text)
        try:
            while loader.check_event():
                yield loader.get_event()
        finally:
            loader.dispose()

    def _take(self, event: Any) -> bool:
        """Take up one event; false where going on makes no sense."""
        if isinstance(event, yaml.DocumentStartEvent) and self.roots:
            return True
        if isinstance(event, yaml.AliasEvent):
            span = self._span(event.start_mark, event.end_mark)
            self._refuse(f"the alias `*{event.anchor}`", span)
            self._put(Scalar(None, span))
        elif isinstance(event, yaml.ScalarEvent):
            span = self._span(event.start_mark, event.end_mark)
            self._properties(event)
            plain_style = not event.style
            self._put(
                Scalar(resolve_scalar(event.value) if plain_style else event.value, span), event.value, plain_style
            )
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            self._properties(event)
            if len(self.stack) >= MOST_DEPTH:
                span = self._span(event.start_mark, event.end_mark)
                self.report.error("E006", f"nested more than {MOST_DEPTH} deep", span, "move parts into `blocks:`")
                return False
            self.stack.append(_Open(event.start_mark, isinstance(event, yaml.MappingStartEvent)))
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            done = self.stack.pop()
            span = self._span(done.start, event.end_mark)
            tree: Tree = Mapping(done.entries, span) if done.mapping else Sequence(tuple(done.items), span)
            self._put(tree)
        return True

    def _put(self, tree: Tree, text: str | None = None, plain_style: bool = False) -> None:
        if not self.stack:
            self.roots.append(tree)
            return
        top = self.stack[-1]
        if not top.mapping:
            top.items.append(tree)
        elif top.key is None and not top.skip:
            self._key(top, tree, text, plain_style)
        elif top.skip:
            top.skip = False
        elif top.key is not None:
            name, span = top.key
            top.key = None
            first = top.entries.get(name)
            if first is not None:
                self.report.error("E004", f"the key `{name}` is used twice", span, "keep one of them",
                                  (Label("first used", first.key_span),))  # fmt: skip
            else:
                top.entries[name] = Entry(span, tree)

    def _key(self, top: _Open, tree: Tree, text: str | None, plain_style: bool) -> None:
        if text == "<<" and plain_style:
            self._refuse("the merge key `<<`", tree.span)
            top.skip = True
        elif isinstance(tree, Scalar) and text is not None and (isinstance(tree.value, str) or not plain_style):
            top.key = (text, tree.span)
        elif isinstance(tree, Scalar) and text is not None and text:
            # A key is a name, also where as a value it would be a number or a truth value.
            top.key = (text, tree.span)
        else:
            self.report.error("E007", "a key should be a plain word", tree.span,
                              "in flow style, quote an expression: {filters: \"${x}\"}")  # fmt: skip
            top.skip = True

    def _properties(self, event: Any) -> None:
        if event.anchor is not None:
            self._refuse(f"the anchor `&{event.anchor}`", self._span(event.start_mark, event.end_mark))
        if event.tag is not None and not (isinstance(event, yaml.ScalarEvent) and event.tag == "!" and event.style):
            self._refuse(f"the tag `{event.tag}`", self._span(event.start_mark, event.end_mark))

    def _refuse(self, what: str, span: Span) -> None:
        self.report.error("E005", f"{what} is not part of the language: a spec reads the same wherever you begin", span,
                          "to say something once, use `repeat`, `defaults` or a block of your own under `blocks:`")  # fmt: skip

    def _span(self, start: Any, end: Any) -> Span:
        end_line, end_column = end.line, end.column
        if end_line > start.line and end_column == 0:
            # A block ends where the next line begins; its last character stands before.
            text = self.source.text[: end.index].rstrip()
            end_line = text.count("\n")
            end_column = len(text) - text.rfind("\n") - 1
            if (end_line, end_column) <= (start.line, start.column):
                end_line, end_column = start.line, start.column + 1
        return Span(self.source, start.line + 1, start.column + 1, end_line + 1, end_column + 1)

    def _syntax(self, error: yaml.YAMLError) -> None:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        span = self._span(mark, mark) if mark is not None else None
        if span is not None:
            span = Span(self.source, span.line, span.column, span.line, span.column + 1)
        problem = str(getattr(error, "problem", None) or error).strip()
        context = getattr(error, "context", None)
        context_mark = getattr(error, "context_mark", None)
        labels: tuple[Label, ...] = ()
        if context and context_mark is not None:
            labels = (Label(str(context), self._span(context_mark, context_mark)),)
        hint = ""
        line = self.source.line(span.line) if span is not None else ""
        if "\t" in line[: len(line) - len(line.lstrip())]:
            hint = "indent with spaces, not with tabs"
        elif "${" in line or "${" in problem:
            hint = 'inside `{...}` or `[...]` quote an expression: "${...}", or write a plain name as $name'
        elif problem.startswith("mapping values are not allowed"):
            hint = "a `:` inside a value needs quotes; or the line is indented too far"
        elif "expected <block end>" in problem or "did not find expected" in problem:
            hint = "check the indentation, and that every bracket is closed"
        self.report.error("E003", f"not YAML: {problem}", span, hint, labels)


_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Value] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    ".nan": math.nan, ".NaN": math.nan, ".NAN": math.nan,
}  # fmt: skip
_WORDS |= {
    f"{sign}{word}": -math.inf if sign == "-" else math.inf
    for sign in ("", "+", "-")
    for word in (".inf", ".Inf", ".INF")
}


def resolve_scalar(text: str) -> Value:
    """The value of a plain scalar in YAML 1.2's core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-.":
        return text
    if len(text) > 400:
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEX.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def plain(tree: Tree) -> Any:
    """The tree as dicts, lists and values."""
    if isinstance(tree, Scalar):
        return tree.value
    if isinstance(tree, Sequence):
        return [plain(item) for item in tree.items]
    return {name: plain(entry.value) for name, entry in tree.entries.items()}


def tree_of(value: Any, span: Span) -> Tree:
    """Dicts, lists and values as a tree in which all stands at one place."""
    if isinstance(value, dict):
        return Mapping({str(name): Entry(span, tree_of(item, span)) for name, item in value.items()}, span)
    if isinstance(value, list | tuple):
        return Sequence(tuple(tree_of(item, span) for item in value), span)
    return Scalar(value, span)


# --- writing ------------------------------------------------------------------------------------------------------

_WIDTH = 116
_PLAIN = re.compile(r"[A-Za-z_/$][A-Za-z0-9_./$ ()+*x-]*")


def dump(value: Any) -> str:
    """YAML text that `parse` reads back as the same data; short lists and mappings stand on one line."""
    return "".join(f"{line}\n" for line in _block(value, 0))


def _block(value: Any, indent: int) -> list[str]:
    pad = " " * indent
    if isinstance(value, dict) and value:
        lines = []
        for name, item in value.items():
            key = _scalar(str(name))
            flow = _flow(item)
            nested = isinstance(item, dict | list | tuple) and item
            if nested and (_stands_apart(str(name), item) or len(pad) + len(key) + 2 + len(flow) > _WIDTH):
                lines.append(f"{pad}{key}:")
                lines += _block(item, indent + 2)
            else:
                lines.append(f"{pad}{key}: {flow}")
        return lines
    if isinstance(value, list | tuple) and value:
        lines = []
        for item in value:
            flow = _flow(item)
            if isinstance(item, dict | list | tuple) and item and len(pad) + 2 + len(flow) > _WIDTH:
                inner = _block(item, indent + 2)
                lines.append(f"{pad}- {inner[0][indent + 2 :]}")
                lines += inner[1:]
            else:
                lines.append(f"{pad}- {flow}")
        return lines
    return [pad + _flow(value)]


def _stands_apart(name: str, value: Any) -> bool:
    """Whether a value is clearer on lines of its own: the parts of a spec that are read line by line."""
    return name in ("layers", "edits", "blocks", "params", "defaults") and len(value) > 1


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(str(name))}: {_flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return ".nan"
        if math.isinf(value):
            return ".inf" if value > 0 else "-.inf"
        return repr(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and resolve_scalar(text) == text and text == text.strip() and "--" not in text:
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else _escape(c) for c in quoted) + '"'


def _escape(character: str) -> str:
    named = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    code = ord(character)
    return named.get(character) or (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )
