"""What a recipe asks of a network: which input takes the image, which output is judged, what stays frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax import Array

from cnnspec.data.base import Dataset
from cnnspec.diagnostics import Problem, did_you_mean, listing
from cnnspec.document import InputSpec
from cnnspec.graph import Graph
from cnnspec.training.recipe import Loss, Normalise, Recipe


@dataclass(frozen=True)
class Task:
    """A network as training and evaluation see it: images in, one score a class out."""

    image: str
    label: str | None
    output: str
    shape: tuple[int, ...]
    classes: int
    loss: Loss
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    reverse: bool
    softmax: bool

    def inputs(self, pixels: Array, labels: Array | None = None) -> dict[str, Array]:
        """The network's inputs for pixels `[n, height, width, channels]` of 0 to 255."""
        x = pixels.astype(jnp.float32)
        if self.reverse:
            x = x[..., ::-1]
        x = (x * self.scale - jnp.asarray(self.mean, jnp.float32)) / jnp.asarray(self.std, jnp.float32)
        found = {self.image: x}
        if labels is not None and self.label is not None:
            found[self.label] = labels
        return found


def task_of(graph: Graph, inputs: Mapping[str, InputSpec], recipe: Recipe) -> Task:
    """The task of a recipe. **Errors**: E862 where the network has not what the recipe asks for."""
    images = [i for i in graph.inputs if i.type.rank == 3 and not i.optional]
    if len(images) != 1:
        raise Problem("E862", f"training needs a network with one image as input; `{graph.name}` has {len(images)}",
                      "give it one input with height, width and channels")  # fmt: skip
    image = images[0]
    labels = [i.name for i in graph.inputs if i.type.rank == 0 and i.type.dtype == "int32"]
    output = _judged(graph, recipe.loss)
    _known_outputs(graph, recipe.loss, output, image.type.size)
    norm: Any = recipe.normalise or inputs[image.name].preprocess or Normalise()
    for name in ("mean", "std"):
        if len(getattr(norm, name)) not in (1, image.type.channels):
            raise Problem("E862", f"`{name}` has {len(getattr(norm, name))} numbers for {image.type.channels} channels",
                          "give one number, or one a channel", field="normalise")  # fmt: skip
    return Task(
        image=image.name, label=labels[0] if labels else None, output=output, shape=image.type.shape,
        classes=graph.type_of(graph.outputs[output]).channels, loss=recipe.loss, scale=norm.scale, mean=tuple(norm.mean),
        std=tuple(norm.std), reverse=getattr(norm, "order", "rgb") == "bgr", softmax=_ends_in_softmax(graph, output),
    )  # fmt: skip


def check_mixing(task: Task, recipe: Recipe) -> None:
    """**Errors**: E862 where labels that are fed to the network cannot be mixed."""
    if task.label is not None and (recipe.mixing.mixup or recipe.mixing.cutmix):
        raise Problem(
            "E862",
            f"the network takes a label (`{task.label}`), and mixed images have two",
            "leave `mixing` out",
            field="mixing",
        )


def frozen_paths(graph: Graph, ids: Iterable[str]) -> frozenset[str]:
    """The parameters and statistics below the given ids. **Errors**: E862 for an id that has none."""
    found: set[str] = set()
    for name in ids:
        below = {p for p in graph.parameters if p == name or p.startswith(f"{name}.")}
        if not below:
            tops = sorted({p.split(".")[0] for p in graph.parameters})
            raise Problem("E862", f"nothing to freeze: no weights stand under `{name}`",
                          did_you_mean(name, tops) or f"weights stand under {listing(tops)}", field="freeze")  # fmt: skip
        found |= below
    return frozenset(found)


def check_paths(graph: Graph, ids: Iterable[str]) -> None:
    """**Errors**: E862 for an id under which no node stands."""
    for name in ids:
        if not any(node.path == name or node.path.startswith(f"{name}.") for node in graph.nodes):
            tops = sorted({node.path.split(".")[0] for node in graph.nodes})
            raise Problem("E862", f"nothing to compute again: no node stands under `{name}`",
                          did_you_mean(name, tops) or f"the network has {listing(tops)}", field="remat")  # fmt: skip


def label_names(dataset: Dataset, task: Task) -> tuple[str, ...]:
    """A name for every output of the network."""
    return (*dataset.classes, *(str(c) for c in range(len(dataset.classes), task.classes)))


def _judged(graph: Graph, loss: Loss) -> str:
    vectors = [
        name for name, ref in graph.outputs.items() if graph.type_of(ref).rank == 1 and not _training_only(graph, name)
    ]
    if loss.output is None:
        if not vectors:
            raise Problem(
                "E862",
                f"`{graph.name}` has no output with one number a class",
                "give it a linear layer of that many features",
            )
        return vectors[0]
    if loss.output not in vectors:
        raise Problem("E862", f"`{loss.output}` is not an output with one number a class",
                      did_you_mean(loss.output, vectors) or f"there is {listing(vectors)}", field="output")  # fmt: skip
    return loss.output


def _known_outputs(graph: Graph, loss: Loss, judged: str, pixels: int) -> None:
    shape = graph.type_of(graph.outputs[judged]).shape
    for name in loss.auxiliary:
        if name not in graph.outputs or graph.type_of(graph.outputs[name]).shape != shape:
            raise Problem("E862", f"`{name}` is not an auxiliary output of `{graph.name}`",
                          did_you_mean(name, graph.outputs) or f"its outputs are {listing(graph.outputs)}", field="auxiliary")  # fmt: skip
    if loss.name == "margin" and loss.reconstruction in graph.outputs:
        size = graph.type_of(graph.outputs[loss.reconstruction]).size
        if size != pixels:
            raise Problem(
                "E862",
                f"the reconstruction has {size} numbers and the image {pixels}",
                "they should be equal",
                field="reconstruction",
            )


def _training_only(graph: Graph, output: str) -> bool:
    node = graph.by_path.get(graph.outputs[output].node)
    return node is not None and node.training_only


def _ends_in_softmax(graph: Graph, output: str) -> bool:
    node = graph.by_path.get(graph.outputs[output].node)
    return getattr(node and node.op, "function", None) == "softmax"
