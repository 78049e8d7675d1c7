"""What is said where a spec is wrong: exact places, chains, help, and silence about consequences."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from cnnspec.cli.main import main
from cnnspec.rendering import render_text
from cnnspec.testing.checking import Checked

Layers = Callable[..., Checked]

FOUR = """\
cnnspec: 1
name: four
input: {height: 8, width: 8, channels: 3}
layers:
  - {id: a, conv: {filters: 4, kernal: 3}}
  - {id: b, from: input, conv: {filters: 8}}
  - {id: c, from: input, conv: {filters: 6}}
  - {id: d, add: [b, c]}
  - {id: e, from: bb, conv: {filters: 4}}
  - {id: f, from: b, max_pool: {window: 9, stride: 2}}
  - global_avg_pool
  - {id: head, linear: {features: 10}}
"""


def test_four_planted_mistakes_show_four_diagnostics(check: Callable[..., Checked]) -> None:
    checked = check(FOUR)
    assert checked.places == [("E101", 5, 32), ("E203", 8, 18), ("E301", 9, 19), ("E202", 10, 41)]
    typo, merge, unknown, window = checked.diagnostics
    assert typo.help == "did you mean `kernel`?"
    assert [label.text.split() for label in merge.labels] == [
        ["b", "8x8x8", "8", "=", "filters", "8"],
        ["c", "8x8x6", "6", "=", "filters", "6"],
    ]
    assert [label.span.line for label in merge.labels if label.span] == [6, 7]
    assert unknown.help == "did you mean `b`?"
    assert "9" in window.message
    assert "8" in window.message
    # Each caret stands under what is wrong.
    under = [(d.span.source.line(d.span.line)[d.span.column - 1 : d.span.end_column - 1]) for d in checked.diagnostics]
    assert under == ["kernal", "[b, c]", "bb", "9"]


def test_the_commands_exit_codes_and_formats(tmp_path) -> None:
    path = tmp_path / "four.yaml"
    path.write_text(FOUR)
    run = CliRunner().invoke
    assert run(main, ["check", str(path)]).exit_code == 1
    assert run(main, ["check", "vgg16"]).exit_code == 0
    assert run(main, ["check"]).exit_code == 2
    assert run(main, ["chekc", "vgg16"]).exit_code == 2
    found = json.loads(run(main, ["check", "--format", "json", str(path)]).stdout)
    assert [(d["code"], d["line"], d["column"]) for d in found] == check_places(FOUR)
    github = run(main, ["check", "--format", "github", str(path)]).stdout.strip().split("\n")
    assert [line.split("title=")[1][:4] for line in github] == ["E101", "E203", "E301", "E202"]


def check_places(text: str) -> list[tuple[str, int, int]]:
    from cnnspec.testing.checking import check_text

    return check_text(text).places


# Layers begin in line 5, in column 3; every case has exactly one mistake.
CASES = [
    ("- conv: {filter: 4}", [("E101", 5, 12)]),
    ("- conv: {filters: 4, stride: 0}", [("E104", 5, 32)]),
    ("- conv: {filters: four}", [("E103", 5, 21)]),
    ("- conv: {filters: 4.5}", [("E103", 5, 21)]),
    ("- conv: {filters: true}", [("E103", 5, 21)]),
    ("- conv: {filters: 4, kernel: [3, 3, 3]}", [("E103", 5, 32)]),
    ("- conv: {filters: 4, padding: some}", [("E103", 5, 33)]),
    ("- conv: {filters: 4, order: first}", [("E105", 5, 31)]),
    ("- conv: {filters: 4, norm: bach}", [("E105", 5, 30)]),
    ("- conv: {filters: 4, act: rleu}", [("E105", 5, 29)]),
    ("- conv: {filters: 4, kernel_init: he}", [("E105", 5, 37)]),
    ("- convv: {filters: 4}", [("E106", 5, 5)]),
    ("- relu", [("E106", 5, 5)]),
    ("- 5", [("E107", 5, 5)]),
    ("- {id: a}", [("E107", 5, 5)]),
    ("- {conv: {filters: 4}, linear: {features: 2}}", [("E107", 5, 5)]),
    ("- {conv: {filters: 4}, form: a}", [("E101", 5, 26)]),
    ("- {id: 1a, conv: {filters: 4}}", [("E110", 5, 10)]),
    ("- {id: a, conv: {filters: 4}}\n- {id: a, conv: {filters: 4}}", [("E302", 6, 10)]),
    ("- {conv: {filters: 4}, first: {stride: 2}}", [("E109", 5, 33)]),
    ("- {repeat: -1, conv: {filters: 4}}", [("E103", 5, 14)]),
    ("- {repeat: 20000, conv: {filters: 4}}", [("E702", 5, 14)]),
    ("- {when: 3, conv: {filters: 4}}", [("E103", 5, 12)]),
    ("- flatten\n- conv: {filters: 4}", [("E201", 6, 11)]),
    ("- linear: {features: 4}", [("E201", 5, 13)]),
    ("- conv: {filters: 4, kernel: 9, padding: valid}", [("E202", 5, 32)]),
    ("- max_pool: 9", [("E202", 5, 15)]),
    ("- crop: 9", [("E202", 5, 11)]),
    ("- {from: [input, input], conv: {filters: 4}}", [("E204", 5, 34)]),
    ("- {from: [input, input], flatten: {}}", [("E204", 5, 37)]),
    ("- conv: {filters: 4, groups: 2}", [("E205", 5, 32)]),
    ("- channel_shuffle: 2", [("E205", 5, 22)]),
    ("- split: 2", [("E205", 5, 12)]),
    ("- reshape: [5, 5]", [("E207", 5, 14)]),
    ("- {id: a, conv: {filters: 4}}\n- {id: b, shared: a}", [("E206", 6, 13)]),
    ("- {from: b, identity: {}}\n- {id: b, identity: {}}", [("E301", 5, 12)]),
    ("- {shared: a}", [("E301", 5, 14)]),
    ("- {id: s, split: 3}\n- {from: 's:3', identity: {}}", [("E303", 6, 12)]),
    ("- {id: t, training_only: true, identity: {}}\n- {from: t, identity: {}}", [("E304", 6, 25)]),
    ('- conv: {filters: "${1 +}"}', [("E401", 5, 21)]),
    ("- conv: {filters: $depth}", [("E402", 5, 21)]),
    ('- conv: {filters: "${1 // 0}"}', [("E403", 5, 21)]),
    ('- conv: {filters: "${10 ** 40}"}', [("E404", 5, 21)]),
    ("- {conv: {filters: 4}, expect: [8, 8, 5]}", [("E601", 5, 34)]),
    ("- {conv: {filters: 4}, expect: 4}", [("E103", 5, 34)]),
    ("- {repeat: 9999, layers: [identity, identity, identity, identity, identity, identity]}", [("E701", 5, 14)]),
    ("- conv: {filters: 100000000, kernel: 9}", [("E703", 5, 21)]),
    ("- upsample: 99999999", [("E704", 5, 15)]),
]


@pytest.mark.parametrize(("layers", "expected"), CASES)
def test_exact_places(check_layers: Layers, layers: str, expected: list[tuple[str, int, int]]) -> None:
    checked = check_layers(layers)
    assert checked.places == expected, render_text(checked.diagnostics)
    assert checked.loaded is None
    for diagnostic in checked.diagnostics:
        assert not diagnostic.message.endswith(".")
        assert diagnostic.help or diagnostic.code in ("E103", "E104", "E105"), diagnostic


HEADERS = [
    ("name: n\ninput: {features: 2}\nlayers: [flatten]\n", [("E108", 1, 1)]),
    ("cnnspec: 2\nname: n\ninput: {features: 2}\nlayers: [flatten]\n", [("E108", 1, 10)]),
    ("cnnspec: 1\ninput: {features: 2}\nlayers: [flatten]\n", [("E102", 1, 1)]),
    ("cnnspec: 1\nname: n\ninput: {features: 2}\n", [("E102", 1, 1)]),
    ("cnnspec: 1\nname: n\nlayers: [flatten]\n", [("E102", 1, 1)]),
    ("cnnspec: 1\nname: n\ninput: {height: 2, width: 2}\nlayers: [flatten]\n", [("E109", 3, 8)]),
    ("cnnspec: 1\nname: n\ninput: {features: 2}\ninputs: {a: {features: 2}}\nlayers: [flatten]\n", [("E109", 3, 1)]),
    ("cnnspec: 1\nname: n\ninput: {features: 2}\nlayers: {a: 1}\n", [("E103", 4, 9)]),
    ("cnnspec: 1\nname: n\ninput: {features: 2}\nlayers: [flatten]\nlayer: []\n", [("E101", 5, 1)]),
    ("cnnspec: 1\nname: n\ninput: {features: 2}\nlayers: [flatten]\noutputs: {a: b}\n", [("E301", 5, 14)]),
    ("cnnspec: 1\nname: n\ninput: {features: 2}\nlayers: [flatten]\nexpect: {params: 3}\n", [("E602", 5, 18)]),
    ("cnnspec: 1\nname: n\ninput: {features: 2}\nlayers: [flatten]\nexpect: {macs: 3}\n", [("E603", 5, 16)]),
    ("cnnspec: 1\nname: n\ninput: {features: 2}\nlayers: [flatten]\nexpect: {output: [3]}\n", [("E604", 5, 18)]),
    ("cnnspec: 1\nname: n\ninput: {features: 2}\nlayers: [flatten]\nexpect: {param: 3}\n", [("E101", 5, 10)]),
    ("cnnspec: 1\nname: n\nparams: {k: int}\ninput: {features: 2}\nlayers: [flatten]\n", [("E406", 3, 10)]),
    ("cnnspec: 1\nname: n\nparams: {k: $k}\ninput: {features: 2}\nlayers: [flatten]\n", [("E402", 3, 13)]),
    (
        "cnnspec: 1\nname: n\nparams: {k: '${m + 1}', m: 2}\ninput: {features: 2}\nlayers: [flatten]\n",
        [("E402", 3, 16)],
    ),
    (
        "cnnspec: 1\nname: n\nparams: {k: {min: 3, max: 1, default: 2}}\ninput: {features: 2}\nlayers: [flatten]\n",
        [("E109", 3, 27)],
    ),
    (
        "cnnspec: 1\nname: n\nparams: {k: {type: int, choice: [1]}}\ninput: {features: 2}\nlayers: [flatten]\n",
        [("E109", 3, 33)],
    ),
    ("cnnspec: 1\nname: n\nparams: {input: 3}\ninput: {features: 2}\nlayers: [flatten]\n", [("E110", 3, 10)]),
    ("cnnspec: 1\nname: n\nset: {k: 1}\ninput: {features: 2}\nlayers: [flatten]\n", [("E405", 3, 7)]),
    (
        "cnnspec: 1\nname: n\nblocks: {conv: {layers: [flatten]}}\ninput: {features: 2}\nlayers: [flatten]\n",
        [("E110", 3, 10)],
    ),
    (
        "cnnspec: 1\nname: n\ndefaults: {conv: {kernal: 3}}\ninput: {features: 2}\nlayers: [flatten]\n",
        [("E101", 3, 19)],
    ),
    (
        "cnnspec: 1\nname: n\ndefaults: {convv: {kernel: 3}}\ninput: {features: 2}\nlayers: [flatten]\n",
        [("E106", 3, 12)],
    ),
    ("[]\n", [("E103", 1, 1)]),
]


@pytest.mark.parametrize(("text", "expected"), HEADERS)
def test_exact_places_in_the_header(
    check: Callable[..., Checked], text: str, expected: list[tuple[str, int, int]]
) -> None:
    checked = check(text)
    assert checked.places == expected, render_text(checked.diagnostics)


def test_a_poisoned_node_silences_what_follows_from_it(check_layers: Layers) -> None:
    layers = """
- {id: a, conv: {filters: 4, kernel: 0}}
- {id: b, conv: {filters: "${incoming.channels * 2}"}}
- {id: c, add: [a, b]}
- {id: d, from: [c, input], concat: {}}
- {repeat: 3, basic: {filters: 4}}
- flatten
- {id: e, linear: {features: 3}, expect: [4]}
- {id: f, from: input, linear: {features: 3}}
"""
    assert check_layers(layers).places == [("E104", 5, 40), ("E201", 12, 34)]


def test_independent_mistakes_in_one_node_are_all_shown(check_layers: Layers) -> None:
    checked = check_layers('- conv: {filters: 0, kernel: 0, strid: 1, groups: "${x}"}')
    assert checked.places == [("E104", 5, 21), ("E104", 5, 32), ("E101", 5, 35), ("E402", 5, 56)]


def test_the_chain_through_user_blocks(check_layers: Layers) -> None:
    blocks = """\
blocks:
  inner: {params: {n: int}, layers: [{id: x, conv: {filters: 4, groups: $n}}]}
  outer: {layers: [{id: y, inner: {n: 3}}]}
"""
    (diagnostic,) = check_layers("- {id: z, conv: {filters: 2}}\n- {id: o, outer: {}}", blocks).diagnostics
    assert (diagnostic.code, diagnostic.span.line) == ("E205", 5)
    chain = [(label.text, label.span.line) for label in diagnostic.labels if label.text.startswith("in ")]
    assert chain == [("in `inner` at `o.y`", 6), ("in `outer` at `o`", 9)]


def test_the_origin_of_a_dimension_through_an_expression(check_layers: Layers) -> None:
    layers = '- {id: a, conv: {filters: "${base * 2}"}}\n- {id: b, from: input, conv: {filters: 4}}\n- {add: [a, b]}'
    (diagnostic,) = check_layers(layers, "params: {base: 16}\n").diagnostics
    assert diagnostic.labels[0].text.split("   ")[2] == "32 = filters base 16 * 2"
    assert diagnostic.labels[0].span.line == 6


def test_the_origin_of_a_dimension_through_a_block_and_ops_that_pass_it_on(check_layers: Layers) -> None:
    layers = "- {id: a, bottleneck: {filters: 2}}\n- {id: b, activation: relu}\n- {id: c, from: input, conv: {filters: 4}}\n- {add: [b, c]}"
    (diagnostic,) = check_layers(layers).diagnostics
    assert "8 = filters 2 x expansion 4" in diagnostic.labels[0].text


def test_a_mistake_in_every_iteration_is_shown_once(check_layers: Layers) -> None:
    assert check_layers("- {repeat: 5, conv: {filters: 4, kernel: 0}}").places == [("E104", 5, 44)]


def test_recursion_of_blocks_is_bounded(check_layers: Layers) -> None:
    checked = check_layers("- {a: {}}", "blocks: {a: {layers: [{b: {}}]}, b: {layers: [{a: {}}]}}\n")
    assert checked.codes == ["E705"]
