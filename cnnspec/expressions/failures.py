"""What Python says of a failed expression, in the words of the language."""

from __future__ import annotations

import re

_TYPES = {
    "int": "a whole number", "float": "a number", "str": "text", "bool": "true or false", "list": "a list", "tuple": "a list",
    "dict": "a mapping", "NoneType": "nothing", "TensorType": "a shape",
}  # fmt: skip

#: What Python says, and what is said instead; types by their names in `_TYPES`.
_SAYINGS = (
    (r"unsupported operand type\(s\) for (\S+?)(?: or pow\(\))?: '(\w+)' and '(\w+)'", "`{0}` does not go with {1} and {2}"),
    (r"'(\S+)' not supported between instances of '(\w+)' and '(\w+)'", "`{0}` does not compare {1} with {2}"),
    (r'can only concatenate (\w+) \(not "(\w+)"\) to \w+', "`+` does not go with {0} and {1}"),
    (r"bad operand type for (\w+)\(\): '(\w+)'", "`{0}` does not go with {1}"),
    (r"object of type '(\w+)' has no len\(\)", "{0} has no length"),
    (r"'(\w+)' object is not iterable", "{0} is not a list"),
    (r"(?:list|tuple|string) indices must be integers(?: or slices)?, not '?(\w+)'?", "an element is asked for by a whole number, not by {0}"),
    (r"invalid literal for int\(\) with base \d+: (.+)", "{0} is no whole number"),
    (r"could not convert string to float: (.+)", "{0} is no number"),
    (r"type (\w+) doesn't define __round__ method", "{0} cannot be rounded"),
    (r"must be real number, not (\w+)", "it takes a number, not {0}"),
)  # fmt: skip


def in_words(message: str) -> str:
    """The message of an exception, without the words of Python."""
    for pattern, saying in _SAYINGS:
        match = re.fullmatch(pattern, message)
        if match:
            return saying.format(*(_TYPES.get(word, word) for word in match.groups()))
    return message
