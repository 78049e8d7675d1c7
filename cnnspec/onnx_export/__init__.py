"""ONNX from the canonical graph: `export_onnx` writes one file that every ONNX runtime runs, for any batch size.

`rules/` holds one small file an op, found by name; `writer` turns a graph into nodes, `model` into a file.
"""
