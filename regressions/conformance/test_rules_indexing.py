"""Rules of indexing: each kind of index, repeated ones, taking, choosing, inserting and ordering."""

import operator

import numpy as np
import pytest

from engine import gradient, hessian, switches
from engine.rules.indexing import scatter

from .rule_rows import Row, projected, pulled_back, row, row_tests

RNG = np.random.default_rng(17)
A = RNG.uniform(-2, 2, (2, 3, 2))
M = A[..., 0]
V = np.array([1.3, -0.4, 2.2, 0.9])
Z = M + 1j * RNG.uniform(-1, 1, M.shape)
UNEQUAL = np.array([[1.3, -0.4, 2.2], [0.9, 1.7, -2.1]])

INDICES = (
    0, -1, np.int64(1), slice(None, None, -1), slice(5, 9), (0, 1), (slice(None), -2), (..., 0), (None, 0), None, ...,
    [0, 0, 1], np.array([1, 1]), np.array([[0, 1], [1, 1]]), ([0, 0], [1, 1]), (slice(1, None), [0, 0, 2]),
    (np.array([[0], [1]]), np.array([2, 2])), ([1, 0, 1], slice(None, 2)), np.array([True, False]), UNEQUAL > 0,
    (0, [True, False, True]), [], np.array(1), True, (np.array([], int), 0),
)  # fmt: skip

ROWS = [
    *[Row(operator.getitem, (M, index), zero=np.size(M[index]) == 0) for index in INDICES],
    *[Row(operator.getitem, (Z, index)) for index in (0, [0, 0], (1, 2))],
    Row(operator.getitem, (np.array(0.7), ())),
    Row(operator.getitem, (V[::-1], [0, 0, 3])),
    row(scatter, V[:3], M, (0, [0, 0, 1])),
    row(scatter, M, A, (..., 1)),
    *[row(np.take, x, i, axis) for x in (M, A) for i, axis in (([0, 0, 1], 1), (1, -1), ([[0, 1], [1, 1]], 0))],
    *[row(np.take, x, [5, 0, 5]) for x in (M, Z)],
    row(np.take, Z, [0, 0, 1], 1),
    row(np.take_along_axis, Z, np.array([5, 0, 5]), None),
    row(np.delete, Z, [0, 2], 1),
    row(np.insert, Z, 1, 0.7 + 1j, 1),
    row(np.take, V, [-7, 2, 9], 0, mode="wrap"),
    row(np.take, V, [-7, 2, 9], mode="clip"),
    row(np.take_along_axis, M, np.array([[0, 0, 2], [1, 1, 1]]), 1),
    row(np.take_along_axis, A, np.array([[[1], [0], [0]]]), axis=0),
    row(np.take_along_axis, M, np.array([5, 0, 5]), None),
    row(np.compress, [True, False, True], M, 1),
    row(np.compress, [True, False, True], M),
    row(np.extract, UNEQUAL > 0, M),
    row(np.select, [M > 1, M > 0], [M, Z], 0.7),
    row(np.select, [V > 1, V < 0], [V, 2.0]),
    row(np.choose, np.array([0, 1, 1]), [M, V[:3]]),
    row(np.choose, np.array([3, -1, 1]), [M, V[:3]], mode="wrap"),
    *[row(np.delete, M, obj, axis) for obj, axis in ((1, 1), ([0, 2], 1), (slice(0, 2), 1), (3, None), (-1, 0))],
    row(np.insert, V, 1, 0.7),
    row(np.insert, V, [1, 3], [0.7, 0.3]),
    row(np.insert, V, [3, 1], np.array([0.7, 0.3])),
    row(np.insert, V, 2, np.array([0.7, 0.3, 1.0])),
    row(np.insert, M, 1, np.array([0.7, 0.3]), 1),
    row(np.insert, M, 1, 0.7, 0),
    row(np.insert, M, [0, 2], np.array([[0.7], [0.3]]), 1),
    row(np.insert, M, 4, 0.7),
    row(np.trim_zeros, V),
    row(np.delete, M, [True, False, True], 1),
    row(np.insert, V, slice(0, 2), np.array([0.7, 0.3])),
    *[row(np.sort, UNEQUAL, axis) for axis in (-1, 0, None)],
    row(np.partition, UNEQUAL, 1, 1),
    row(np.partition, V, 2),
    row(np.unique, V),
    row(np.unique, UNEQUAL, True, True),
    row(np.bincount, np.array([0, 2, 0, 1]), V),
]

test_pullback, test_composition, test_single, test_gradient, test_second_order = row_tests(ROWS)


@pytest.mark.parametrize("trim, kept", [("fb", slice(2, 5)), ("f", slice(2, None)), ("b", slice(0, 5))])
def test_zeros_that_were_trimmed_have_no_cotangent(trim, kept):
    args = (np.array([0.0, 0.0, 1.3, 0.0, -0.4, 0.0]), trim)
    d = np.arange(1.0, 1 + len(args[0][kept]))
    expected = np.zeros(6)
    expected[kept] = d
    np.testing.assert_array_equal(pulled_back(Row(np.trim_zeros, args), d)[0], expected)


def test_an_array_of_zeros_trims_to_nothing():
    args = (np.zeros(3),)
    np.testing.assert_array_equal(pulled_back(Row(np.trim_zeros, args), np.zeros(0))[0], np.zeros(3))


def test_elements_that_are_equal_share_what_unique_makes_of_them():
    args = (np.array([2.0, 1.0, 2.0]),)
    (got,) = projected(pulled_back(Row(np.unique, args), np.array([3.0, 4.0])), args)
    np.testing.assert_array_equal(got, [2, 3, 2])


@pytest.mark.parametrize("kind", [np.sort, np.partition])
def test_equals_share_what_ordering_makes_of_them(kind):
    x = np.array([2.0, 1.0, 2.0, 0.5])
    case = Row(kind, (x, 2) if kind is np.partition else (x,))
    d = np.array([1.0, 10.0, 100.0, 1000.0])
    assert pulled_back(case, d)[0].tolist() == [550.0, 10.0, 550.0, 1.0]


def in_a_list(x):
    items = x.tolist()
    items.sort()
    return np.array(items)


@pytest.mark.parametrize("axis", [0, 1, None])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex128])
def test_equals_share_wherever_they_stand(axis, dtype):
    """Each gets the mean of what one order of the equals and the opposite one would give it."""
    x = np.array([[2, 1, 2, 0.5], [2, 1, 1, 2], [0.5, 1, 2, 2]]).astype(dtype)
    d = np.arange(12.0).reshape(12 if axis is None else (3, 4)).astype(dtype)
    (got,) = pulled_back(Row(np.sort, (x,), {"axis": axis}), d)
    expected = np.zeros_like(x)
    for slant in (1e-3, -1e-3):
        nearly = x.astype(float if dtype != np.complex128 else complex) + slant * np.arange(12).reshape(3, 4)
        expected += pulled_back(Row(np.sort, (nearly,), {"axis": axis}), d)[0].astype(dtype) / 2
    assert got.dtype == dtype
    np.testing.assert_allclose(got, expected, rtol=2e-3)


ORDERED = {
    "sort": np.sort,
    "partition": lambda x: np.partition(x, (0, 1, 2, 3, 4, 5)),
    "sorted": lambda x: np.array(sorted(x.tolist())),
    "sorted backwards": lambda x: np.array(sorted(x.tolist(), reverse=True)),
    "list.sort": in_a_list,
    "quantile": lambda x: np.quantile(x, np.arange(6) / 5),
}


@pytest.mark.parametrize("tier", [(), ("typed",)], ids=["typed", "traced"])
@pytest.mark.parametrize("kind", ORDERED.values(), ids=ORDERED)
def test_the_same_equals_ordered_from_two_sides(kind, tier):
    """The two results are the same numbers, and their products add up to those of the squares."""
    x = np.array([2.0, 1.0, 2.0, 0.5, 1.0, 2.0])
    with switches.off(*tier):
        np.testing.assert_allclose(gradient(lambda x: kind(x) @ kind(x[::-1]), x)[0], 2 * x)
        np.testing.assert_allclose(hessian(lambda x: kind(x) @ kind(x[::-1]))(x), 2 * np.eye(6), atol=1e-12)


def test_missing_values_are_not_equal():
    x = np.array([np.nan, 1.0, np.nan, 1.0])
    (got,) = pulled_back(Row(np.sort, (x,)), np.array([1.0, 2.0, 3.0, 5.0]))
    assert got.tolist() == [3.0, 1.5, 5.0, 1.5]


@pytest.mark.parametrize("tier", [(), ("typed",)], ids=["typed", "traced"])
@pytest.mark.parametrize(
    "f, counts",
    [
        (lambda x: np.sum(x[[2, 0, 0, 1]]), [2, 1, 1, 0]),
        (lambda x: np.sum(x[1:][[2, 0, 0, 0]]), [0, 3, 0, 1]),
        (lambda x: np.sum(x[np.array([3, 3, 1])]), [0, 1, 0, 2]),
        (lambda x: np.sum(x.reshape(2, 2)[:, [0, 0, 1]]), [2, 1, 2, 1]),
        (lambda x: np.sum(x.reshape(2, 2)[[0, 1, 0], [0, 1, 0]]), [2, 0, 0, 1]),
        (lambda x: np.sum(x[(0, 0, 1),]), [2, 1, 0, 0]),
        (lambda x: np.sum(x.reshape(2, 2)[:, (1, 1)]), [0, 2, 0, 2]),
    ],
)
def test_elements_named_twice_by_an_index_written_out(tier, f, counts):
    with switches.off(*tier):
        x = np.array([1.3, -0.4, 2.2, 0.9])
        np.testing.assert_array_equal(gradient(f, x)[0], counts)
        np.testing.assert_array_equal(hessian(lambda x: f(x * x))(x), 2 * np.diag(counts))
        np.testing.assert_array_equal(
            gradient(lambda x: np.sum(gradient(lambda x: f(x * x), x)[0]), x)[0], 2.0 * np.array(counts)
        )
