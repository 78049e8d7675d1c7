"""Mistakes against YAML itself, in words that say what to do.

The reader of YAML says what it expected; what somebody did wrong is told from that and from the text around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cnnspec.diagnostics import Diagnostic, Label, Source


@dataclass(frozen=True)
class _Trouble:
    """Where the reader of YAML stopped: the text, the position, and where what it was reading began."""

    text: str
    position: int
    begin: int

    @property
    def here(self) -> str:
        return self.text[self.position : self.position + 1]

    @property
    def line(self) -> str:
        """The line up to the position."""
        return self.text[self.text.rfind("\n", 0, self.position) + 1 : self.position]

    @property
    def rest(self) -> str:
        """The line from the position on."""
        end = self.text.find("\n", self.position)
        return self.text[self.position : len(self.text) if end < 0 else end]

    @property
    def indent(self) -> int:
        return len(self.line)

    @property
    def indent_before(self) -> int:
        """The indentation of the last line above that is not empty."""
        above = self.text[: self.position].splitlines()[:-1]
        line = next((line for line in reversed(above) if line.strip()), "")
        return len(line) - len(line.lstrip(" "))

    @property
    def outer_indent(self) -> int:
        """The indentation of what was being read."""
        return self.begin - self.text.rfind("\n", 0, self.begin) - 1


@dataclass(frozen=True)
class _Found:
    """What to say: the message, where, the help, and what the place where it began is called."""

    message: str
    position: int
    help: str
    label: str = ""
    code: str = "E003"


def syntax_error(source: Source, error: Any) -> Diagnostic:
    """The diagnostic for an error of the reader of YAML."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", None) or error).strip()
    if mark is None:
        return Diagnostic("E003", f"not YAML: {problem}")
    context = getattr(error, "context_mark", None) or mark
    trouble = _Trouble(source.text, mark.index, context.index)
    found = _found(problem, str(getattr(error, "context", "")), trouble)
    labels: tuple[Label, ...] = ()
    if found.label:
        other = trouble.begin if found.position != trouble.begin else trouble.position
        labels = (Label(found.label, source.span(other, other + 1)),)
    return Diagnostic(found.code, found.message, source.span(found.position, found.position + 1), found.help, labels)


def _found(problem: str, context: str, trouble: _Trouble) -> _Found:
    expression = _bare_expression(trouble)
    if expression is not None:
        return expression
    for words, explain in _TABLE:
        if re.search(words, problem):
            found = explain(trouble)
            if found is not None:
                return found
    return _Found(f"not YAML: {problem}", trouble.position, "check the indentation, and that every bracket is closed",
                  context if trouble.begin != trouble.position else "")  # fmt: skip


def _bare_expression(t: _Trouble) -> _Found | None:
    """`${...}` without quotes where braces mean a mapping, or with a `: ` in it."""
    begin = t.line.rfind("${") if "${" in t.line else len(t.line) - 1 if t.line.endswith("$") and t.here == "{" else -1
    if begin < 0 or t.line[:begin].count('"') % 2:
        return None
    position = t.position - len(t.line) + begin
    match = re.match(r"\$\{([^}\n]*)\}", t.text[position:])
    quoted = f'`"{match[0]}"`' if match else '`"${...}"`'
    plain = f"${match[1]}" if match and match[1].isidentifier() else "$name"
    return _Found("an expression needs quotes here", position, f"write {quoted}, or for a plain name `{plain}`")


def _bracket(t: _Trouble) -> _Found | None:
    opening = t.text[t.begin : t.begin + 1]
    closing = {"{": "}", "[": "]"}.get(opening)
    if closing is None:
        return None
    if t.here in ("}", "]"):
        return _Found(
            f"a `{t.here}` closes what `{opening}` opened", t.position, f"write `{closing}`", f"`{opening}` opened here"
        )
    if closing in t.rest and "\n" not in t.text[t.begin : t.position]:
        return _Found("a `,` is missing before this, or the value needs quotes", t.position,
                      f"within `{opening}{closing}` a `,` ends a value", f"`{opening}` opened here")  # fmt: skip
    return _Found(f"the `{opening}` is not closed", t.begin, f"add `{closing}`", "expected before this")


def _indentation(t: _Trouble) -> _Found | None:
    if t.here in ("}", "]"):
        return _Found(f"a `{t.here}` closes nothing", t.position, "delete it, or open it with `{` or `[`")
    if t.line.strip(" "):
        return _Found("there is something behind the end of a value", t.position, "put the whole value in quotes")
    if t.indent != t.outer_indent:
        levels = sorted({t.outer_indent, t.indent_before} - {t.indent})
        return _Found(f"this line is indented by {t.indent}, and the lines around it by {' and '.join(map(str, levels))}", t.position,
                      f"indent it by {' or '.join(map(str, levels))}")  # fmt: skip
    if t.here == "-":
        return _Found("an item of a list stands among the keys of a mapping", t.position, "indent it below its key")
    return _Found(
        "a key stands among the items of a list", t.position, "begin the line with `- `", "the list begins here"
    )


def _tab(t: _Trouble) -> _Found | None:
    tab = t.line.find("\t") if not t.line.strip() else -1
    if t.here != "\t" and tab < 0:
        return None
    position = t.position if tab < 0 else t.position - len(t.line) + tab
    return _Found("a tab indents this line", position, "indent with spaces")


def _cannot_begin(t: _Trouble) -> _Found | None:
    word = re.match(r"[^\s,}\]]*", t.rest)
    return _Found(
        f"a value cannot begin with `{t.here}`", t.position, f'put it in quotes: "{word[0] if word else t.here}"'
    )


def _second_colon(t: _Trouble) -> _Found | None:
    return _Found("a second `:` in one value", t.position,
                  "put the value in quotes; or, if this is a key of its own, check its indentation")  # fmt: skip


def _no_colon(t: _Trouble) -> _Found | None:
    word = re.match(r"[^\n]*", t.text[t.begin :])
    return _Found(f"`{word[0].strip() if word else ''}` is neither `name: value` nor an item of a list", t.begin,
                  "add the `:` and a space behind the name, or begin with `- `")  # fmt: skip


def _open_quote(t: _Trouble) -> _Found | None:
    quote = t.text[t.begin : t.begin + 1]
    return _Found(f"the text that begins here has no closing `{quote}`", t.begin, f"close it with `{quote}`")


def _escape(t: _Trouble) -> _Found | None:
    at = t.position if t.here == "\\" else t.position - 1
    return _Found(f"`{t.text[at : at + 2]}` means nothing in a text with double quotes", at,
                  "double the backslash, or use single quotes")  # fmt: skip


def _nothing(t: _Trouble) -> _Found | None:
    opening = _last_open(t.text)
    if not t.text[t.position :].strip() and opening is not None:
        bracket = t.text[opening]
        return _Found(f"the `{bracket}` is not closed", opening, f"add `{']' if bracket == '[' else '}'}`")
    what = f"before `{t.here}`" if t.here.strip() else "here"
    return _Found(f"a value is missing {what}", t.position, "write one, or `null` for none")


def _last_open(text: str) -> int | None:
    """Where the last bracket is that nothing closes."""
    closed = 0
    for position in range(len(text) - 1, -1, -1):
        closed += {"]": 1, "}": 1, "[": -1, "{": -1}.get(text[position], 0)
        if closed < 0:
            return position
    return None


def _item(t: _Trouble) -> _Found | None:
    return _Found(
        "an item of a list cannot begin here", t.position, "begin the list on a line of its own, below its key"
    )


def _anchor(t: _Trouble) -> _Found | None:
    return _Found(f"a value cannot begin with `{t.text[t.begin : t.begin + 1]}`", t.begin, "put it in quotes")


def _beyond(t: _Trouble) -> _Found | None:
    return _Found(
        "the text goes on behind its end",
        t.position,
        "every line of a spec is `name: value`, without indentation at the top",
    )


def _deep(t: _Trouble) -> _Found | None:
    return _Found("nested more than any spec", t.position, "move parts into `blocks:`", code="E006")


#: What the reader says, and who explains it; the first that has an explanation is taken.
_TABLE: tuple[tuple[str, Callable[[_Trouble], _Found | None]], ...] = (
    (r"tab|cannot start any token", _tab),
    (r"cannot start any token", _cannot_begin),
    (r"expected ',' or '", _bracket),
    (r"expected key|expected '-' indicator|expected <block end>", _indentation),
    (r"mapping values are not allowed", _second_colon),
    (r"could not find expected ':'", _no_colon),
    (r"unexpected end of stream|unexpected document indicator", _open_quote),
    (r"unknown escape character|hexdecimal number|Unicode character escape", _escape),
    (r"expected node content|expected the node content", _nothing),
    (r"block sequence entries are not allowed|sequence entries are not allowed", _item),
    (r"alphabetic or numeric character", _anchor),
    (r"expected <document start>|expected '<document start>'", _beyond),
    (r"maximum nesting depth", _deep),
)  # fmt: skip
