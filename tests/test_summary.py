"""The summary: the graph folded back into the nodes of the spec."""

from __future__ import annotations

from cnnspec.frontend import load_spec
from cnnspec.summary import Line, summarise
from cnnspec.testing.checking import check_text
from tests.cli.calling import call

SEVERAL = """cnnspec: 1
name: net
input: {height: 8, width: 8, channels: 6}
blocks:
  forked:
    layers:
      - {id: wide, conv: {filters: 9, kernel: 1}}
      - {id: narrow, from: input, conv: {filters: 2, kernel: 1}}
    outputs: {wide: wide, narrow: narrow}
layers:
  - {id: halves, split: 2}
  - {id: fork, from: "halves:1", forked: {}}
  - {id: last, from: "fork:narrow", conv: {filters: 4, kernel: 3}}
outputs: {last: last, wide: "fork:wide"}
"""


def lines(spec: str, depth: int = 1, fold: bool = True) -> dict[str, Line]:
    return {line.path: line for line in summarise(load_spec(spec).graph, depth, fold)}


def test_a_line_is_a_node_of_the_spec_with_all_that_it_consists_of() -> None:
    found = lines("resnet50")
    assert list(found) == ["conv1", "pool1", "stage1", "stage2", "stage3", "stage4", "global_avg_pool_1", "classifier"]
    assert found["stage2"].kind == "bottleneck x 4"
    assert found["stage2"].shapes == [[28, 28, 512]]
    # conv weights 1x1x256x128 + 3x3x128x128 + 1x1x128x512 + 1x1x256x512, and 3 x (512x128 + 9x128x128 + 128x512),
    # and two numbers a channel of every norm
    first = 256 * 128 + 9 * 128 * 128 + 128 * 512 + 256 * 512 + 2 * (128 + 128 + 512 + 512)
    assert found["stage2"].params == first + 3 * (512 * 128 + 9 * 128 * 128 + 128 * 512 + 2 * (128 + 128 + 512))


def test_equal_iterations_are_one_line_and_a_first_one_that_differs_is_apart() -> None:
    found = lines("resnet50", 2)
    assert [p for p in found if p.startswith("stage2.")] == ["stage2.0", "stage2.3"]
    assert (found["stage2.3"].label, found["stage2.3"].kind) == ("1..3", "bottleneck x 3")
    assert found["stage2.0"].params + found["stage2.3"].params == found["stage2"].params


def test_opened_to_the_end_the_lines_are_the_ops_and_their_counts_are_the_totals() -> None:
    loaded = load_spec("googlenet")
    found = summarise(loaded.graph, 10**6, fold=False)
    ops = [line for line in found if line.path in loaded.graph.by_path]
    assert len(ops) == len(loaded.graph.nodes)
    used = [line for line in ops if not line.training_only]
    assert sum(line.params for line in used) == loaded.totals.params
    assert sum(line.macs for line in used) == loaded.totals.macs
    assert sum(line.params for line in ops if line.training_only) == loaded.totals.training_params > 0


def test_every_output_of_a_node_is_shown() -> None:
    checked = check_text(SEVERAL)
    assert checked.loaded is not None, checked.report
    found = {line.path: line for line in summarise(checked.loaded.graph)}
    assert found["halves"].output == "8x8x3, 8x8x3"
    assert found["fork"].shapes == [[8, 8, 9], [8, 8, 2]]
    assert found["last"].output == "8x8x4"


def test_the_command_prints_a_row_a_line_and_the_totals() -> None:
    printed = call("summary", "vgg16").stdout.splitlines()
    assert printed[0].split() == ["node", "block", "output", "params", "MACs", "field", "memory"]
    assert [row.split()[0] for row in printed if "conv x" in row] == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    assert "params 138,357,544" in printed[-2]
