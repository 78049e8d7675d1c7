"""Writes the reference: one page a block and op, from its docstring and fields, and an index.

`python docs/generate.py` writes docs/reference; `tests/test_docs.py` says when it is out of date.
"""

from __future__ import annotations

import re
from inspect import cleandoc
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from cnnspec.blocks.base import Block
from cnnspec.json_schema import language_schema
from cnnspec.ops.base import Op
from cnnspec.registry import block_keys, op_keys, spec_class

FOLDER = Path(__file__).parent / "reference"


def pages() -> dict[str, str]:
    """The text of every page, by file name."""
    schema = language_schema()["$defs"]
    found = {f"{key}.md": page(key, schema) for key in sorted(block_keys() | op_keys())}
    return {"index.md": index(), **found}


def index() -> str:
    """The list of all blocks and ops."""
    lines = [
        "# Blocks and ops",
        "",
        "A node of a spec applies one of these, or a block of your own ([the language](../language.md)).",
        "",
    ]
    for title, keys in (("Blocks", block_keys()), ("Ops", op_keys() - block_keys())):
        lines += [f"## {title}", "", "| key | what it is |", "| --- | --- |"]
        for key in sorted(keys):
            lines.append(f"| [`{key}`]({key}.md) | {_summary(spec_class(key))} |")
        lines.append("")
    return "\n".join(lines)


def page(key: str, schema: dict[str, Any]) -> str:
    """The page of one block or op."""
    cls = spec_class(key)
    kind = "block" if issubclass(cls, Block) else "op"
    text = cleandoc(cls.__doc__ or "")
    lines = [f"# `{key}`", "", f"*{kind}, `cnnspec/{kind}s/{key}.py`*", "", text, ""]
    if cls.model_fields:
        lines += ["## Fields", "", "| field | values | default | meaning |", "| --- | --- | --- | --- |"]
        properties = schema.get(cls.__name__, {}).get("properties", {})
        for name, info in cls.model_fields.items():
            written = info.alias or name
            lines.append(
                f"| `{written}` | {_values(properties.get(written, {}), schema)} | {_default(info)} | {_escaped(info.description or '')} |"
            )
        lines.append("")
    notes = []
    if cls.main is not None:
        notes.append(f"A bare value is its `{cls.main}`: `{key}: {_example(cls, cls.main)}`.")
    if cls.arity != (1, 1):
        least, most = cls.arity
        notes.append(f"Inputs: {least} or more." if most is None else f"Inputs: {least} to {most}.")
    if issubclass(cls, Op) and cls.arity[1] is None:
        notes.append(f"Its value may be a list of branches: `{key}: [left, right]`.")
    if cls.width_fields:
        notes.append(f"A scaling in width multiplies {_listed(cls.width_fields)}.")
    if cls.depth_fields:
        notes.append(f"A scaling in depth multiplies {_listed(cls.depth_fields)}.")
    if notes:
        lines += ["## Notes", "", *(f"- {note}" for note in notes), ""]
    return "\n".join(lines)


def _summary(cls: type[Any]) -> str:
    return _escaped(" ".join(re.split(r"\n\s*\n", cleandoc(cls.__doc__ or ""))[0].split()))


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _example(cls: type[Any], name: str) -> str:
    choices = get_args(cls.model_fields[name].annotation) if get_origin(cls.model_fields[name].annotation) else ()
    first = next((c for c in choices if isinstance(c, str)), None)
    return first or {"shape": "[4, 4, 8]", "rate": "0.5", "value": "0.5"}.get(name, "2")


_WORDS = {"integer": "whole number", "number": "number", "boolean": "true or false", "string": "text", "array": "list",
          "object": "mapping", "null": "nothing"}  # fmt: skip


def _values(value: dict[str, Any], schema: dict[str, Any]) -> str:
    """The values of a field in words, from its schema (which first of all allows an expression)."""
    inner = value.get("else", value)
    if inner.get("anyOf") is None and "zeros" in str(inner):
        return "an [initialiser](../language.md#how-weights-start)"
    options = [words for words in _options(inner, schema) if words != "nothing"]
    return _escaped(", or ".join(dict.fromkeys(options)))


def _options(value: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """The alternatives of a value in words."""
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[-1]
        fields = ", ".join(schema[name].get("properties", {}))
        return ["nodes"] if name in ("layers", "branch") else [f"mapping of {fields}"]
    if "if" in value:
        return [*_options(value.get("then", {}), schema), *_options(value.get("else", {}), schema)]
    if "anyOf" in value:
        return [words for option in value["anyOf"] for words in _options(option, schema)]
    if "enum" in value:
        return [" | ".join(f"`{v}`" for v in value["enum"] if v is not None)]
    kinds = value.get("type", [])
    if kinds == ["integer", "array"]:
        return ["whole number" + _bounds(value), "[height, width]"]
    return [_WORDS[kind] + _bounds(value) for kind in ([kinds] if isinstance(kinds, str) else kinds)]


def _bounds(inner: dict[str, Any]) -> str:
    low, high = inner.get("minimum"), inner.get("maximum")
    parts = [f"at least {low:g}" if low is not None else "", f"at most {high:g}" if high is not None else ""]
    parts += [f"above {inner['exclusiveMinimum']:g}"] if "exclusiveMinimum" in inner else []
    parts += [f"below {inner['exclusiveMaximum']:g}"] if "exclusiveMaximum" in inner else []
    said = " and ".join(part for part in parts if part)
    return f", {said}" if said else ""


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True)
    if value is None or value is PydanticUndefined:
        return ""
    if isinstance(value, Op):
        function = getattr(value, "function", None)
        return f"`{function or value.key.removesuffix('_norm')}`"
    plain = getattr(value, "plain", value)
    if isinstance(plain, tuple):
        plain = plain[0] if len(set(plain)) == 1 and plain else list(plain)
    if isinstance(plain, bool):
        plain = str(plain).lower()
    return f"`{plain:g}`" if isinstance(plain, float) else f"`{plain}`"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write all pages, and remove those of what is no longer there."""
    FOLDER.mkdir(exist_ok=True)
    found = pages()
    for old in FOLDER.glob("*.md"):
        if old.name not in found:
            old.unlink()
    for name, text in found.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{len(found)} pages in {FOLDER}")


if __name__ == "__main__":
    main()
