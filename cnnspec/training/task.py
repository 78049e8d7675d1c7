"""What a recipe asks of a network: which input takes the image, which output is judged, what stays frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import jax.numpy as jnp
from jax import Array

from cnnspec.data.opening import steps_of
from cnnspec.diagnostics import Problem, did_you_mean, listing
from cnnspec.document import InputSpec, Preprocess
from cnnspec.graph import Graph
from cnnspec.training.losses import Kind
from cnnspec.training.recipe import Loss, Recipe

#: What the numbers of an output are, by the op that gives them; those of any other op are logits.
KINDS: dict[str, Kind] = {"radial_basis_output": "distances", "capsule_length": "lengths"}


@dataclass(frozen=True)
class Task:
    """A network as training and evaluation see it: images in, one score a class out."""

    image: str
    label: str | None
    output: str
    kind: Kind
    shape: tuple[int, ...]
    classes: int
    loss: Loss
    #: From an image file to the input, as the recipe and the spec have it together.
    preprocess: Preprocess

    def inputs(self, pixels: Array, labels: Array | None = None) -> dict[str, Array]:
        """The network's inputs for pixels `[n, height, width, channels]` of 0 to 255."""
        steps, x = self.preprocess, pixels.astype(jnp.float32)
        if steps.order == "bgr":
            x = x[..., ::-1]
        x = (x * steps.scale - jnp.asarray(steps.mean, jnp.float32)) / jnp.asarray(steps.std, jnp.float32)
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
    kind = _kind(graph, output)
    if recipe.loss.name == "rbf" and kind != "distances":
        raise Problem("E862", f"the loss `rbf` is of squared distances to codes, and `{output}` of `{graph.name}` gives {kind}",
                      "end the network in `radial_basis_output`, or take the loss `cross_entropy`", field="loss.name")  # fmt: skip
    _known_outputs(graph, recipe.loss, output, image.type.size)
    given = inputs[image.name].preprocess
    steps = steps_of(recipe.dataset, image.type.shape, given)
    if recipe.normalise is not None:
        norm = recipe.normalise
        steps = steps.model_copy(update={"scale": norm.scale, "mean": norm.mean, "std": norm.std})
    for name in ("mean", "std"):
        if len(getattr(steps, name)) not in (1, image.type.channels):
            raise Problem("E862", f"`{name}` has {len(getattr(steps, name))} numbers for {image.type.channels} channels",
                          "give one number, or one a channel", field=f"normalise.{name}")  # fmt: skip
    return Task(
        image=image.name, label=labels[0] if labels else None, output=output, kind=kind, shape=image.type.shape,
        classes=graph.type_of(graph.outputs[output]).channels, loss=recipe.loss, preprocess=steps,
    )  # fmt: skip


def check_fits(graph: Graph, task: Task, recipe: Recipe, images: int) -> None:
    """**Errors**: E862 where a recipe asks for what this network, or a set of so many images, has not."""
    if task.label is not None and (recipe.mixing.mixup or recipe.mixing.cutmix):
        raise Problem("E862", f"the network takes a label (`{task.label}`), and mixed images have two",
                      "leave `mixing` out", field="mixing")  # fmt: skip
    if recipe.total_steps(images) < recipe.accumulate:
        raise Problem("E862", f"no weight would ever move: the gradients of {recipe.accumulate} batches make an update, "
                      f"and the training has {recipe.total_steps(images)}", "train longer, or accumulate fewer", field="accumulate")  # fmt: skip
    least = recipe.augment.random_resize
    if least is not None and least[0] < max(task.shape[:2]):
        raise Problem("E862", f"a crop of {task.shape[0]}x{task.shape[1]} pixels is larger than images of {least[0]:g}",
                      f"resize to at least {max(task.shape[:2])}", field="augment.random_resize")  # fmt: skip
    nodes = [node.path for node in graph.nodes]
    below(nodes, recipe.remat, "remat", "nothing to compute again: no node stands", "the network has")
    weights_below(graph, recipe.optimizer.decay_exempt, "optimizer.decay_exempt", "nothing to exempt")
    weights_below(graph, recipe.freeze, "freeze", "nothing to freeze")


def weights_below(graph: Graph, ids: Sequence[str], field: str, purpose: str) -> frozenset[str]:
    """The parameters and statistics below the given ids (`*` stands for anything). **Errors**: E862 for an id that has none."""
    return below(list(graph.parameters), ids, field, f"{purpose}: no weights stand", "weights stand under")


def below(paths: Sequence[str], ids: Sequence[str], field: str, missing: str, there: str) -> frozenset[str]:
    """Those of `paths` that stand below one of `ids`. **Errors**: E862, at its place in `field`, for an id without any."""
    found: set[str] = set()
    for place, name in enumerate(ids):
        under = {path for path in paths if fnmatchcase(path, name) or fnmatchcase(path, f"{name}.*")}
        if not under:
            tops = sorted({path.split(".")[0] for path in paths})
            raise Problem("E862", f"{missing} under `{name}`", did_you_mean(name, tops) or f"{there} {listing(tops)}",
                          field=f"{field}.{place}")  # fmt: skip
        found |= under
    return frozenset(found)


def label_names(classes: Sequence[str], task: Task) -> tuple[str, ...]:
    """A name for every output of the network, its number where the data has none."""
    return (*classes, *(str(c) for c in range(len(classes), task.classes)))


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
                      did_you_mean(loss.output, vectors) or f"there is {listing(vectors)}", field="loss.output")  # fmt: skip
    return loss.output


def _known_outputs(graph: Graph, loss: Loss, judged: str, pixels: int) -> None:
    shape = graph.type_of(graph.outputs[judged]).shape
    for name in loss.auxiliary:
        if name not in graph.outputs or graph.type_of(graph.outputs[name]).shape != shape:
            raise Problem("E862", f"`{name}` is not an auxiliary output of `{graph.name}`",
                          did_you_mean(name, graph.outputs) or f"its outputs are {listing(graph.outputs)}", field=f"loss.auxiliary.{name}")  # fmt: skip
    if loss.name == "margin" and loss.reconstruction in graph.outputs:
        size = graph.type_of(graph.outputs[loss.reconstruction]).size
        if size != pixels:
            raise Problem(
                "E862",
                f"the reconstruction has {size} numbers and the image {pixels}",
                "they should be equal",
                field="loss.reconstruction",
            )


def _training_only(graph: Graph, output: str) -> bool:
    node = graph.by_path.get(graph.outputs[output].node)
    return node is not None and node.training_only


def _kind(graph: Graph, output: str) -> Kind:
    node = graph.by_path.get(graph.outputs[output].node)
    if node is None:
        return "logits"
    return "probabilities" if getattr(node.op, "function", None) == "softmax" else KINDS.get(node.op.key, "logits")
