"""The language as a JSON Schema, for editors: completion, descriptions on hover, and one right error a mistake.

The block of a node is chosen by `if`/`then` on its key, never by `oneOf`, so that a mistake in a convolution is not
answered by the complaints of sixty other blocks. An expression may stand in place of any value. What a schema cannot
say (shapes, references, what is missing) is left to `cnnspec check`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic.json_schema import models_json_schema

from cnnspec.document import Expect, InputSpec, Reference
from cnnspec.elaborate import RESERVED
from cnnspec.merge import KEYS
from cnnspec.ops.base import Op
from cnnspec.params import Declared
from cnnspec.registry import keys, spec_class
from cnnspec.scaling import Factors, Scaling
from cnnspec.schema import Spec

JSON = dict[str, Any]

#: Anything with a `$` in it is an expression, or a name in short.
EXPRESSION: JSON = {"type": "string", "pattern": r"\$", "description": "an expression: ${filters * 4}, or $filters"}
_EXPRESSION = {"$ref": "#/$defs/expression"}
#: Letters beyond ASCII are letters in Python, and not in the patterns of every editor.
_ID: JSON = {"type": "string", "pattern": "^[A-Za-z\\u0080-\\uffff][A-Za-z0-9_\\u0080-\\uffff]*$"}

_RESERVED: dict[str, JSON] = {
    "id": {**_ID, "description": "the name of this node, and the path of its weights"},
    "from": {
        "description": "the node, or nodes, that this takes its input from: id, id:port, or a list; by default the one before",
        "type": ["string", "array"], "items": {"type": "string"}, "minItems": 1,
    },
    "repeat": {"description": "how many times; `index` and `count` are known within", "type": ["integer", "string"], "minimum": 0},
    "first": {"description": "fields that are different in the first repetition", "type": "object"},
    "last": {"description": "fields that are different in the last repetition", "type": "object"},
    "when": {"description": "whether the node is there", "type": ["boolean", "string"]},
    "expect": {"description": "its shape, as the paper's table has it: [height, width, channels]", "type": ["array", "string"]},
    "training_only": {"description": "whether it exists only in training", "type": ["boolean", "string"]},
}  # fmt: skip


def language_schema() -> JSON:
    """The schema of a whole spec (JSON Schema, draft 2020-12)."""
    defs: JSON = {"expression": EXPRESSION}
    models: list[type[Spec]] = [InputSpec, Reference, Expect, Declared, Scaling, Factors]
    models += [spec_class(key) for key in sorted(keys())]
    refs, definitions = models_json_schema([(m, "validation") for m in models], ref_template="#/$defs/{model}")
    for name, definition in definitions.get("$defs", {}).items():
        defs[name] = _with_expressions(definition)
    for key in sorted(keys()):
        # Any field may come from `defaults`, which a schema cannot follow: what is missing is left to the checker.
        defs[refs[spec_class(key), "validation"]["$ref"].rsplit("/", 1)[-1]].pop("required", None)
    known = {m: refs[m, "validation"]["$ref"] for m in models}
    # A spec that extends another may complete its source.
    defs[known[Reference].rsplit("/", 1)[-1]].pop("required", None)
    defs["layers"] = {"type": ["array", "string"], "items": {"$ref": "#/$defs/node"}}
    defs["branch"] = {
        "if": {"type": "array"},
        "then": {"$ref": "#/$defs/layers"},
        "else": {"$ref": "#/$defs/id_or_node"},
    }
    defs["id_or_node"] = {"if": {"type": "string"}, "else": {"$ref": "#/$defs/node"}}
    defs["node"] = _node(known)
    defs["param"] = _param(known[Declared])
    defs["block"] = _block()
    schema: JSON = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cnnspec",
        "description": "A convolutional network as a table",
        "type": "object",
        "properties": {name: _top(known)[name] for name in KEYS},
        "required": ["cnnspec", "name"],
        "additionalProperties": False,
        "$defs": defs,
    }
    used = set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(schema)))
    schema["$defs"] = {name: definition for name, definition in defs.items() if name in used}
    return schema


def _top(known: dict[type[Spec], str]) -> dict[str, JSON]:
    """The keys at the top of a spec."""
    edit = {
        "type": "object",
        "description": "insert_before, insert_after, replace (with `layers`), remove, update (with `with`)",
    }
    return {
        "cnnspec": {"const": 1, "description": "version of the language"},
        "name": {"type": "string", "description": "of the network"},
        "family": {"type": "string", "description": "of the zoo"},
        "description": {"type": "string", "description": "one or two sentences"},
        "source": {"$ref": known[Reference]},
        "extends": {"type": "string", "description": "a spec to begin from: a path, or a name of the zoo"},
        "imports": {"type": ["string", "array", "object"], "description": "files whose `blocks` this one uses"},
        "set": {"type": "object", "description": "values of params"},
        "params": {"type": "object", "description": "names and their defaults or types", "additionalProperties": {"$ref": "#/$defs/param"}},
        "input": {"$ref": known[InputSpec]},
        "inputs": {"type": "object", "description": "inputs by name", "additionalProperties": {"$ref": known[InputSpec]}},
        "scaling": {"$ref": known[Scaling]},
        "scale": {"$ref": known[Factors]},
        "defaults": {
            "type": "object", "description": "fields of blocks wherever they are not given",
            "properties": {key: {"$ref": known[spec_class(key)]} for key in sorted(keys())},
        },
        "blocks": {"type": "object", "description": "blocks of your own", "additionalProperties": {"$ref": "#/$defs/block"}},
        "layers": {"$ref": "#/$defs/layers", "description": "the nodes, one a line"},
        "edits": {"type": "array", "description": "changes of the extended spec by id", "items": edit},
        "outputs": {
            "type": ["object", "array", "string"], "description": "outputs by name; by default the last node",
            "additionalProperties": {"type": "string"}, "items": {"type": "string"},
        },
        "expect": {"$ref": known[Expect]},
    }  # fmt: skip


def _node(known: dict[type[Spec], str]) -> JSON:
    """A node: a bare key, or a mapping in which the key of the block chooses what is checked."""
    choices = []
    for key in sorted(keys()):
        cls = spec_class(key)
        choices.append({"if": {"required": [key]}, "then": {"properties": {key: _fields(cls, known[cls])}}})
    blocks: dict[str, JSON] = {
        key: {"description": (spec_class(key).__doc__ or "").strip().split("\n")[0]} for key in sorted(keys())
    }
    blocks["layers"] = {"$ref": "#/$defs/layers", "description": "nodes that belong together"}
    blocks["shared"] = {"type": "string", "description": "a node applied once more, with the same weights"}
    mapping = {
        "type": "object",
        "properties": {**{name: _RESERVED[name] for name in RESERVED}, **blocks},
        "minProperties": 1,
        "allOf": choices,
    }
    return {"if": {"type": "string"}, "then": {"description": "a block without fields"}, "else": mapping}


def _fields(cls: type[Spec], ref: str) -> JSON:
    """The value of a block's key: its fields, nothing, the value of its main field, or the branches of a merge."""
    bare: JSON = {"type": "null"} if cls.main is None else {}
    if issubclass(cls, Op) and cls.arity[1] is None:
        bare = {"if": {"type": "array"}, "then": {"items": {"$ref": "#/$defs/branch"}}, "else": bare}
    return {"if": {"type": "object"}, "then": {"$ref": ref}, "else": bare}


def _param(declared: str) -> JSON:
    return {"if": {"type": "object"}, "then": {"$ref": declared}}


def _block() -> JSON:
    return {
        "type": "object",
        "properties": {
            "doc": {"type": "string"},
            "inputs": {"type": "array", "items": _ID, "description": "names of what comes in; by default `input`"},
            "params": {"type": "object", "additionalProperties": {"$ref": "#/$defs/param"}},
            "layers": {"$ref": "#/$defs/layers"},
            "outputs": {
                "type": ["string", "object", "array"],
                "description": "the node that the block stands for, or several by name; by default the last node",
                "additionalProperties": {"type": "string"},
                "items": {"type": "string"},
            },
        },
        "required": ["layers"],
        "additionalProperties": False,
    }


def _with_expressions(definition: JSON) -> JSON:
    """A model's schema in which an expression may stand in place of any value, and its description is one line."""
    definition = _with_nodes(definition)
    text = re.split(r"\n\s*\n", definition.get("description", "").strip())[0]
    definition["description"] = " ".join(text.split())
    definition["properties"] = {name: _or_expression(value) for name, value in definition.get("properties", {}).items()}
    return definition


def _with_nodes(value: Any) -> Any:
    """`value` with the definitions that blocks/base.py leaves open."""
    if isinstance(value, dict) and "x-nodes" in value:
        kept = {name: item for name, item in value.items() if name in ("description", "default")}
        return {**kept, "$ref": f"#/$defs/{value['x-nodes']}"}
    if isinstance(value, dict):
        return {name: _with_nodes(item) for name, item in value.items()}
    return [_with_nodes(item) for item in value] if isinstance(value, list) else value


def _or_expression(value: JSON) -> JSON:
    """`value`, unless there is an expression: an `if`, so that the error speaks of the value."""
    kept: JSON = {name: value[name] for name in ("description", "default") if name in value}
    inner = {name: item for name, item in value.items() if name not in ("description", "default", "title")}
    return {**kept, "if": _EXPRESSION, "else": _simplified(inner)} if inner else kept


def _simplified(value: JSON) -> JSON:
    """The same without `anyOf`, and with expressions allowed inside lists and mappings as well."""
    value = dict(value)
    for name in ("items", "additionalProperties"):
        if isinstance(value.get(name), dict):
            value[name] = _or_expression(value[name])
    options = value.pop("anyOf", None)
    return value if options is None else {**value, **_chosen([_simplified(option) for option in options])}


def _chosen(options: list[JSON]) -> JSON:
    """One of several, chosen by its type, so that a mistake is answered by the option that was meant."""
    typed = [option for option in options if isinstance(option.get("type"), str)]
    others = [option for option in options if option not in typed]
    if len(others) > 1 or len({option["type"] for option in typed}) < len(typed):
        return {"anyOf": options}
    # What is of no type that may be is answered by the last option.
    typed.sort(key=lambda option: option["type"] not in ("null", "object", "array"))
    *first, last = [*typed, *others]
    for option in reversed(first):
        last = {"if": {"type": option["type"]}, "then": option, "else": last}
    return last
