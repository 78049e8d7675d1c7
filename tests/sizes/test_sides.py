"""Sides as functions of the input's side, the sets of sizes that conditions leave, and their words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnspec.sizes.sides import IDENTITY, NotPeriodicError, Side, fixed, learned
from cnnspec.sizes.valid import EVERY, Valid, at_least, equal, multiple_of, repeating
from cnnspec.sizes.wording import in_words


def window(kernel: int, stride: int, pad: int = 0, ceil: bool = False) -> Side:
    """The rule of a sliding window, as the walk learns it from an op."""

    def rule(length: int) -> int | None:
        room = length + 2 * pad - kernel
        return None if room < 0 else (room + stride - 1 if ceil else room) // stride + 1

    return learned(rule, stride, 50)[0]


windows = st.builds(window, st.integers(1, 7), st.integers(1, 4), st.integers(0, 3), st.booleans())


@given(rules=st.lists(windows, max_size=4), size=st.integers(1, 500))
def test_a_composition_is_one_side(rules, size):
    side, length = IDENTITY, size
    for rule in rules:
        side, length = side.then(rule), rule.at(length)
    assert side.at(size) == length
    assert side.plus(side).at(size) == 2 * length == side.times(2).at(size)


@given(one=windows, two=windows, length=st.integers(1, 30), number=st.integers(1, 6))
def test_conditions_hold_where_they_are_said_to(one, two, length, number):
    side = one.then(two)
    for n in range(1, 200):
        assert (n in at_least(side, length)) == (side.at(n) >= length)
        assert (n in equal(one, two)) == (one.at(n) == two.at(n))
        assert (n in multiple_of(side, number)) == (side.at(n) % number == 0)
        both = at_least(side, length) & multiple_of(one, number)
        assert (n in both) == (side.at(n) >= length and one.at(n) % number == 0)


@given(pattern=st.lists(st.booleans(), min_size=1, max_size=9), before=st.lists(st.booleans(), max_size=12))
def test_what_repeats_itself_goes_on(pattern, before):
    flags = [False, *before, *pattern * (5 + 2 * len(before))]
    valid = repeating(flags)
    assert [n in valid for n in range(1, len(flags))] == flags[1:]
    assert all((n in valid) == pattern[(n - 1 - len(before)) % len(pattern)] for n in range(len(flags), 300))
    assert len(pattern) % valid.period == 0
    assert valid.below(valid.settled) == [n for n in range(1, valid.settled) if n in valid]
    both = valid & at_least(IDENTITY, 5)
    assert all((n in both) == (n in valid and n >= 5) for n in range(1, 200))


def test_what_does_not_repeat_itself_is_refused():
    with pytest.raises(NotPeriodicError):
        repeating([n in (40, 45, 51) for n in range(64)])
    with pytest.raises(NotPeriodicError):
        learned(lambda length: length * length, 1, 8)


def test_what_is_the_least_that_a_rule_accepts():
    assert learned(lambda n: None if n < 5 else (n - 5) // 3 + 1, 3, 60)[1] == 5
    assert learned(lambda n: n, 1, 60)[1] == 1


only = [(1, 0)]


@pytest.mark.parametrize(
    ("valid", "words"),
    [
        (EVERY, "any size"),
        (Valid(((75, None),)), "at least 75"),
        (Valid(((1, None), *only * 31)), "multiples of 32"),
        (Valid(((64, None), *only * 31)), "multiples of 32, at least 64"),
        (Valid((*only * 2, (1, None), *only)), "4k + 2"),
        (Valid(((63, None), *[(63, None)] * 6, *only * 24, (63, None))), "32k - 1 to 32k + 6, at least 63"),
        (equal(IDENTITY, fixed(28)), "only 28"),
        (Valid(((1, 0),)), "no size"),
        (Valid(((5, 7),)), "only 5 to 7"),
        (Valid(((10, None),), frozenset({3, 12})), "at least 13, and 3, 10, 11"),
    ],
)
def test_words(valid, words):
    assert in_words(valid) == words
