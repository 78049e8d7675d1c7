"""Strict YAML: scalars, what is refused and where, bounds, and the round trip of `dump`."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnspec.diagnostics import Report, Source
from cnnspec.source import MOST_BYTES, MOST_DEPTH, Mapping, Tree, dump, parse, plain, read, resolve_scalar


def parsed(text: str) -> tuple[Tree | None, list[tuple[str, int, int]]]:
    report = Report()
    tree = parse(Source("t.yaml", text), report)
    return tree, [(d.code, d.span.line, d.span.column) if d.span else (d.code, 0, 0) for d in report]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001), ("1E3", 1000.0), ("010", 10), ("0o10", 8), ("0x1F", 31), ("+5", 5), ("-0", 0), (".5", 0.5),
        ("5.", 5.0), ("on", "on"), ("off", "off"), ("yes", "yes"), ("No", "No"), ("true", True), ("FALSE", False),
        ("~", None), ("null", None), ("", None), ("1_000", "1_000"), ("12:30:45", "12:30:45"), ("2001-01-01", "2001-01-01"),
        (".inf", math.inf), ("-.INF", -math.inf), ("3x3", "3x3"), ("1409.4842", 1409.4842), ("-", "-"), ("+.", "+."),
    ],
)  # fmt: skip
def test_plain_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    found = resolve_scalar(text)
    assert found == value
    assert type(found) is type(value)


def test_quoted_scalars_stay_text() -> None:
    tree, found = parsed("a: '1e-3'\nb: \"true\"\nc: |\n  12\n")
    assert not found
    assert plain(tree) == {"a": "1e-3", "b": "true", "c": "12\n"}


def test_keys_are_names_even_where_they_look_like_numbers() -> None:
    tree, found = parsed("{1: a, true: b, 'x y': c}\n")
    assert not found
    assert plain(tree) == {"1": "a", "true": "b", "x y": "c"}


def test_every_key_and_value_knows_its_place() -> None:
    tree, _ = parsed("a: 1\nb:\n  - c: [x,  yy]\n")
    assert isinstance(tree, Mapping)
    entry = tree.entries["b"]
    assert (entry.key_span.line, entry.key_span.column, entry.key_span.end_column) == (2, 1, 2)
    item = entry.value.items[0].entries["c"].value.items[1]
    assert (item.span.line, item.span.column, item.span.end_column) == (3, 13, 15)


def test_columns_count_characters_not_bytes() -> None:
    tree, _ = parsed("a: {é中: x, b: yy}\n")
    span = tree.entries["a"].value.entries["b"].value.span
    assert (span.column, span.end_column) == (15, 17)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2\n", [("E004", 2, 1)]),
        ("a: {b: 1, b: 2, b: 3}\n", [("E004", 1, 11), ("E004", 1, 17)]),
        ("a: &x 1\nb: *x\n", [("E005", 1, 4), ("E005", 2, 4)]),
        ("a: {<<: {b: 1}}\n", [("E005", 1, 5)]),
        ("a: !!python/object:os.system x\n", [("E005", 1, 4)]),
        ("!local {a: 1}\n", [("E005", 1, 1)]),
        ("", [("E003", 1, 1)]),
        ("# nothing but a comment\n", [("E003", 1, 1)]),
        ("a: [1, 2\n", [("E003", 1, 4)]),
        ("a: b: c\n", [("E003", 1, 5)]),
        ("a:\n\t- b\n", [("E003", 2, 1)]),
        ("a: 1\n---\nb: 2\n", [("E006", 3, 1)]),
        ("{[1, 2]: a}\n", [("E007", 1, 2)]),
        ("a: {${x}: 1}\n", [("E003", 1, 5)]),
        ("a: \x07\n", [("E002", 1, 4)]),
    ],
)
def test_what_is_refused_and_where(text: str, expected: list[tuple[str, int, int]]) -> None:
    _, found = parsed(text)
    assert found == expected


def test_a_refused_key_does_not_hide_what_follows() -> None:
    tree, found = parsed("a: 1\na: {b: 1, b: 2}\nc: 3\n")
    assert [code for code, _, _ in found] == ["E004", "E004"]
    assert plain(tree) == {"a": 1, "c": 3}


def test_depth_is_bounded() -> None:
    _, found = parsed("[" * (MOST_DEPTH + 1) + "]" * (MOST_DEPTH + 1))
    assert [code for code, _, _ in found] == ["E006"]
    # So deep that the reader of YAML itself gives up.
    _, found = parsed("[" * 100_000)
    assert [code for code, _, _ in found] in (["E003"], ["E006"])


def test_the_number_of_values_is_bounded() -> None:
    _, found = parsed("[" + "1," * 450_000 + "]")
    assert [code for code, _, _ in found] == ["E006"]


def test_files_that_cannot_be_read(tmp_path) -> None:
    (tmp_path / "vgg.yaml").write_text("a: 1")
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: \xe9\n")
    (tmp_path / "big.yaml").write_bytes(b"#" * (MOST_BYTES + 1))
    cases = {"vg.yaml": "E001", "latin.yaml": "E002", "big.yaml": "E006", "": "E001", "nul\0": "E001"}
    for name, code in cases.items():
        report = Report()
        assert read(tmp_path / name, report) is None
        assert [d.code for d in report] == [code], name
    report = Report()
    read(tmp_path / "vg.yaml", report)
    assert "did you mean `vgg.yaml`?" in next(iter(report)).help


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    source = read(tmp_path / "a.yaml", Report())
    assert source is not None
    assert source.text == "a: 1\n"


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(_VALUES)
def test_what_is_dumped_is_read_back(value: object) -> None:
    report = Report()
    tree = parse(Source("t", dump(value)), report)
    assert not list(report)
    assert tree is not None
    assert plain(tree) == value


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_give_a_traceback(tmp_path_factory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(data)
    report = Report()
    source = read(path, report)
    tree = parse(source, report) if source is not None else None
    assert tree is not None or report.failed
