"""From the merged document to a typed graph: one walk, node by node, with the types of the inputs at hand.

For every node: evaluate the expressions, merge the defaults, validate the block, expand it, infer its shapes.
A mistake is reported and poisons what depends on it, and the walk goes on: one run shows all that is wrong.
"""

from __future__ import annotations

from cnnspec.elaborate.assembly import UNKNOWN, Assembly, Exhausted, Poisoned
from cnnspec.elaborate.defaults import Defaults
from cnnspec.elaborate.evaluation import evaluate_tree, names_in
from cnnspec.elaborate.frames import Frame
from cnnspec.elaborate.nodes import RESERVED, STRUCTURAL
from cnnspec.elaborate.references import resolve
from cnnspec.elaborate.tally import Tally, Uncountable
from cnnspec.elaborate.user_blocks import UserBlock, read_blocks
from cnnspec.elaborate.walk import Elaborator

__all__ = [
    "RESERVED", "STRUCTURAL", "UNKNOWN", "Assembly", "Defaults", "Elaborator", "Exhausted", "Frame", "Poisoned", "Tally",
    "Uncountable", "UserBlock",
    "evaluate_tree", "names_in", "read_blocks", "resolve",
]  # fmt: skip
