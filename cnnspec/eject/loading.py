"""The functions of an ejected file that load weights: from the paths of a spec to the attributes of the classes."""

from __future__ import annotations

from cnnspec.eject.pieces import literal
from cnnspec.graph import Graph


def variable_function(own: list[str], numbered: bool, passed: list[str]) -> str:
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
    if passed:
        one = f"names[0] == {literal(passed[0])}" if len(passed) == 1 else f"names[0] in {literal(tuple(passed))}"
        lines += [f"    if {one}:  # a block of the spec that consists of one other",
                  "        return variable(module, names[1:])"]  # fmt: skip
    return "\n".join([*lines, "    raise KeyError(names[0])"])


def unused_weights(whole: Graph, graph: Graph) -> list[str]:
    """The weights that no output needs, by as few beginnings of their paths as say it."""
    found: list[str] = []
    for path in whole.parameters:
        if path in graph.parameters or any(path.startswith(known) for known in found):
            continue
        names = path.split(".")
        beginnings = [".".join(names[:count]) + "." for count in range(1, len(names))]
        free = (b for b in beginnings if not any(used.startswith(b) for used in graph.parameters))
        found.append(next(free, path))
    return found


def load_function(network: str, unused: list[str], draws: bool) -> str:
    """The function that makes the network with weights from a file; `draws` says that it draws at random in training."""
    skip = f"""        if name.startswith({literal(tuple(unused))}):  # what no output needs
            continue
""" if unused else ""  # fmt: skip
    seed = "    nnx.reseed(model, default=0)  # of dropout\n" if draws else ""
    return f'''def load(path: str) -> {network}:
    """The network with weights of cnnspec (.safetensors), in evaluation mode."""
    # Shapes alone: the values are in the file.
    model = nnx.eval_shape(lambda: {network}(rngs=nnx.Rngs(0)))
    for name, array in load_file(path).items():
{skip}        target = variable(model, name.split("."))
        if target.shape != array.shape:
            raise ValueError(f"{{name}} is {{array.shape}} in the file, and {{target.shape}} here")
        target.set_value(jnp.asarray(array))
{seed}    lacking = sum(isinstance(value, jax.ShapeDtypeStruct) for value in jax.tree.leaves(nnx.state(model)))
    if lacking:
        raise ValueError(f"{{path}} lacks {{lacking}} of the weights")
    model.eval()
    return model'''
