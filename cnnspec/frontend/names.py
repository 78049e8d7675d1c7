"""The names of a network, of its inputs and of its outputs: what may be a folder, an argument, a key."""

from __future__ import annotations

import re
from collections.abc import Iterable
from keyword import iskeyword

from cnnspec.diagnostics import Report, Span
from cnnspec.source import Entry, Mapping, Scalar, Sequence
from cnnspec.validation.words import shown

_NETWORK = re.compile(r"\w(?:[\w.+ -]{0,98}[\w+-])?")


def check_network_name(name: str, span: Span, report: Report) -> None:
    """A compiled network is saved in a folder of its name."""
    if not _NETWORK.fullmatch(name):
        report.error("E110", f"{shown(name)} cannot be the name of a network", span,
                     "use letters, digits, `_`, `-` and `.`, at most 100 of them: it is the name of a folder")  # fmt: skip


def check_input_names(entries: Iterable[tuple[str, Entry]], report: Report) -> None:
    """Inputs become arguments of functions."""
    for name, entry in entries:
        if not name.isidentifier() or iskeyword(name):
            report.error("E110", f"{shown(name)} cannot be the name of an input", entry.key_span,
                         "use letters, digits and `_`, no digit first, and no keyword of Python: it becomes an argument")  # fmt: skip


def check_output_names(tree: Mapping, report: Report) -> None:
    """Outputs are named as nodes are; those in a list are called as the nodes that they name."""
    outputs = tree.get("outputs")
    if isinstance(outputs, Mapping):
        for name, entry in outputs.entries.items():
            if not name.isidentifier():
                report.error("E110", f"{shown(name)} cannot be the name of an output", entry.key_span,
                             "use letters, digits and `_`, and no digit first")  # fmt: skip
        return
    for item in outputs.items if isinstance(outputs, Sequence) else (outputs,):
        if isinstance(item, Scalar) and isinstance(item.value, str) and not item.value.isidentifier():
            report.error("E110", f"{shown(item)} cannot be the name of an output", item.span,
                         f'give it a name: `outputs: {{name: "{item.value}"}}`')  # fmt: skip
