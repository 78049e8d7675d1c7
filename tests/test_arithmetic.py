"""Arithmetic that papers and courses work out by hand: the cost model prints exactly their numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cnnspec.cli.main import main
from cnnspec.frontend import load_spec

EXAMPLE = Path(__file__).parent.parent / "docs" / "examples" / "alexnet_as_taught.yaml"


def macs(size: int, channels: int, layers: str) -> list[int]:
    text = f"cnnspec: 1\nname: x\ninput: {{height: {size}, width: {size}, channels: {channels}}}\nlayers:\n"
    graph = load_spec(text + "".join(f"  - {line}\n" for line in layers.strip().splitlines())).graph
    return [m for node in graph.nodes if (m := node.op.cost(graph.types_into(node), node.type).macs)]


def test_a_5x5_and_a_1x1_before_it():
    """Szegedy et al. 2014, inception 3a, in 28x28x192: 120 M multiplications, and 12.4 M behind 16 channels."""
    assert macs(28, 192, "conv: {filters: 32, kernel: 5}") == [120_422_400]
    narrow = macs(28, 192, "conv: {filters: 16, kernel: 1}\nconv: {filters: 32, kernel: 5}")
    assert narrow == [2_408_448, 10_035_200]
    assert sum(narrow) == 12_443_648


def test_a_convolution_and_a_separable_one():
    """Howard et al. 2017, section 3.1, for 5x5x3 to 128 filters at 8x8 places."""
    assert macs(12, 3, "conv: {filters: 128, kernel: 5, padding: valid}") == [614_400]
    separable = macs(12, 3, "separable_conv: {filters: 128, kernel: 5, padding: valid}")
    assert separable == [4_800, 24_576]
    assert sum(separable) == 29_376


def test_googlenet_has_fewer_parameters_than_alexnet_but_not_twelve_times():
    """The paper's abstract says twelve times; counted it is 8.7."""
    ours = load_spec("alexnet_two_groups").totals.params / load_spec("googlenet").totals.params
    assert ours == pytest.approx(8.7, abs=0.05)


def test_alexnet_as_it_is_taught_does_not_close(tmp_path):
    done = CliRunner().invoke(main, ["check", str(EXAMPLE)])
    assert done.exit_code == 1
    assert "error[E601]: expected 55x55x96, and the shape is 56x56x96" in done.stderr
    assert "56 = 224 with kernel 11, stride 4" in done.stderr
    # 3,747,200 of the convolutions, 177,213,440, 16,781,312 and 4,097,000.
    closing = tmp_path / "closing.yaml"  # two pixels of padding give 55, and the count is three times too large
    closing.write_text(EXAMPLE.read_text().replace("kernel: 11, stride: 4}", "kernel: 11, stride: 4, padding: 2}"))
    done = CliRunner().invoke(main, ["check", str(closing)])
    assert "error[E602]: expected 60M params, and the network has 201,838,952" in done.stderr
    graph = load_spec(closing.read_text().partition("expect: {params")[0]).graph
    assert graph.parameters["fc6.kernel"].shape == (13 * 13 * 256, 4096)  # 177 M
