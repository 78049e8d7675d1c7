"""How a node names others: `from`, `outputs`, and the ids in a merge."""

from __future__ import annotations

from cnnspec.blocks.base import Value
from cnnspec.diagnostics import Label, Report, Span, listing, nearest
from cnnspec.elaborate.assembly import UNKNOWN, Assembly
from cnnspec.elaborate.frames import Frame
from cnnspec.source import UNREADABLE, Scalar, Sequence, Tree
from cnnspec.validation.words import shown


def resolve(tree: Tree, frame: Frame, report: Report, assembly: Assembly, word: str = "from") -> tuple[Value, ...]:
    """The values that `word` names: an id, `id:port`, a dotted path, or a list of them.

    What is wrong is reported, and is `UNKNOWN`.
    """
    items = tree.items if isinstance(tree, Sequence) else (tree,)
    if not items:
        hint = "leave it out to take the node before" if word == "from" else "name one"
        report.error("E103", f"`{word}` should name at least one node", tree.span, hint)
        return (UNKNOWN,)
    return tuple(_one(item, frame, report, assembly, word) for item in items)


def _one(tree: Tree, frame: Frame, report: Report, assembly: Assembly, word: str) -> Value:
    if isinstance(tree, Scalar) and tree.value is UNREADABLE:
        return UNKNOWN
    if not isinstance(tree, Scalar) or not isinstance(tree.value, str):
        by_position = isinstance(tree, Scalar) and isinstance(tree.value, int)
        hint = "give that node an `id`: nodes are named, not counted" if by_position else "write the `id` of a node"
        what = "the id of a node, or a list of ids" if word == "from" else "the id of a node"
        report.error("E103", f"`{word}` should be {what}, and is {shown(tree)}", tree.span, hint, frame.chain())
        return UNKNOWN
    name, colon, port = tree.value.partition(":")
    if not name or (colon and not port):
        report.error("E303", f"`{tree.value}` should be an id, or an id, a `:` and an output", tree.span,
                     f"write `{name or port}`", frame.chain())  # fmt: skip
        return UNKNOWN
    found = _look_up(name, frame, assembly)
    if found is None:
        _unknown(name, tree.span, frame, report, word)
        return UNKNOWN
    path, value = found
    if value is UNKNOWN or not (colon or value.whole):
        return value
    if not colon:
        number = len(value.types)
        report.error("E303", f"`{name}` has {number} outputs, and this names none of them", tree.span,
                     "write " + listing((f'"{name}:{n}"' for n in range(number)), 4), frame.chain())  # fmt: skip
        return UNKNOWN
    return _port(path, value, name, port, tree.span, report, assembly)


def _look_up(name: str, frame: Frame, assembly: Assembly) -> tuple[str, Value] | None:
    """The path and the value of a name, innermost first."""
    for around in frame.enclosing():
        if name in around.ids:
            return around.path(name), around.ids[name]
        ref = assembly.scope(around.path(name)) if "." in name else None
        if ref is not None:
            return around.path(name), Value(
                ref, assembly.nodes[ref.node].types, around.path(name) not in assembly.whole
            )
        if "." in name and around.ids.get(name.split(".", maxsplit=1)[0]) is UNKNOWN:
            return around.path(name), UNKNOWN
    return None


def _unknown(name: str, span: Span, frame: Frame, report: Report, word: str) -> None:
    """Report a name that is none, with what may have been meant."""
    labels = frame.chain()
    message = f"there is no node `{name}`" + (" before this one" if word == "from" else "")
    frames = list(frame.enclosing())
    later = next((f.later[name] for f in frames if name in f.later), None)
    known = [n for f in frames for n in f.ids if not f.automatic(n)]
    unnamed = {n: f.written[n].parts.key_span for f in frames for n in f.ids if f.automatic(n)}
    if any(name in f.taken and name not in f.ids for f in frames):
        message, hint = f"`{name}` is not there yet: this is a part of it", "a network has no cycles"
    elif later is not None:
        hint, labels = "move this node below it; a network has no cycles", (Label("defined later", later), *labels)
    elif name in report.removed:
        hint, labels = "name another node, or keep it", (Label("removed by this edit", report.removed[name]), *labels)
    elif frame.outermost().caller is not None and _outside(name, frame):
        hint = f"a block sees only what it is given: add `{name}` to its `inputs`"
    elif near := nearest(name, known):
        hint = f"did you mean `{near}`?"
    elif near := nearest(name, unnamed):
        hint, labels = f"give that node an id: `id: {name}`", (Label("perhaps this node", unnamed[near]), *labels)
    else:
        hint = f"the ids before it are {listing(known, 20) or 'none'}"
    report.error("E301", message, span, hint, labels)


def _outside(name: str, frame: Frame) -> bool:
    """Whether a name is known where the block is used that this is in the body of."""
    caller = frame.outermost().caller
    while caller is not None:
        if any(name in f.ids for f in caller.enclosing()):
            return True
        caller = caller.outermost().caller
    return False


def _port(path: str, value: Value, name: str, port: str, span: Span, report: Report, assembly: Assembly) -> Value:
    """One of several outputs, by number or by name."""
    named = assembly.ports.get(path, {})
    ref = named.get(port)
    if port.isdecimal() and ref is None:
        ref = dict(enumerate(named.values() or value.ports)).get(int(port))
    if ref is not None:
        return assembly.value(ref)
    known = [f"{name}:{p}" for p in (named or range(len(value.types)))]
    report.error("E303", f"`{name}` has no output `{port}`", span, f"it has {listing(known)}")
    return UNKNOWN
