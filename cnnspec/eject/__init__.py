"""A network as one Python file of plain Flax NNX, which needs cnnspec no more.

The file has a class for each block of the spec, under the names of the spec, and a function that loads weights. What
it computes is what the compiled network computes, for inference and for training.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from cnnspec.diagnostics import Diagnostic, SpecError
from cnnspec.eject.classes import Classes
from cnnspec.eject.loading import load_function, unused_weights, variable_function
from cnnspec.eject.pieces import Code
from cnnspec.eject.scopes import OpItem, ScopeTree, camel
from cnnspec.eject.shared import find_shared
from cnnspec.eject.writing import ClassText
from cnnspec.files import written_whole
from cnnspec.frontend import LoadedSpec
from cnnspec.passes.pipeline import run_passes

_HELPERS = Path(__file__).parent / "helpers"


def eject(loaded: LoadedSpec) -> str:
    """The text of the file.

    **Errors**: `SpecError` E818 for an op that has no rule.
    **Example**:

    ```python
    Path("resnet50.py").write_text(eject(cnnspec.load_spec("resnet50")))
    ```
    """
    graph = next(stage.graph for stage in run_passes(loaded.graph, "train") if stage.name == "prune")
    tree = ScopeTree(graph)
    name = re.sub(r"\W", "_", loaded.document.name)
    root = tree.root(camel(name) if not name[0].isdigit() else f"Net{camel(name)}")
    classes = Classes(root, tree)
    wanted = {helper for scope in [*root.inner(), root] for item in scope.items
              if isinstance(item, OpItem) for helper in item.piece.helpers}  # fmt: skip
    shared = find_shared(classes)
    parts = ["\n".join(ClassText(classes, made, shared, graph if made.scope is root else None, _about(loaded)).text())
             for made in classes.found]  # fmt: skip
    network = classes.found[-1].name
    numbered = any(getattr(item, "numbered", False) for made in classes.found for item in made.scope.items)
    own = sorted({item.attribute for made in classes.found for item in made.scope.items
                  if isinstance(item, OpItem) and item.node.path == made.scope.path and item.node.parameters})  # fmt: skip
    parts += [
        variable_function(own, numbered, sorted(tree.passed)),
        load_function(network, unused_weights(loaded.graph, graph), any(node.op.stochastic for node in graph.nodes)),
    ]
    text = "\n".join(parts)
    codes = {argument.value for scope in [*root.inner(), root] for item in scope.items if isinstance(item, OpItem)
             for argument in item.piece.arguments if isinstance(argument.value, Code) and argument.value.definition}  # fmt: skip
    partials = [one.text for one in shared.values() if re.search(rf"\b{one.name}\(", text)]
    text = "\n".join([*partials, text])
    used = [f"{code} = {code.definition}" for code in sorted(codes) if re.search(rf"\b{code}\b", text)]
    constants = "\n".join([*used, *partials])
    helpers = _helpers(wanted, f"{constants}\n{text}")
    # What is made by one of our own functions stands behind it.
    blocks = [*helpers, constants] if "shifted(" in constants else [constants, *helpers]
    imports = _imports("\n".join([*blocks, text]))
    first, *others = [block for block in (*blocks, *parts) if block]
    gap = "\n\n" if first == constants else "\n\n\n"
    rest = "\n\n\n".join([first, *others])
    return f"{_docstring(loaded)}\n\n{imports}{gap}{rest}\n"


def write(loaded: LoadedSpec, path: Path) -> int:
    """Write the file whole, and say how many lines it has. **Errors**: `SpecError` E807 where it cannot be written."""
    text = eject(loaded)
    try:
        with written_whole(path) as beside:
            beside.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SpecError([Diagnostic("E807", f"{path} cannot be written: {error.strerror or error}", None,
                                    "is there room, and the right to?")]) from None  # fmt: skip
    return len(text.splitlines())


def _about(loaded: LoadedSpec) -> str:
    """The first sentence of the spec's description, where it has one that fits in a line."""
    text = " ".join(loaded.document.description.split())
    sentence = re.split(r"(?<=\.)\s", text)[0].rstrip(".")
    return f"{sentence}." if 0 < len(sentence) < 100 and not re.search(r'["\\]', sentence) else ""


def _docstring(loaded: LoadedSpec) -> str:
    document = loaded.document
    lines = [f'"""{document.name}, written by `cnnspec eject`: plain Flax NNX, which needs cnnspec no more.', ""]
    if document.source is not None:
        source = document.source
        place = f" arXiv:{source.arxiv}" if source.arxiv else ""
        title = source.title.replace("\\", "").replace('"', "'")
        lines += [f"{title} ({source.authors or 'n.n.'}, {source.year or 'n.d.'}).{place}", ""]
    shapes = ", ".join(f"{e.name} [{', '.join(['N', *map(str, e.type.shape)])}]" for e in loaded.graph.inputs)
    lines += [f"Input: {shapes}. Attributes have the names of the spec.", "",
              "    model = load('weights.safetensors')        # as `cnnspec train` and `cnnspec compile` write them",
              "    logits = model(images)",
              '"""']  # fmt: skip
    return "\n".join(lines)


def _imports(text: str) -> str:
    """The imports that the text uses."""
    standard = [*(["from collections.abc import Callable"] if "Callable[" in text else []),
                *(["from functools import partial"] if re.search(r"\bpartial\(", text) else [])]  # fmt: skip
    third = ["import jax", *(["import jax.numpy as jnp"] if re.search(r"\bjnp\.", text) else [])]
    third += ["from flax import nnx", "from safetensors.numpy import load_file"]
    return "\n\n".join("\n".join(block) for block in (["from __future__ import annotations"], standard, third) if block)


@cache
def _sources() -> dict[str, str]:
    """The sources of all helpers by name, without notes to our own tools."""
    found = {}
    for path in sorted(_HELPERS.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                source = ast.get_source_segment(text, node) or ""
                found[node.name] = source.replace("  # type: ignore[misc]  # flax has no types", "")
    return found


def _helpers(wanted: set[str], text: str) -> list[str]:
    """The sources of the helpers that are wanted, that the text names, and that these use."""
    sources = _sources()
    wanted = wanted | {name for name in ("shifted", "signs") if re.search(rf"\b{name}\b", text)}
    while True:
        inner = {name for used in wanted for name in sources if re.search(rf"\b{name}\(", sources[used])}
        if inner <= wanted:
            return [source for name, source in sources.items() if name in wanted]
        wanted |= inner
