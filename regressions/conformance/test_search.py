"""The search for a change, over every short history and many long ones."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regressions.bisect.search import (
    EndsError,
    Judgement,
    bad_end,
    first_bad,
    good_end,
    settled,
    steps_left,
)

GOOD, BAD, UNKNOWN = Judgement.GOOD, Judgement.BAD, Judgement.UNKNOWN


class History:
    """A row of judgements that counts how often it is asked."""

    def __init__(self, row: tuple[Judgement, ...] | list[Judgement]) -> None:
        self.row = row
        self.asked: list[int] = []

    def __call__(self, position: int) -> Judgement:
        self.asked.append(position)
        return self.row[position]


def check(row: tuple[Judgement, ...] | list[Judgement]) -> None:
    history = History(row)
    found = first_bad(history, 0, len(row) - 1)
    assert row[found.good] is GOOD and row[found.bad] is BAD
    assert all(row[position] is UNKNOWN for position in range(found.good + 1, found.bad)), "an honest set, no larger"
    assert found.unknown == {position for position in history.asked if row[position] is UNKNOWN}
    assert len(set(history.asked)) == len(history.asked), "nothing is asked twice"
    if UNKNOWN not in row:
        assert found.is_sure
        assert len(history.asked) <= math.log2(len(row)) + 3


@pytest.mark.parametrize("length", range(2, 9))
def test_every_short_history(length: int):
    for middle in itertools.product(Judgement, repeat=length - 2):
        check((GOOD, *middle, BAD))


@pytest.mark.parametrize("length", [2, 3, 4, 7, 8, 9, 63, 64, 65, 1000])
def test_every_place_in_a_history_that_turns_once(length: int):
    for culprit in range(1, length):
        history = History([GOOD] * culprit + [BAD] * (length - culprit))
        found = first_bad(history, 0, length - 1)
        assert list(found.culprits) == [culprit]
        assert len(history.asked) <= math.ceil(math.log2(length)) + 2
        assert len(history.asked) <= 2 + steps_left(0, length - 1)


@given(st.lists(st.sampled_from(Judgement), max_size=400))
def test_long_histories(middle: list[Judgement]):
    check([GOOD, *middle, BAD])


@given(st.integers(1, 300), st.integers(0, 300), st.sets(st.integers(0, 600)))
def test_unaskable_revisions_around_one_turn_widen_the_answer_and_nothing_else(before: int, after: int, holes: set):
    row = [GOOD] * before + [BAD] * (after + 1)
    row = [UNKNOWN if i in holes and 0 < i < len(row) - 1 else j for i, j in enumerate(row)]
    found = first_bad(History(row), 0, len(row) - 1)
    assert before in found.culprits
    assert all(row[i] is UNKNOWN for i in found.culprits if i != found.bad)


def test_a_broken_stretch_is_left_in_a_few_steps():
    row = [GOOD] * 400 + [UNKNOWN] * 200 + [GOOD] * 100 + [BAD] * 300
    history = History(row)
    assert list(first_bad(history, 0, 999).culprits) == [700]
    assert len(history.asked) <= 14


@pytest.mark.parametrize(
    ("row", "position", "judgement"),
    [((BAD, BAD), 0, BAD), ((GOOD, GOOD), 1, GOOD), ((GOOD, UNKNOWN), 1, UNKNOWN), ((UNKNOWN, BAD), 0, UNKNOWN)],
)
def test_ends_are_verified_first(row: tuple, position: int, judgement: Judgement):
    with pytest.raises(EndsError) as caught:
        first_bad(History(row), 0, 1)
    assert (caught.value.position, caught.value.judgement) == (position, judgement)


def test_ends_in_the_wrong_order():
    with pytest.raises(ValueError, match="3 does not come before 3"):
        first_bad(History([GOOD] * 4), 3, 3)


@pytest.mark.parametrize("length", range(1, 9))
def test_the_good_end_of_every_short_history(length: int):
    for row in itertools.product(Judgement, repeat=length):
        history = History((*row, BAD))
        found = good_end(history, length)
        if found is None:
            assert row[0] is not GOOD
        else:
            assert row[found] is GOOD
        assert len(set(history.asked)) == len(history.asked)


@pytest.mark.parametrize("distance", [1, 2, 3, 10, 100, 1000])
def test_the_good_end_is_found_in_doubling_steps(distance: int):
    history = History([GOOD] * 1001 + [BAD] * distance)
    found = good_end(history, len(history.row) - 1)
    assert found is not None and found <= 1000
    assert len(history.asked) <= math.log2(distance) + 2


def test_the_bad_end_mirrors_it():
    row = [GOOD] * 7 + [BAD] * 30
    found = bad_end(History(row), 0, len(row) - 1)
    assert found is not None and row[found] is BAD
    assert bad_end(History([GOOD] * 9), 0, 8) is None


@pytest.mark.parametrize("length", range(1, 10))
def test_what_is_settled_agrees_by_its_lead(length: int):
    for answers in itertools.product((GOOD, BAD), repeat=length):
        rest: Callable = iter(answers).__next__
        found = settled(lambda _, rest=rest: rest(), agree=2, attempts=length)(0)
        leads = list(itertools.accumulate(1 if a is BAD else -1 for a in answers))
        first = next((lead for lead in leads if abs(lead) == 2), 0)
        assert found is {2: BAD, -2: GOOD, 0: UNKNOWN}[first]


def test_what_cannot_be_asked_is_not_asked_again():
    history = History([UNKNOWN])
    assert settled(history, agree=3)(0) is UNKNOWN
    assert history.asked == [0]


@given(st.integers(1, 60), st.integers(0, 60), st.randoms(use_true_random=False))
def test_a_flaky_history_is_settled_or_stepped_over(before: int, after: int, random):
    """Each answer is right three times in four; a lead of 16 is wrong once in 43 million times."""
    row = [GOOD] * before + [BAD] * (after + 1)

    def ask(position: int) -> Judgement:
        right = row[position]
        return right if random.random() < 0.75 else (GOOD if right is BAD else BAD)

    sure = settled(ask, agree=16, attempts=400)
    found = first_bad(sure, 0, len(row) - 1)
    assert before in found.culprits
