"""From a text to its tree, without recursion: what YAML has and the language has not is refused on the way.

The events come from PyYAML (libyaml where it is there).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import yaml

from cnnspec.diagnostics import Diagnostic, Label, Report, Source, Span
from cnnspec.source.scalars import resolve_scalar
from cnnspec.source.syntax import syntax_error
from cnnspec.source.tree import UNREADABLE, Entry, Mapping, Scalar, Sequence, Tree

MOST_DEPTH = 64
MOST_VALUES = 100_000

_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)
_NO_TEXT = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAG = "tag:yaml.org,2002:"


def parse(source: Source, report: Report) -> Tree | None:
    """The tree of a text; `None` after reporting where there is none to be had."""
    tree, found = _parsed(source)
    report.extend(found)
    return tree


@lru_cache(maxsize=128)
def _parsed(source: Source) -> tuple[Tree | None, tuple[Diagnostic, ...]]:
    """The tree, and what there is to report; remembered, since many specs extend the same ones."""
    report = Report()
    bad = _NO_TEXT.search(source.text)
    if bad is None:
        return _Builder(source, report).build(), tuple(report)
    span = source.span(bad.start(), bad.end())
    report.error("E002", f"the control character U+{ord(bad[0]):04X} has no place in YAML", span, "delete it")
    return None, tuple(report)


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end is not reached yet."""

    start: int
    mapping: bool
    flow: bool
    items: list[Tree] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: tuple[str, Span] | None = None
    #: Set where a key is refused, so that its value is still read, and dropped.
    skip: bool = False
    #: Set where the refused key is `<<`, whose alias need not be refused as well.
    merge: bool = False
    incomplete: bool = False


class _Builder:
    """One text becoming one tree."""

    def __init__(self, source: Source, report: Report) -> None:
        self.source = source
        self.report = report
        self.stack: list[_Open] = []
        self.roots: list[Tree] = []
        self.values = 0
        #: Where the last value ended: there a list or mapping without brackets ends as well.
        self.last = 0

    def build(self) -> Tree | None:
        take = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._begin,
            yaml.SequenceStartEvent: self._begin,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
        }
        try:
            for event in self._events():
                method = take.get(type(event))
                if method is not None and not method(event):
                    return None
        except yaml.YAMLError as error:
            self.report.add(syntax_error(self.source, error))
            return None
        except RecursionError:
            self.report.error("E006", f"nested more than {MOST_DEPTH} deep")
            return None
        if not self.roots:
            span = self.source.span(0, 1)
            self.report.error("E003", "the file is empty", span, "`cnnspec new` writes a starter")
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

    # --- events: each is taken up, and says whether going on makes sense -----------------------------------

    def _scalar(self, event: Any) -> bool:
        begin, end = event.start_mark.index, event.end_mark.index
        if event.style in ("|", ">"):  # the line breaks behind it are no part of it
            end = begin + len(self.source.text[begin:end].rstrip())
        self.last = end
        span = self.source.span(begin, end)
        plain_style = not event.style
        readable = self._properties(event, span)
        value = resolve_scalar(event.value) if plain_style else event.value
        return self._put(Scalar(value if readable else UNREADABLE, span), event.value, plain_style)

    def _begin(self, event: Any) -> bool:
        start = event.start_mark.index
        self._properties(event, self.source.span(start, event.end_mark.index))
        if len(self.stack) >= MOST_DEPTH:
            span = self.source.span(start, start + 1)
            self.report.error("E006", f"nested more than {MOST_DEPTH} deep", span, "move parts into `blocks:`")
            return False
        self.stack.append(_Open(start, type(event) is yaml.MappingStartEvent, bool(event.flow_style)))
        return True

    def _end(self, event: Any) -> bool:
        done = self.stack.pop()
        if done.flow:
            self.last = event.end_mark.index
        span = self.source.span(done.start, self.last)
        if done.mapping:
            return self._put(Mapping(done.entries, span, done.incomplete))
        return self._put(Sequence(tuple(done.items), span))

    def _alias(self, event: Any) -> bool:
        self.last = event.end_mark.index
        span = self.source.span(event.start_mark.index, self.last)
        if not (self.stack and self.stack[-1].merge):
            self._refuse(f"the alias `*{event.anchor}`", span)
        return self._put(Scalar(UNREADABLE, span))

    # --- where a value goes --------------------------------------------------------------------------------

    def _put(self, tree: Tree, text: str | None = None, plain_style: bool = False) -> bool:
        self.values += 1
        if self.values > MOST_VALUES:
            self.report.error("E006", f"the file has more than {MOST_VALUES:,} values, and no spec needs so many", tree.span,
                              "say what recurs once, with `repeat` or `blocks:`")  # fmt: skip
            return False
        if not self.stack:
            self.roots.append(tree)
            return True
        top = self.stack[-1]
        if not top.mapping:
            top.items.append(tree)
        elif top.skip:
            top.skip = top.merge = False
        elif top.key is None:
            self._key(top, tree, text, plain_style)
        else:
            name, span = top.key
            top.key = None
            first = top.entries.get(name)
            if first is None:
                top.entries[name] = Entry(span, tree)
            else:
                self.report.error("E004", f"the key `{name}` is used twice", span, "keep one of them",
                                  (Label("first used", first.key_span),))  # fmt: skip
        return True

    def _key(self, top: _Open, tree: Tree, text: str | None, plain_style: bool) -> None:
        if text == "<<" and plain_style:
            self._refuse("the merge key `<<`", tree.span)
            top.skip = top.merge = True
        elif isinstance(tree, Scalar) and text and tree.value is not UNREADABLE:
            # A key is a name, also where as a value it would be a number or a truth value.
            top.key = (text, tree.span)
        else:
            top.skip = True
            if not (isinstance(tree, Scalar) and tree.value is UNREADABLE):
                self.report.error("E007", "a key should be a plain word", tree.span, "write `name: value`")
        top.incomplete |= top.skip

    # --- what is refused -----------------------------------------------------------------------------------

    def _properties(self, event: Any, span: Span) -> bool:
        """Refuse an anchor or a tag; whether the value means what it would without."""
        if event.anchor is None and event.tag is None:
            return True
        if event.anchor is not None:
            self._refuse(f"the anchor `&{event.anchor}`", span)
        if event.tag is None or (type(event) is yaml.ScalarEvent and event.tag == "!" and event.style):
            return True
        shown = "!!" + event.tag.removeprefix(_TAG) if event.tag.startswith(_TAG) else event.tag
        self._refuse(f"the tag `{shown}`", span)
        return False

    def _refuse(self, what: str, span: Span) -> None:
        self.report.error("E005", f"{what} is not part of the language: a spec reads the same wherever you begin", span,
                          "to say something once, use `repeat`, `defaults` or a block of your own under `blocks:`")  # fmt: skip
