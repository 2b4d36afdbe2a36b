"""The words that rules are made of: linear in their first argument, however they are computed; and the ways agree."""

import numpy as np
import pytest

from engine.rules import lookup
from engine.rules.elementwise import angle_partial
from engine.rules.indexing import scatter
from engine.rules.selection import (
    WORDS,
    between,
    chosen,
    evened,
    held_records,
    on_diagonal,
    only,
    placed,
    record_holders,
    shared,
    sorting,
)
from engine.rules.shape import blocks

from .rule_rows import row, row_tests

RNG = np.random.default_rng(29)
M = RNG.uniform(0.5, 2.0, (2, 3)) * RNG.choice([-1, 1], (2, 3))
V = np.array([1.3, -0.4, 2.2, 0.9])
Z = V + 1j * RNG.uniform(-1, 1, V.shape)
SOME = np.array([[True, False, True], [False, False, True]])
TIED = np.array([[3, 3, 1], [2, 5, 5]])
FEW = np.zeros((2, 60), bool)
FEW[[0, 0, 1], [4, 7, 9]] = True
HELD = np.array([[1, 3, 2, 3, 3, 5, 4, 5], [2, 2, 2, 1, 7, 7, 6, 7]])

ROWS = [
    *[row(only, x, mask) for x, mask in ((M, SOME), (M[:, :1], SOME), (0.7, SOME), (Z, V > 0), (M[:, ::-1], SOME))],
    *[row(chosen, x, TIED < 3, TIED, 3) for x in (M, M[:1], M + 1j)],
    row(chosen, M, TIED < 9, TIED, 9, zero=True),
    *[row(between, x, TIED, low, high) for x in (M, M[:1], M + 1j) for low, high in ((1, 4), (2, TIED[:, :1]), (3, 3))],
    *[row(shared, d, SOME, axis) for d, axis in ((M[:, :1], 1), (0.7, None), (M[:1, :1] + 1j, (0, 1)))],
    *[row(shared, d, FEW, axis, others) for d, axis, others in
      ((M[:, :1], 1, 0), (M[:, :1], -1, 1), (0.7, None, 0), (M[:1, :1], (0, 1), 2), (M[:, :1] + 1j, 1, 0))],
    *[row(f, np.resize(V, HELD.shape), np.maximum.accumulate(HELD, axis), HELD, axis)
      for f in (record_holders, held_records) for axis in (0, 1, -1)],
    row(record_holders, V, np.minimum.accumulate([4, 4, 2, 2]), np.array([4, 5, 2, 2]), 0),
    row(placed, V, np.array([2, 0, 3, 1]), 0),
    *[row(evened, x, np.sort(TIED, axis), axis) for x in (M, M + 1j, M[:, ::-1]) for axis in (0, 1)],
    row(evened, V, np.array([1, 2, 2, 2]), -1),
    *[row(placed, x, np.argsort(M, axis), axis) for x in (M, M + 1j) for axis in (0, 1)],
    *[row(on_diagonal, V[:n], np.zeros(shape, int), offset, *axes) for n, shape, offset, axes in
      ((3, (3, 4), 0, (0, 1)), (3, (3, 4), 1, (0, 1)), (2, (3, 4), -1, (0, 1)), (2, (3, 4), 2, (-2, -1)),
       (1, (3, 4), 1, (1, 0)))],
    row(blocks, [M, M[:, :1]]),
    *[row(angle_partial, s, x, y) for s, x, y in ((M, M[:, ::-1], M[:1]), (V, V + 0.1, 2 * V[::-1]), (0.7, V, 1.3))],
]  # fmt: skip

test_pullback, _, test_single, test_gradient, test_second_order = row_tests(ROWS)


@pytest.mark.parametrize("word", sorted(WORDS, key=lambda word: word.__name__), ids=lambda word: word.__name__)
def test_every_word_is_known_to_the_table(word):
    from engine.rules import is_constant

    assert lookup(word) is not None or is_constant(word)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, np.complex64])
def test_only_keeps_every_bit_and_the_dtype(dtype):
    d = np.array([np.inf, np.nan, -0.0, 1.5, 7.0], dtype)
    kept = only(d, np.array([True, True, True, True, False]))
    assert kept.dtype == dtype and kept[:4].tobytes() == d[:4].tobytes() and kept[4] == 0
    assert not np.any(only(d, False))


@pytest.mark.parametrize("axis", [None, 0, 1, 2, (0, 2), -1])
@pytest.mark.parametrize("share", [0.001, 0.3])
def test_few_winners_get_what_many_get(axis, share):
    """Where winners are few they alone are written: the same numbers, also for slices without one."""
    winners = RNG.uniform(size=(5, 40, 30)) < share
    number = np.sum(winners, axis=axis, keepdims=True)
    d = RNG.uniform(1, 2, number.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.where(winners, 1.0, np.where(number == 0, np.nan, 0)) * (d / number)
    expected[np.broadcast_to(number == 0, winners.shape)] = np.nan
    np.testing.assert_allclose(shared(d, winners, axis), expected)


def records_one_by_one(d, a):
    """What each element gets, by the definition: a share of every record that it held."""
    result = np.zeros(len(a))
    for i in range(len(a)):
        record = np.max(a[: i + 1])
        holders = [j for j in range(i + 1) if a[j] == record]
        result[holders] += d[i] / len(holders)
    return result


@pytest.mark.parametrize("seed", range(20))
def test_records_are_shared_as_they_are_defined(seed):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 4, 30) + np.cumsum(rng.uniform(size=30) < 0.1)
    d = rng.uniform(1, 2, 30)
    expected = records_one_by_one(d, a)
    np.testing.assert_allclose(record_holders(d, np.maximum.accumulate(a), a, 0), expected)


def test_a_record_that_is_nan_has_a_nan_cotangent_and_spoils_none_before():
    a = np.array([1.0, 2.0, np.nan, 5.0])
    given = record_holders(np.ones(4), np.maximum.accumulate(a), a, 0)
    np.testing.assert_array_equal(given, [1.0, 1.0, np.nan, np.nan])


@pytest.mark.parametrize("values", [[3.0, 1.0, 2.0], [2.0, 1.0, 2.0, 1.0], [1.0, np.nan, 0.5, np.nan]])
def test_equals_are_sorted_in_the_order_they_came_in(values):
    a = np.array(values)
    np.testing.assert_array_equal(sorting(a, np.sort(a), 0), np.argsort(a, kind="stable"))


INDICES = [
    np.array([1, 1, 0, -1]), [0, 3, 3, 3], np.array([[0, 1], [1, 1]]), (slice(None), np.array([2, 2, 0, -1, 4])),
    (np.array([0, 0, 3]), np.array([1, 1, -2])), (np.arange(4)[:, None], np.array([0, 0, 2, 4])),
    (slice(None), slice(1, 3), [0, 0, 1]), (..., [0, 0, 1]), (np.array([0, 0]), slice(2)), ([0, 0, 1], 2),
    np.array([True, False, True, True]), RNG.uniform(size=(4, 5)) < 0.5, RNG.uniform(size=(4, 5, 3)) < 0.5,
    (slice(None), [True, False, True, False, True]), (None, [0, 0, 2]), (1, [0, 0, 2]),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, complex])
def test_what_is_scattered_is_added_where_it_was_read(index, dtype):
    a = RNG.uniform(1, 2, (4, 5, 3))
    d = RNG.uniform(1, 2, np.shape(a[index])).astype(dtype)
    expected = np.zeros(a.shape, dtype)
    np.add.at(expected, index, d)
    given = scatter(d, a, index)
    assert given.dtype == dtype
    np.testing.assert_allclose(given, expected, rtol=1e-6)
