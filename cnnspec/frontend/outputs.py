"""The outputs of a network."""

from __future__ import annotations

from cnnspec.blocks.base import Value
from cnnspec.diagnostics import Report
from cnnspec.elaborate import UNKNOWN, Assembly, Frame, resolve
from cnnspec.graph import Ref
from cnnspec.source import Mapping, Scalar, Sequence, Tree, plain
from cnnspec.validation.words import shown


def read_outputs(tree: Mapping, last: Value, frame: Frame, assembly: Assembly, report: Report) -> dict[str, Ref] | None:
    """What `outputs` names, or else the last node, called `output`; `None` where nothing is known of it."""
    entry = tree.entries.get("outputs")
    if entry is None and last.whole:
        report.error("E303", f"the network ends in `{last.ref.node}`, which has {len(last.types)} outputs", tree.entries["layers"].key_span,
                     f'say which are its own: `outputs: {{first: "{last.ref.node}:0", ...}}`')  # fmt: skip
        return None
    if entry is None:
        found = {} if last is UNKNOWN else {"output": last.ref}
    else:
        found = _named(entry.value, frame, assembly, report)
    only = all(_only_in_training(ref, assembly) for ref in found.values())
    if entry is None and not assembly.nodes.keys() & {ref.node for ref in found.values()}:
        # What is left for the last node is the input itself.
        only = any(node.training_only for node in assembly.nodes.values())
    if found and only and not report.failed:
        span = entry.key_span if entry is not None else tree.entries["layers"].key_span
        report.error("E304", "the network has no output but in training", span,
                     "name a node in `outputs` that is not `training_only`")  # fmt: skip
        return None
    return found or None


def _only_in_training(ref: Ref, assembly: Assembly) -> bool:
    node = assembly.nodes.get(ref.node)
    return node is not None and node.training_only


def _named(tree: Tree, frame: Frame, assembly: Assembly, report: Report) -> dict[str, Ref]:
    if isinstance(tree, Mapping):
        named = {name: entry.value for name, entry in tree.entries.items()}
    elif isinstance(tree, Sequence):
        named = {str(plain(item)): item for item in tree.items}
    else:
        named = {str(plain(tree)): tree}
    if not named:
        report.error("E103", "`outputs` should name at least one node", tree.span, "leave it out for the last node")
    found: dict[str, Ref] = {}
    for name, item in named.items():
        if isinstance(item, Scalar):
            value = resolve(item, frame, report, assembly, "outputs")[0]
            if value is not UNKNOWN and not _left_out(item, value.ref, frame):
                found[name] = value.ref
        else:
            report.error("E103", f"the output `{name}` should be the id of a node, and is {shown(item)}", item.span,
                         f"write `{name}: id`")  # fmt: skip
    return found


def _left_out(item: Scalar, ref: Ref, frame: Frame) -> bool:
    """Whether an output names a row that is only for training and that its `when` leaves out: it is no output then.

    What goes on in its place is on the way to other outputs, and no score of an auxiliary head.
    """
    written = frame.written.get(str(item.value))
    if written is None or not {"training_only", "when"} <= written.parts.reserved.keys():
        return False
    return ref.node != item.value and not ref.node.startswith(f"{item.value}.")
