"""The verifier that runs between passes."""

from __future__ import annotations

from cnnspec.graph import Graph, Ref


class VerificationError(Exception):
    """A pass made a graph that is not valid: a fault of cnnspec, not of the spec."""


def verify(graph: Graph, after: str) -> None:
    """Raise `VerificationError` unless the graph is valid: order, ports, types, parameters, outputs."""

    def fail(text: str) -> None:
        raise VerificationError(f"after `{after}`: {text}")

    known = {Ref(entry.name): entry.type for entry in graph.inputs}
    seen: set[str] = {entry.name for entry in graph.inputs}
    for node in graph.nodes:
        if node.path in seen:
            fail(f"the path `{node.path}` is used twice")
        seen.add(node.path)
        for ref in node.inputs:
            if ref is not None and ref not in known:
                fail(f"`{node.path}` uses `{ref}`, which is not defined before it")
        types = tuple(known[ref] for ref in node.inputs if ref is not None)
        inferred = node.op.infer(*types)
        outputs = inferred if isinstance(inferred, tuple) else (inferred,)
        if tuple(t.shape for t in outputs) != tuple(t.shape for t in node.types):
            fail(f"`{node.path}` says {[str(t) for t in node.types]}, and its op infers {[str(t) for t in outputs]}")
        for name, path in node.parameters.items():
            expected = node.op.parameters(*types).get(name)
            entry = graph.derived.get(path) or graph.parameters.get(path)
            if entry is None or expected is None or entry.shape != expected.shape:
                fail(f"the parameter `{path}` of `{node.path}` is not in the table, or has another shape")
        for port, type_ in enumerate(node.types):
            known[Ref(node.path, port)] = type_
    for name, ref in graph.outputs.items():
        if ref not in known:
            fail(f"the output `{name}` uses `{ref}`, which is not there")
