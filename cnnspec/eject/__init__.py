"""A network as one Python file of plain Flax NNX, which needs cnnspec no more.

The file has a class for each block of the spec, under the names of the spec, and a function that loads weights. What
it computes is what the compiled network computes, for inference and for training.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from cnnspec.eject.classes import Classes
from cnnspec.eject.pieces import Code
from cnnspec.eject.scopes import OpItem, ScopeTree, camel
from cnnspec.eject.writing import ClassText
from cnnspec.frontend import LoadedSpec
from cnnspec.passes.pipeline import run_passes

_HELPERS = Path(__file__).parent / "helpers"


def eject(loaded: LoadedSpec) -> str:
    """The text of the file.

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
    parts = [
        "\n".join(ClassText(classes, made, graph if made.scope is root else None).text()) for made in classes.found
    ]
    network = classes.found[-1].name
    numbered = any(getattr(item, "numbered", False) for made in classes.found for item in made.scope.items)
    own = sorted({item.attribute for made in classes.found for item in made.scope.items
                  if isinstance(item, OpItem) and item.node.path == made.scope.path and item.node.parameters})  # fmt: skip
    parts += [_variable(own, numbered), _load(network)]
    text = "\n".join(parts)
    codes = {argument.value for scope in [*root.inner(), root] for item in scope.items if isinstance(item, OpItem)
             for argument in item.piece.arguments if isinstance(argument.value, Code) and argument.value.definition}  # fmt: skip
    constants = [f"{code} = {code.definition}" for code in sorted(codes) if re.search(rf"\b{code}\b", text)]
    written = "\n\n\n".join([*_helpers(wanted, "\n".join([*constants, text])), *parts])
    header = "\n\n".join([_imports(written), *(["\n".join(constants)] if constants else [])])
    return f"{_docstring(loaded)}\n\n{header}\n\n\n{written}\n"


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
    standard = ["from collections.abc import Callable"] if "Callable[" in text else []
    third = ["import jax", *(["import jax.numpy as jnp"] if re.search(r"\bjnp\.", text) else [])]
    initializers = sorted({n for n in ("lecun_normal", "ones", "zeros") if re.search(rf"_init={n}\b", text)})
    third += ["from flax import nnx", *([f"from flax.nnx.initializers import {', '.join(initializers)}"] if initializers else []),
              "from safetensors.numpy import load_file"]  # fmt: skip
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


def _variable(own: list[str], numbered: bool) -> str:
    """The function that finds a variable by the path that the weights have."""
    lines = ["def variable(module: nnx.Module, names: list[str]) -> nnx.Variable:",
             '    """The variable of a weight: names are attributes, parts of one (`conv1_norm`), or places in a list."""',
             "    if not names:", "        return module",
             "    if names[0].isdigit():", "        return variable(module[int(names[0])], names[1:])",
             "    for count in range(len(names), 0, -1):", '        attribute = "_".join(names[:count])',
             "        if hasattr(module, attribute):",
             "            return variable(getattr(module, attribute), names[count:])"]  # fmt: skip
    if numbered:
        lines += ['    name = names[0].rstrip("0123456789")',
                  "    if hasattr(module, f\"{name}s\"):  # layer1, layer2, ... are a list",
                  '        return variable(getattr(module, f"{name}s")[int(names[0][len(name) :]) - 1], names[1:])']  # fmt: skip
    for attribute in own:
        lines += [f'    if hasattr(module, "{attribute}"):  # the weights of a block itself',
                  f"        return variable(module.{attribute}, names)"]  # fmt: skip
    return "\n".join([*lines, "    raise KeyError(names[0])"])


def _load(network: str) -> str:
    return f'''def load(path: str) -> {network}:
    """The network with weights of cnnspec (.safetensors), in evaluation mode."""
    model = {network}(rngs=nnx.Rngs(0))
    for name, array in load_file(path).items():
        target = variable(model, name.split("."))
        if target.shape != array.shape:
            raise ValueError(f"{{name}} is {{array.shape}} in the file, and {{target.shape}} here")
        target[...] = jnp.asarray(array)
    model.eval()
    return model'''
