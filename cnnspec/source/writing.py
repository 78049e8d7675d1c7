"""Data as YAML that reads back as the same data."""

from __future__ import annotations

import math
import re
from typing import Any

from cnnspec.source.scalars import resolve_scalar

_WIDTH = 116
_PLAIN = re.compile(r"[A-Za-z_/$][A-Za-z0-9_./$ ()+*x-]*")


def dump(value: Any) -> str:
    """YAML text that `parse` reads back as the same data; short lists and mappings stand on one line."""
    return "".join(f"{line}\n" for line in _block(value, 0))


def _block(value: Any, indent: int) -> list[str]:
    pad = " " * indent
    if isinstance(value, dict) and value:
        lines = []
        for name, item in value.items():
            key = _scalar(str(name))
            flow = _flow(item)
            nested = isinstance(item, dict | list | tuple) and item
            if nested and (_stands_apart(str(name), item) or len(pad) + len(key) + 2 + len(flow) > _WIDTH):
                lines.append(f"{pad}{key}:")
                lines += _block(item, indent + 2)
            else:
                lines.append(f"{pad}{key}: {flow}")
        return lines
    if isinstance(value, list | tuple) and value:
        lines = []
        for item in value:
            flow = _flow(item)
            if isinstance(item, dict | list | tuple) and item and len(pad) + 2 + len(flow) > _WIDTH:
                inner = _block(item, indent + 2)
                lines.append(f"{pad}- {inner[0][indent + 2 :]}")
                lines += inner[1:]
            else:
                lines.append(f"{pad}- {flow}")
        return lines
    return [pad + _flow(value)]


def _stands_apart(name: str, value: Any) -> bool:
    """Whether a value is clearer on lines of its own: the parts of a spec that are read line by line."""
    return name in ("layers", "edits", "blocks", "params", "defaults") and len(value) > 1


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(str(name))}: {_flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return ".nan"
        if math.isinf(value):
            return ".inf" if value > 0 else "-.inf"
        return repr(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and resolve_scalar(text) == text and text == text.strip() and "--" not in text:
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else _escape(c) for c in quoted) + '"'


def _escape(character: str) -> str:
    named = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    code = ord(character)
    return named.get(character) or (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )
