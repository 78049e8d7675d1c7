"""The rules by which names of a peer (torchvision, timm, keras) become ours: data, `rules/PEER/FAMILY.yaml`.

A rule matches the path of a module of the peer and says the path of our node.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from cnnspec.diagnostics import Diagnostic, Report, SpecError, listing
from cnnspec.fields import Names
from cnnspec.schema import Spec
from cnnspec.source import Mapping as Tree
from cnnspec.source import Scalar, Sequence, parse, read
from cnnspec.validation import validate

_RULES = Path(__file__).parent / "rules"
_GROUP = re.compile(r"\\(\d)")


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise PydanticCustomError("pattern", "should be a regular expression: {why}", {"why": str(error)}) from None
    return value


Pattern = Annotated[str, AfterValidator(_pattern)]
"""A regular expression."""

Digit = Annotated[str, Field(pattern=r"^\d$")]
"""The number of a group."""

Word = Annotated[str, BeforeValidator(str)]
"""A text, which may be written as a number."""


class Run(Spec):
    """Nodes of ours in the order in which a peer numbers its layers, once or in each of several repeats."""

    under: str = Field("", description="path that stands before theirs")
    repeat: int = Field(0, ge=0, description="how often they come, under `under.0` and so on; 0 without repeats")
    paths: Names = Field(description="paths of the nodes")

    def unrolled(self) -> list[str]:
        heads = [f"{self.under}.{i}." for i in range(self.repeat)] or [f"{self.under}." if self.under else ""]
        return [head + path for head in heads for path in self.paths]


class Rule(Spec):
    """One rule of a mapping."""

    match: Pattern = Field(description="regular expression for the whole path of a module of the peer")
    to: str = Field(description="path of our node, or of one of its arrays; \\1 is the first group; `-`: ignored")
    table: dict[str, Word] | None = Field(None, description="what a group stands for")
    group: int = Field(1, description="the group that the table is for")
    shift: dict[Digit, int] | None = Field(
        None, description="what is added to a group that is a number, by the group's"
    )
    letter: int | None = Field(None, description="a group that is a letter: a is 0, b is 1")
    order: list[Run] = Field([], description="what the last group, a number that may be left out for 0, stands for")
    rewrite: bool = Field(False, description="whether the result is matched again, by the rules below")
    specs: list[str] | None = Field(None, description="names of the specs that it is for; all without")

    @model_validator(mode="after")
    def _groups(self) -> Self:
        there = re.compile(self.match).groups
        named = [*map(int, _GROUP.findall(self.to)), *map(int, self.shift or ())]
        named += [self.group] if self.table is not None else []
        named += [self.letter] if self.letter is not None else []
        if any(not 1 <= group <= there for group in named) or (self.order and not there):
            message = "speaks of a group that `match` does not have: it has {there}"
            raise PydanticCustomError("groups", message, {"there": there})
        return self

    def path(self, found: re.Match[str]) -> str | None:
        """Our path for what `match` found; none where a group is not what it should be."""
        words = self.words(found)
        return None if words is None else _GROUP.sub(lambda place: words[int(place[1]) - 1], self.to)

    def words(self, found: re.Match[str]) -> list[str] | None:
        """What the groups stand for; none where one of them is no word of the table, no number, or no letter."""
        words = [word or "" for word in found.groups()]
        if self.table is not None:
            if words[self.group - 1] not in self.table:
                return None
            words[self.group - 1] = self.table[words[self.group - 1]]
        if self.order:
            paths = [path for run in self.order for path in run.unrolled()]
            number = words[-1] or "0"
            if not number.isdecimal() or int(number) >= len(paths):
                return None
            words[-1] = paths[int(number)]
        if self.letter is not None:
            if len(words[self.letter - 1]) != 1:
                return None
            words[self.letter - 1] = str(ord(words[self.letter - 1]) - ord("a"))
        for group, by in (self.shift or {}).items():
            if not words[int(group) - 1].isdecimal():
                return None
            words[int(group) - 1] = str(int(words[int(group) - 1]) + by)
        return words


def rules_for(peer: str, family: str, spec_name: str, file: Path | None = None) -> list[Rule]:
    """The rules of a family and peer, or those of a file; raises `SpecError` (E810) where there are none."""
    report = Report()
    found = _read_rules(peer, family, report, file)
    report.raise_if_failed()
    return [rule for rule in found if rule.specs is None or spec_name in rule.specs]


def _read_rules(peer: str, family: str, report: Report, file: Path | None = None) -> list[Rule]:
    """The rules of a file; a name among them stands for all rules of that family, or `peer/family`."""
    path = file or _RULES / peer / f"{family}.yaml"
    source = read(path, report) if file or path.exists() else None
    report.raise_if_failed()
    tree = parse(source, report) if source is not None else None
    items = tree.items if isinstance(tree, Sequence) else (tree,) if isinstance(tree, Scalar) else None
    if items is None:
        known = sorted(p.stem for p in (_RULES / peer).glob("*.yaml"))
        message = f"there are no rules for the weights of {peer} for the family `{family}`"
        raise SpecError([Diagnostic("E810", message, None, f"there are rules for {listing(known)}")])
    found: list[Rule] = []
    for item in items:
        if isinstance(item, Scalar):
            other, _, same = str(item.value).rpartition("/")
            found += _read_rules(other or peer, same, report)
        elif isinstance(item, Tree) and (rule := validate(Rule, item, report, what="rule")) is not None:
            found.append(rule)
    return found
