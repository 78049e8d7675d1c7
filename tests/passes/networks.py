"""Random networks made for the passes: what they look for, beside what they must leave alone."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Node = dict[str, Any]


@st.composite
def networks(draw: st.DrawFn) -> Node:
    """A spec of a few layers with affine ops before, behind and between them, pads, parallel branches and identities."""
    size, channels = draw(st.sampled_from([(1, 2), (2, 1), (5, 6)])), draw(st.sampled_from([4, 8]))
    count, layers = 0, []

    def name() -> str:
        nonlocal count
        count += 1
        return f"n{count}"

    def layer() -> Node:
        return draw(st.sampled_from([
            {"conv": {"filters": 8, "kernel": 1, "bias": draw(st.booleans())}},
            {"conv": {"filters": 4, "kernel": 3, "padding": draw(st.sampled_from(["half", 0, 2])), "groups": 2}},
            {"conv": {"depthwise": True, "kernel": [1, 3], "multiplier": 2}},
            {"conv": {"filters": 4, "kernel": [2, 1], "padding": "same", "stride": 2}},
            {"conv_transpose": {"filters": 4, "kernel": 3, "stride": 2, "groups": draw(st.sampled_from([1, 2]))}},
        ]))  # fmt: skip

    def affine() -> Node:
        return draw(st.sampled_from([
            "batch_norm", {"batch_norm": {"scale": False, "epsilon": 0.1}}, {"batch_norm": {"bias": False}},
            {"scale": 0.3}, {"scale": {"value": 2.0, "learned": True, "bias": True}},
            {"scale": {"learned": True, "per_channel": False}}, {"scale": {"bias": True, "per_channel": False}},
        ]))  # fmt: skip

    def nothing() -> Node:
        return draw(st.sampled_from([
            "identity", {"dropout": 0.5}, {"pad": 0}, {"avg_pool": 1}, {"upsample": {"factor": 1}},
            {"crop": {"sides": 0}}, {"channel_shuffle": 1}, {"scale": 1.0},
        ]))  # fmt: skip

    def named(node: Any) -> Node:
        return {"id": name(), **({node: {}} if isinstance(node, str) else node)}

    def branches() -> Node:
        """A concatenation of layers, some of them parallel 1x1 convolutions, some already normalised."""
        kinds = [
            [{"conv": {"filters": draw(st.integers(1, 5)), "kernel": 1, "bias": draw(st.booleans())}}],
            [{"conv": {"filters": 3, "kernel": 3}}],
            [{"conv": {"filters": 2, "kernel": 1}}, affine()],
            [{"conv": {"filters": 2, "kernel": 1}}, {"activation": "relu"}],
        ]
        parts = [[named(node) for node in draw(st.sampled_from(kinds))] for _ in range(draw(st.integers(1, 3)))]
        return {"concat": [{"layers": part} for part in parts]}

    makers = (layer, layer, affine, affine, nothing, branches, lambda: {"activation": "tanh"},
              lambda: {"pad": {"padding": [1, 2], "value": draw(st.sampled_from([0.0, 1.0]))}})  # fmt: skip
    for _ in range(draw(st.integers(2, 6))):
        layers.append(named(draw(st.sampled_from(makers))()))
    ids = [node["id"] for node in layers]
    outputs = {"last": ids[-1], **({"inner": draw(st.sampled_from(ids))} if draw(st.booleans()) else {})}
    return {"cnnspec": 1, "name": "net", "input": {"height": size[0], "width": size[1], "channels": channels},
            "layers": layers, "outputs": outputs}  # fmt: skip
