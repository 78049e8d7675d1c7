"""The charts: what they show is what was counted and published, and no label hides another."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import combinations
from typing import Any

import pytest
from click.testing import CliRunner
from matplotlib.text import Annotation, Text

import cnnspec
from cnnspec.charts.accuracy_chart import CAPTION, accuracy_chart
from cnnspec.charts.directions import ways
from cnnspec.charts.published import facts, published
from cnnspec.charts.scaling_chart import scaling_chart
from cnnspec.charts.style import amount, save
from cnnspec.cli.main import main
from cnnspec.frontend import load_spec

OWN = (
    "cnnspec: 1\nname: own\ninput: {height: 32, width: 32, channels: 3}\nparams: {classes: 10}\nlayers:\n"
    "  - {id: stem, conv: {filters: 32}}\n  - {repeat: 3, basic: {filters: 32}}\n  - global_avg_pool\n"
    "  - {id: classifier, linear: {features: $classes}}\n"
)


def texts(figure: Any) -> list[Text]:
    """The labels that stand in the axes of a figure."""
    return [
        child for axes in figure.axes for child in axes.get_children()
        if isinstance(child, Annotation) and child.get_text()
    ]  # fmt: skip


def assert_readable(figure: Any) -> None:
    """No label covers another, and none leaves the picture."""
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts(figure)]
    assert boxes
    for (one, a), (other, b) in combinations(boxes, 2):
        assert not a.overlaps(b), f"{one} and {other}"
    for text, box in boxes:
        assert box.x0 >= 0, text
        assert box.x1 <= figure.bbox.x1, text
        assert box.y0 >= 0, text
        assert box.y1 <= figure.bbox.y1, text


# --- published accuracies ------------------------------------------------------------------------------------------


def test_every_point_stands_in_the_facts_with_its_protocol():
    for point in published():
        entries = [e for e in facts()["accuracies"][point.name] if e["cite"] == point.cite]
        numbers = {
            e.get("top1", 100 - e.get("error1", 0)) for e in entries if "one crop" in e["how"] and "data" not in e
        }
        assert point.accuracy in numbers, point


def test_what_does_not_compare_is_left_out():
    names = {point.name for point in published()}
    assert len(names) >= 75
    # Other data, ten crops or dense evaluation alone, and no accuracy at all.
    assert not names & {"lenet5", "wrn_28_10", "plain34", "alexnet_two_groups", "googlenet", "zfnet"}
    assert next(p for p in published() if p.name == "vgg16").accuracy == 71.59  # and not the paper's dense 74.4


@pytest.mark.parametrize(
    ("name", "trained", "label", "pixels"),
    [("densenet201", "authors", "201", 224), ("resnet50", "library", "50", 224), ("mnasnet_b1_130", "newer recipe", "1.3x", 224),
     ("efficientnet_b2", "library", "B2", 288), ("mobilenet_v1_05_160", "authors", "0.5x 160", 160),
     ("shufflenet_v2_x1_5", "newer recipe", "1.5x", 224), ("vgg19_bn", "library", "19 BN", 224)],
)  # fmt: skip
def test_counts_are_those_at_the_size_of_the_crop(name, trained, label, pixels):
    point = next(p for p in published() if p.name == name)
    totals = cnnspec.load_spec(name, set={"input.height": pixels, "input.width": pixels}).totals
    assert (point.macs, point.params, point.trained, point.label) == (totals.macs, totals.params, trained, label)


@pytest.fixture(scope="module")
def zoo() -> Any:
    return accuracy_chart()


def test_the_zoo_shows_every_point_at_its_place(zoo):
    for axes, count in zip(zoo.axes, ("macs", "params"), strict=True):
        drawn = {(float(x), float(y)) for line in axes.lines for x, y in zip(*line.get_data(), strict=True)}
        assert drawn == {(getattr(p, count), p.accuracy) for p in published()}
        assert axes.get_xscale() == "log"


def test_the_zoo_is_readable_and_says_how_it_was_measured(zoo):
    assert_readable(zoo)
    said = " ".join(text.get_text() for text in zoo.texts) + " ".join(t.get_text() for t in zoo.legends[0].get_texts())
    for words in (
        "ImageNet validation",
        "one network from one crop",
        "docs/zoo.md",
        "authors",
        "library",
        "recipe of today",
    ):
        assert words in said
    assert CAPTION in [text.get_text() for text in zoo.texts]


def test_families_asked_for_are_in_colour_and_what_nobody_published_is_a_line():
    figure = accuracy_chart([("own", load_spec(OWN)), ("shufflenet_v2_x1_0", load_spec("shufflenet_v2_x1_0"))])
    assert_readable(figure)
    bold = {text.get_text() for text in texts(figure) if text.get_fontweight() == "bold"}
    assert bold == {"ShuffleNet v2 2.0x"}
    assert sum("own: no accuracy published" in text.get_text() for text in texts(figure)) == 2
    macs = load_spec(OWN).totals.macs
    assert any(list(line.get_xdata()) == [macs, macs] for line in figure.axes[0].lines)


# --- growth --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def growth() -> Any:
    specs = [("efficientnet_b0", load_spec("efficientnet_b0")), ("own", load_spec(OWN))]
    return specs, {name: ways(loaded, loaded) for name, loaded in specs}


def test_ways_are_the_networks_that_scaling_makes(growth):
    _, followed = growth
    found = {axis: {step.at: step for step in way.steps} for axis, way in followed["efficientnet_b0"].items()}
    for axis, factors in (("width", {"width": 0.5}), ("depth", {"depth": 2.0}), ("resolution", {"resolution": 448}),
                          ("compound", {"phi": 1.0})):  # fmt: skip
        (at,) = factors.values()
        totals = cnnspec.scale("efficientnet_b0", **factors).totals
        assert (found[axis][at].macs, found[axis][at].params) == (totals.macs, totals.params)
    named = dict(followed["efficientnet_b0"]["compound"].named)
    assert list(named) == [f"b{n}" for n in range(8)]
    assert named["b7"].params == 66_347_960
    assert [step.at for step in named.values()] == sorted(step.at for step in named.values())


def test_sizes_that_a_network_refuses_give_way():
    way = ways("bn_inception", load_spec("bn_inception"))["resolution"]
    assert len(way.steps) >= 10
    assert all(step.at % 32 in (31, 0, 1, 2, 3, 4, 5, 6) for step in way.steps)


def test_growth_is_drawn_as_it_was_counted(growth):
    specs, followed = growth
    figure = scaling_chart(*growth)
    assert_readable(figure)
    assert len(figure.axes) == 8
    for axes, (count, axis) in zip(
        figure.axes, [(c, a) for c in ("macs", "params") for a in followed["own"]], strict=True
    ):
        lines = [list(zip(*line.get_data(), strict=True)) for line in axes.lines]
        for name, loaded in specs:
            assert [(step.at, getattr(step, count)) for step in followed[name][axis].steps] in lines
            assert any(len(line) == 1 and line[0][1] == getattr(loaded.totals, count) for line in lines)
        assert axes.get_yscale() == "log"
    ends = [text.get_text() for text in texts(figure) if text.get_fontweight() == "bold"]
    assert sorted(ends) == ["efficientnet_b0", "efficientnet_b0", "own", "own"]


@pytest.mark.parametrize(
    ("number", "text"),
    [(386_000_000, "386M"), (1.5e9, "1.5G"), (5_288_548, "5.29M"), (999_900, "1M"), (1e12, "1T"), (12, "12")],
)
def test_counts_as_people_read_them(number, text):
    assert amount(number) == text


# --- files and the command -----------------------------------------------------------------------------------------


def test_files_are_what_their_endings_say_and_the_same_every_time(zoo, tmp_path):
    for name in ("a.png", "a.svg", "b.png", "b.svg"):
        save(zoo, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "a.svg").read_text()[:2000]
    for kind in ("png", "svg"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


@pytest.mark.slow
def test_another_process_draws_the_same(tmp_path):
    """Nothing hangs on the order in which a process happens to keep its sets."""
    code = (
        "import sys; from cnnspec.cli.main import main; main(['chart', '--kind', 'accuracy', '--output', sys.argv[1]])"
    )
    for seed in ("1", "2"):
        subprocess.run([sys.executable, "-c", code, tmp_path / f"{seed}.svg"], env={**os.environ, "PYTHONHASHSEED": seed},
                       check=True, capture_output=True)  # fmt: skip
    assert (tmp_path / "1.svg").read_bytes() == (tmp_path / "2.svg").read_bytes()


def run(*arguments: Any, code: int = 0) -> Any:
    done = CliRunner().invoke(main, ["chart", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done


def test_the_command_draws_a_spec_of_your_own(tmp_path):
    (tmp_path / "own.yaml").write_text(OWN)
    done = run(tmp_path / "own.yaml", "lenet5_modern", "-o", tmp_path / "own.png", "-o", tmp_path / "own.svg")
    assert done.stdout == f"written to {tmp_path / 'own.png'}\nwritten to {tmp_path / 'own.svg'}\n"
    assert {path.name for path in tmp_path.iterdir()} == {"own.yaml", "own.png", "own.svg"}


def test_the_command_draws_the_zoo(tmp_path):
    run("--kind", "accuracy", "--output", tmp_path / "zoo.svg")
    assert re.search(r"<svg[^>]*width=", (tmp_path / "zoo.svg").read_text())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "name at least one FILE"),
        (["lenet5", "--output", "x.pdf"], 2, "should end in .png or .svg"),
        (["lenet5", "lenet5"], 2, "named twice"),
        (["lenet5", "--kind", "pie"], 2, "pie"),
        (["nothing.yaml"], 1, "error[E001]"),
        (["lenet5", "--set", "nothing=1"], 1, "error[E405]"),
        (["lenet5_modern", "--output", "/dev/null/x.png"], 2, "cannot write"),
    ],
)
def test_what_cannot_be_drawn(arguments, code, said):
    assert said in run(*arguments, code=code).stderr
