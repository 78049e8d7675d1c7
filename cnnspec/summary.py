"""The lines of a summary: the graph folded back into the nodes of the spec."""

from __future__ import annotations

from dataclasses import dataclass, field

from cnnspec.costs import Row, rows
from cnnspec.graph import Graph, Ref


@dataclass
class Line:
    """One line: a node of the spec, or a part of one, with what all its ops count together."""

    path: str
    label: str
    level: int
    kind: str
    shapes: list[list[int]]
    output: str
    repeat: int = 0
    params: int = 0
    state: int = 0
    macs: int = 0
    flops: int = 0
    bytes: int = 0
    receptive_field: tuple[int, int] | None = None
    training_only: bool = False


@dataclass
class _Part:
    """A path of the spec with the rows of the ops at it and what lies below it."""

    path: str
    rows: list[Row] = field(default_factory=list)
    parts: dict[str, _Part] = field(default_factory=dict)

    def all_rows(self) -> list[Row]:
        return [*self.rows, *(row for part in self.parts.values() for row in part.all_rows())]


def summarise(graph: Graph, depth: int = 1, fold: bool = True) -> list[Line]:
    """The lines of a graph, opened `depth` levels; with `fold` the iterations of a repeat are one line.

    Where iterations differ (a first one with a stride), the first is shown apart from the others.
    """
    root = _Part("")
    for row in rows(graph):
        part, path = root, ""
        for name in row.node.path.split("."):
            path = f"{path}.{name}" if path else name
            part = part.parts.setdefault(name, _Part(path))
        part.rows.append(row)
    repeats = {region.path: len(region.iterations) for region in graph.regions}
    lines: list[Line] = []
    _add(graph, root, 0, depth, fold, repeats, lines)
    return lines


def _add(
    graph: Graph, parent: _Part, level: int, depth: int, fold: bool, repeats: dict[str, int], lines: list[Line]
) -> None:
    for name, part in parent.parts.items():
        count = repeats.get(part.path, 0)
        line = _line(graph, part, name, level, count)
        lines.append(line)
        if level + 1 >= depth or not part.parts:
            continue
        if count and fold:
            _add_folded(graph, part, level + 1, depth, repeats, lines)
        else:
            _add(graph, part, level + 1, depth, fold, repeats, lines)


def _add_folded(graph: Graph, part: _Part, level: int, depth: int, repeats: dict[str, int], lines: list[Line]) -> None:
    """The iterations of a repeat, equal neighbours in one line."""
    groups: list[list[_Part]] = []
    for iteration in part.parts.values():
        if groups and _signature(groups[-1][-1]) == _signature(iteration):
            groups[-1].append(iteration)
        else:
            groups.append([iteration])
    for group in groups:
        names = [p.path.rsplit(".", 1)[-1] for p in group]
        label = names[0] if len(names) == 1 else f"{names[0]}..{names[-1]}"
        line = _line(graph, group[-1], label, level, 0)
        for row in (row for p in group[:-1] for row in p.all_rows()):
            _count(line, row)
        line.repeat = len(group) if len(group) > 1 else 0
        line.kind += f" x {len(group)}" if len(group) > 1 else ""
        lines.append(line)
        if level + 1 < depth and group[0].parts:
            _add(graph, group[0], level + 1, depth, True, repeats, lines)


def _signature(part: _Part) -> list[tuple[object, ...]]:
    cut = len(part.path)
    return [(r.node.path[cut:], r.node.op, r.node.types, r.params) for r in part.all_rows()]


def _line(graph: Graph, part: _Part, label: str, level: int, repeat: int) -> Line:
    found = part.all_rows()
    ref = graph.scopes.get(part.path) or Ref(found[-1].node.path)
    types = graph.outputs_at(part.path) or (graph.type_of(ref),)
    last = next((r for r in found if r.node.path == ref.node), found[-1])
    kind = _kind(part, found)
    line = Line(
        part.path, label, level, f"{kind} x {repeat}" if repeat > 1 else kind, [list(t.shape) for t in types],
        ", ".join(t.plain for t in types), repeat,
        receptive_field=last.receptive_field, training_only=all(r.node.training_only for r in found),
    )  # fmt: skip
    for row in found:
        _count(line, row)
    return line


def _count(line: Line, row: Row) -> None:
    line.params += row.params
    line.state += row.state
    line.macs += row.macs
    line.flops += row.flops
    line.bytes += row.activation_bytes


def _kind(part: _Part, found: list[Row]) -> str:
    """The block that a path stands for: as written in the spec, or the op itself."""
    origin = found[0].node.origin
    for o in origin.chain() if origin is not None else ():
        name, _, where = o.what.partition(" at ")
        place = where.strip("`")
        if place == part.path or (place.startswith(f"{part.path}.") and place[len(part.path) + 1 :].isdigit()):
            return name.strip("`")
    return found[0].node.op.key if len(found) == 1 or part.rows else ""
