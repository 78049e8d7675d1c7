"""A difference in lines: what is alike in the iterations of a repeat, or in several blocks, stands in one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cnnspec.difference import Change, Difference, NodeChange, Part, prefixes
from cnnspec.graph import Graph


@dataclass(frozen=True)
class Line:
    """One line: a node or several by a pattern (`stage1.*.conv2`), what was done, how often, with how many params."""

    label: str
    kind: str
    text: str
    count: int
    params: int = 0


class Folding:
    """Folds what differs between two graphs into lines."""

    def __init__(self, found: Difference, *graphs: Graph) -> None:
        self.found = found
        self.iterations = {i for graph in graphs for region in graph.regions for i in region.iterations}

    def removed(self) -> list[Line]:
        return self._parts(self.found.removed)

    def added(self) -> list[Line]:
        return self._parts(self.found.added)

    def changed(self) -> list[Line]:
        """The nodes that were changed themselves, not only in shape."""
        lines = [Line(n.path, n.op, self._changes(n), 1) for n in self.found.changed if n.own]
        return self._folded(lines)

    def _parts(self, parts: Iterable[Part]) -> list[Line]:
        lines = []
        for part in parts:
            last = part.last.rpartition(".")[2]
            label = part.path if part.iterations == 1 else f"{part.path}..{last}"
            lines.append(Line(label, part.kind, "x".join(map(str, part.shape)), part.iterations, part.params))
        return self._folded(lines)

    def _folded(self, lines: list[Line]) -> list[Line]:
        """Alike in the iterations of a repeat; then, what is inside blocks, alike in several blocks."""
        lines = _grouped(lines, self._pattern, any_text=False)
        return _grouped(lines, _inside, any_text=all(line.params or "->" not in line.text for line in lines))

    def _pattern(self, path: str) -> str:
        """A path with `*` for the numbers of iterations."""
        return ".".join("*" if p in self.iterations else p.rpartition(".")[2] for p in prefixes(path))

    def _changes(self, node: NodeChange) -> str:
        return ", ".join(
            f"{c.field} {self._sources(node, c.old)} -> {self._sources(node, c.new)}"
            if c.field == "from"
            else f"{c.field} {value_text(c.old)} -> {value_text(c.new)}"
            for c in node.own
        )

    def _sources(self, node: NodeChange, sources: list[str | None]) -> str:
        """Names of inputs as they are seen from the block that the node is in."""
        block = node.path.rpartition(".")[0]
        names = ["none" if s is None else "the op before" if s == block else self._inside(s, block) for s in sources]
        return " + ".join(names) or "nothing"

    def _inside(self, source: str, block: str) -> str:
        return self._pattern(source).removeprefix(f"{self._pattern(block)}.")


def _grouped(lines: list[Line], key: Callable[[str], str], any_text: bool) -> list[Line]:
    groups: dict[tuple[str, str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((key(line.label), line.kind, "" if any_text else line.text), []).append(line)
    found = []
    for (label, kind, _), group in groups.items():
        texts = {line.text for line in group}
        if len(group) == 1:
            found.append(group[0])
        else:
            text = texts.pop() if len(texts) == 1 else ""
            found.append(Line(label, kind, text, sum(g.count for g in group), sum(g.params for g in group)))
    return found


def _inside(label: str) -> str:
    """`stage1.*.conv2` as `*.conv2`; nodes of the spec itself and iterations keep their names."""
    rest = label.partition(".")[2].removeprefix("*.")
    return label if not rest or rest == "*" or rest[0].isdigit() or ".." in label else f"*.{rest}"


def shape_changes(old: Graph, new: Graph) -> list[Change]:
    """The nodes of the spec whose shape changed, by path."""
    found = []
    for path, ref in new.scopes.items():
        if "." not in path and path in old.scopes and path not in new.input_types:
            shapes = old.type_of(old.scopes[path]).shape, new.type_of(ref).shape
            if shapes[0] != shapes[1]:
                found.append(Change(path, *shapes))
    return found


def value_text(value: object) -> str:
    """A value in a word or two."""
    if isinstance(value, list | tuple):
        sizes = 1 < len(value) <= 4 and all(isinstance(v, int) for v in value)
        return "x".join(map(str, value)) if sizes else ", ".join(map(value_text, value)) or "nothing"
    if isinstance(value, dict):
        return " ".join(f"{k} {value_text(v)}" for k, v in value.items())
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
