"""Faults in the text of a spec: what YAML has and the language has not, and what is no YAML at all."""

from __future__ import annotations

from collections.abc import Callable

#: A text with a fault, the code that must be reported, and where: line and column, from 1.
Faulty = tuple[str, str, int, int]
TextFault = Callable[[str], Faulty]


def _behind(line: str, code: str, column: int = 1, below: int = 0) -> TextFault:
    """A line added at the end of the text."""

    def plant(text: str) -> Faulty:
        return f"{text}{line}\n", code, text.count("\n") + 1 + below, column

    return plant


def _in_name(before: str, code: str, after: str = "") -> TextFault:
    """Something put around the value of `name`, in the second line."""

    def plant(text: str) -> Faulty:
        assert "\nname: random\n" in text
        return text.replace("\nname: random\n", f"\nname: {before}random{after}\n", 1), code, 2, len("name: ") + 1

    return plant


TEXT_FAULTS: dict[str, TextFault] = {
    "control character": _behind("# \x07", "E002", 3),
    "open bracket": _behind("family: {a: 1", "E003", len("family: ") + 1),
    "open quote": _behind('family: "a', "E003", len("family: ") + 1),
    "tab that indents": _behind("family:\n\ta: 1", "E003", 1, below=1),
    "value that YAML keeps for itself": _behind("family: @a", "E003", len("family: ") + 1),
    "second colon": _behind("family: a: b", "E003", len("family: a") + 1),
    "line without a colon": _behind("family", "E003"),
    "key used twice": _behind("name: again", "E004"),
    "anchor": _in_name("&a ", "E005"),
    "tag": _in_name("!!str ", "E005"),
    "merge key": _behind("<<: {family: a}", "E005"),
    "second document": _behind("---\nname: again", "E006", 1, below=1),
    "key that is no word": _behind("[1, 2]: a", "E007"),
}
