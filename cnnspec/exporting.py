"""What writing a network in another language has in common: an op that the language has no rule for."""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic, SpecError
from cnnspec.graph import Node


def no_rule(node: Node, language: str, folder: str) -> SpecError:
    """E818 at the node of the spec that needs the op; `folder` is where a rule would stand."""
    spans = (origin.span for origin in (node.origin.chain() if node.origin is not None else ()))
    span = next((span for span in spans if span is not None), None)
    text = f"`{node.op.key}` (at `{node.path}`) cannot be written for {language}: it has no rule"
    return SpecError([Diagnostic("E818", text, span, f"add one as {folder}/{node.op.key}.py, or use another op")])
