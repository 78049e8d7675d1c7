"""The ONNX model of a network: graph, weights, what goes in and out, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import onnx
from onnx import ModelProto, TensorProto, ValueInfoProto, helper

from cnnspec.compiled import Compiled
from cnnspec.diagnostics import Diagnostic, SpecError
from cnnspec.document import Document
from cnnspec.files import written_whole
from cnnspec.graph import Graph
from cnnspec.lower.derive import arguments_of, derive
from cnnspec.onnx_export.writer import Layout, Writer
from cnnspec.types import TensorType

#: The operator set: the first with Gelu; onnxruntime 1.17 (2024) and newer run it.
OPSET = 20
IR_VERSION = 9
BATCH = "N"

_TYPES = {"float32": TensorProto.FLOAT, "bfloat16": TensorProto.BFLOAT16, "int32": TensorProto.INT32}


def save_model(
    compiled: Compiled, path: Path, params: Mapping[str, Any], state: Mapping[str, Any], trained: str
) -> Path:
    """Write the file of `export_onnx`; **Errors**: `SpecError` E807 where it cannot be written."""
    graph = inference_graph(compiled)
    model = onnx_model(graph, derive(arguments_of(graph), graph.derived, {**params, **state}))
    helper.set_model_props(model, properties(compiled.loaded.document, graph, trained))
    model.doc_string = compiled.loaded.document.description
    try:
        with written_whole(path) as beside:
            onnx.save(model, beside)
    except OSError as error:
        raise SpecError([Diagnostic("E807", f"{path} cannot be written: {error.strerror or error}", None,
                                    "is there room, and the right to?")]) from None  # fmt: skip
    return path


def inference_graph(compiled: Compiled) -> Graph:
    """The graph that is exported: specialised for inference, normalisations and pads folded.

    Passes after these suit XLA, and other runtimes do their own.
    """
    return next(stage.graph for stage in compiled.infer_stages if stage.name == "fold_pads")


def onnx_model(graph: Graph, values: Mapping[str, Any]) -> ModelProto:
    """The model of a graph for inference, with `values` for every parameter by path (derived ones too)."""
    writer = Writer(graph, values)
    for node in graph.nodes:
        writer.write(node)
    taken = {entry.name for entry in graph.inputs} | {output for node in writer.nodes for output in node.output}
    outputs = []
    for name, ref in graph.outputs.items():
        unique = name
        while unique in taken:
            unique += "_output"
        taken.add(unique)
        writer.output(unique, ref)
        outputs.append(_value(unique, _readable(graph.type_of(ref)), "channels_first"))
    inputs = [_value(entry.name, entry.type, "channels_first") for entry in graph.inputs]
    declared = {value.name for value in inputs + outputs}
    between = [_value(n, t, layout) for n, (t, layout) in writer.tensor_names().items() if n not in declared]
    proto = helper.make_graph(
        writer.nodes, graph.name, inputs, outputs, list(writer.initializers.values()), value_info=between
    )
    return helper.make_model(
        proto, producer_name="cnnspec", producer_version=version("cnnspec"), ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )  # fmt: skip


def properties(document: Document, graph: Graph, trained: str) -> dict[str, str]:
    """What a user of the file has to know: names, source, and how an image becomes the input."""
    found = {"cnnspec.name": document.name, "cnnspec.layout": "NCHW", "cnnspec.trained": trained or "no"}
    if document.source is not None:
        found["cnnspec.source"] = json.dumps(document.source.model_dump(exclude_defaults=True, mode="json"))
    for entry in graph.inputs:
        steps = document.inputs[entry.name].preprocess if entry.name in document.inputs else None
        if steps is not None:
            given = {name: getattr(steps, name) for name in type(steps).model_fields}
            found[f"cnnspec.preprocess.{entry.name}"] = json.dumps({k: v for k, v in given.items() if v is not None})
    return found


def _readable(type_: TensorType) -> TensorType:
    """The type of an output: bfloat16 goes out as float32."""
    return replace(type_, dtype="float32") if type_.dtype == "bfloat16" else type_


def _value(name: str, type_: TensorType, layout: Layout) -> ValueInfoProto:
    shape = type_.shape
    if type_.rank == 3 and layout == "channels_first":
        shape = (shape[2], shape[0], shape[1])
    return helper.make_tensor_value_info(name, _TYPES[type_.dtype], [BATCH, *shape])
