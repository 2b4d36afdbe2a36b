"""Rules of reductions: axes, keepdims, zeros in products, ties, deviations and norms at zero, empty and NaN slices."""

import numpy as np
import pytest

from engine import gradient, pullback
from engine.errors import DifferentiationError
from engine.rules.differences import given_back, neighbours

from . import oracle
from .rule_rows import KEEPS_SINGLE, projected, row, row_tests

RNG = np.random.default_rng(11)
A = RNG.uniform(0.5, 2.0, (2, 3, 2)) * RNG.choice([-1, 1], (2, 3, 2))
M = A[..., 0]
V = np.array([1.3, -0.4, 2.2, 0.9])
Z = A + 1j * RNG.uniform(-1, 1, A.shape)
AXES = (None, 0, -1, (0, 2), (-1, -2), (0, 1, 2))
WITH_NAN = np.array([[1.3, np.nan, -0.4], [0.5, 2.2, np.nan]])
ZEROS = np.array([[1.3, 0.0, -0.4], [0.0, 2.2, 0.0], [1.1, 0.7, 2.0]])
ONE = np.array(0.7)
EMPTY = np.zeros((0, 3))
SOME = np.array([[True, False, True], [True, True, False]])

ROWS = [
    *[row(f, A, axis=axis) for f in (np.sum, np.mean, np.prod, np.max, np.min, np.var, np.std) for axis in AXES],
    *[row(f, A, axis=axis, keepdims=True) for f in (np.sum, np.mean, np.prod, np.max, np.std) for axis in AXES],
    *[row(f, Z, axis=axis) for f in (np.sum, np.mean, np.prod, np.var, np.std) for axis in (None, 1)],
    *[row(f, x) for f in (np.sum, np.mean, np.prod, np.max) for x in (ONE, V[::-2], 0.7)],
    *[row(f, V[:1]) for f in (np.sum, np.mean, np.prod, np.max)],
    *[row(f, V[:1], smooth=False, zero=True) for f in (np.var, np.std)],
    *[row(f, M, ddof=1, axis=axis) for f in (np.var, np.std) for axis in (None, 1, (0, 1))],
    *[row(f, M, axis=axis) for f in (np.amax, np.amin, np.ptp) for axis in (None, 0, -1, (0, 1))],
    row(np.ptp, V),
    *[row(f, M, axis=axis) for f in (np.add.reduce, np.multiply.reduce, np.maximum.reduce, np.minimum.reduce)
      for axis in (None, 0, -1)],
    *[row(f, M) for f in (np.add.reduce, np.multiply.reduce, np.maximum.reduce, np.minimum.reduce)],
    row(np.sum, M, axis=0, dtype=np.float64),
    *[row(f, x, axis=axis, where=SOME) for f in (np.sum, np.mean, np.prod, np.var, np.std) for x in (M, Z[..., 0])
      for axis in (None, 0, 1)],
    *[row(f, M, axis=1, where=SOME, initial=x, keepdims=True) for f, x in
      ((np.sum, 1.5), (np.prod, -0.4), (np.max, -3.0), (np.min, 3.0), (np.nansum, 1.5), (np.nanmax, -3.0),
       (np.add.reduce, 1.5), (np.multiply.reduce, 0.3), (np.maximum.reduce, 0.1), (np.fmin.reduce, 3.0))],
    row(np.max, M, initial=9.0, zero=True),
    row(np.prod, ZEROS, axis=0, where=ZEROS != 0, initial=1.7),
    row(np.var, Z[0], axis=0, ddof=0.5, where=np.array([[True], [True], [False]])),
    *[row(f, WITH_NAN, axis=1, where=WITH_NAN != 0.5)
      for f in (np.nansum, np.nanmean, np.nanprod)],
    *[row(f, M) for f in (np.fmax.reduce, np.fmin.reduce)],
    *[row(f, M, axis=axis) for f in (np.logaddexp.reduce, np.logaddexp2.reduce, np.hypot.reduce) for axis in (0, 1)],
    row(np.logaddexp.reduce, M, axis=1, initial=0.3, where=SOME, keepdims=True),
    row(np.hypot.reduce, M, axis=1, where=SOME),
    *[row(f, x, axis=axis) for f in (np.maximum.accumulate, np.minimum.accumulate) for x, axis in
      ((V, 0), (M, 1), (A, 1), (EMPTY, 0))],
    *[row(f, ZEROS, axis=axis) for f in (np.prod, np.cumprod) for axis in (0, 1)],
    row(np.cumprod, ZEROS),
    row(np.prod, ZEROS, zero=True),
    row(np.prod, ZEROS[1:], axis=(0, 1), zero=True, keepdims=True, dtype=np.float64),
    row(np.prod, ZEROS[::2, ::-1], axis=(0, 1), keepdims=True),
    row(np.prod, ZEROS * (1 + 1j), axis=1),
    row(np.cumprod, ZEROS * (1 + 1j), axis=1),
    *[row(f, x, axis=axis) for f in (np.cumsum, np.cumprod) for x in (M, Z[0]) for axis in (None, 0, -1)],
    *[row(f, M) for f in (np.add.accumulate, np.multiply.accumulate)],
    *[row(f, WITH_NAN, axis=axis) for f in (np.nansum, np.nanmean, np.nanmax, np.nanmin, np.nanvar, np.nanstd,
                                            np.nanprod, np.nancumsum, np.nancumprod) for axis in (None, 0, 1)
      if not (axis == 0 and f in (np.nanvar, np.nanstd))],
    row(np.nanmean, WITH_NAN, axis=1, keepdims=True),
    row(np.nanstd, WITH_NAN, axis=1, ddof=1),
    row(np.average, M),
    row(np.average, M, axis=0, weights=np.array([0.3, 0.9])),
    row(np.average, M, 1, np.array([0.3, 0.9, 0.2])),
    row(np.average, M, None, np.abs(M) + 0.5),
    row(np.average, M, 1, np.array([0.3, 0.9, 0.2]), True),
    row(np.diff, V),
    row(np.diff, M, 2, 1),
    *[row(np.diff, x, n, axis) for x in (M, Z, M.T[::-1]) for n, axis in ((0, 0), (1, 0), (1, -2), (3, 1))],
    row(np.diff, M, axis=0, prepend=0.5),
    row(np.diff, M, n=0, prepend=0.5, append=M[:, :1]),
    row(np.diff, V, append=np.array([1.0, 2.0])),
    row(getattr(np, "trapezoid", getattr(np, "trapz", None)), M),
    row(getattr(np, "trapezoid", getattr(np, "trapz", None)), M, np.array([0.0, 0.4, 1.5])),
    row(getattr(np, "trapezoid", getattr(np, "trapz", None)), M, dx=0.3, axis=0),
    *[row(np.linalg.norm, x) for x in (V, M, A, Z, V[::-1])],
    *[row(np.linalg.norm, V, ord=ord) for ord in (2, 1, 3, 0.5, np.inf, -np.inf)],
    *[row(np.linalg.norm, M, ord=ord) for ord in ("fro", "nuc", 2, -2, 1, -1, np.inf, -np.inf)],
    *[row(np.linalg.norm, Z[0], ord=ord) for ord in ("fro", "nuc", 2, 1, np.inf)],
    *[row(np.linalg.norm, A, ord=ord, axis=axis) for ord in (None, 2, 1, 3, np.inf) for axis in (1, -1)],
    *[row(np.linalg.norm, A, ord=ord, axis=(0, 2)) for ord in (None, "fro", "nuc", 2, 1, np.inf)],
    row(np.linalg.norm, A, axis=1, keepdims=True),
    row(np.linalg.norm, Z, 3, 1),
    row(np.linalg.norm, V, 0, zero=True),
    *[row(f, EMPTY, axis=1) for f in (np.sum, np.prod, np.max, np.cumsum, np.cumprod)],
    *[row(f, EMPTY, axis=0) for f in (np.sum, np.prod, np.cumsum, np.cumprod)],
]  # fmt: skip
if KEEPS_SINGLE:  # NumPy 2
    ROWS += [row(f, M, axis=1, correction=1) for f in (np.var, np.std)]
    ROWS += [row(f, M, axis=1, mean=np.full((2, 1), 0.3)) for f in (np.var, np.std)]
if hasattr(np.linalg, "vector_norm"):
    ROWS += [row(np.linalg.vector_norm, A), row(np.linalg.vector_norm, A, axis=1, ord=3, keepdims=True)]

SIGNS = [(-1.0, 1.0), (1.0, 1.0), (0.5, -3.0)]


@pytest.mark.parametrize("signs", SIGNS)
@pytest.mark.parametrize("x, axis", [(M, 0), (M, -1), (Z, 1), (V[::-1], 0), (M[:, :1], 1), (M[:1].T, -2)])
def test_sums_of_neighbours_and_what_they_give_back(x, axis, signs):
    ahead, behind = np.delete(x, 0, axis), np.delete(x, -1, axis)
    sums = neighbours(x, signs, axis)
    np.testing.assert_allclose(sums, signs[0] * behind + signs[1] * ahead)
    d = np.cos(np.arange(sums.size)).reshape(sums.shape).astype(x.dtype)
    np.testing.assert_allclose(np.vdot(given_back(d, x, signs, axis), x), np.vdot(d, sums), atol=1e-14)


def test_an_order_of_differences_below_zero_is_the_primals_error():
    with pytest.raises(ValueError, match="non-negative"):
        gradient(lambda x: np.sum(np.diff(x, -1)), V)


test_pullback, test_composition, test_single, test_gradient, test_second_order = row_tests(ROWS)

NAN, INF = np.nan, np.inf
POINTS = [
    (np.max, (np.array([1.0, 3.0, 3.0]),), {}, 1.0, [0.0, 0.5, 0.5]),
    (np.min, (np.array([[1.0, 1.0], [2.0, 1.0]]),), {"axis": 0}, np.ones(2), [[1.0, 0.5], [0.0, 0.5]]),
    (np.max, (np.array([1.0, 2.0, NAN]),), {}, 1.0, [NAN] * 3),
    (np.nanmax, (np.array([2.0, 2.0, NAN]),), {}, 1.0, [0.5, 0.5, 0.0]),
    (np.std, (np.full(3, 0.7),), {}, 1.0, [0.0] * 3),
    (np.var, (np.full(1, 0.7),), {"ddof": 1}, 1.0, [NAN]),
    (np.prod, (np.array([2.0, 0.0, 3.0]),), {}, 1.0, [0.0, 6.0, 0.0]),
    (np.prod, (np.array([2.0, 0.0, 0.0]),), {}, 1.0, [0.0, 0.0, 0.0]),
    (np.prod, (np.array([1e200, 1e200, 1e-300]),), {}, 1.0, [1e-100, 1e-100, INF]),
    (np.cumprod, (np.array([0.0, 3.0, 0.0, 2.0]),), {}, np.ones(4), [4.0, 0.0, 0.0, 0.0]),
    *[(np.linalg.norm, (np.zeros(3),), {"ord": ord}, 1.0, [0.0] * 3) for ord in (None, 2, 1, 3, INF)],
    (np.linalg.norm, (np.zeros(2, complex),), {}, 1.0, [0.0] * 2),
    *[(np.linalg.norm, (np.zeros((2, 2)),), {"ord": ord}, 1.0, np.zeros((2, 2))) for ord in ("fro", "nuc", 1)],
    (np.linalg.norm, (np.array([3.0, 0.0, -4.0]), 1), {}, 1.0, [1.0, 0.0, -1.0]),
    (np.linalg.norm, (np.array([[1.0], [0.0], [1e-16]]),), {"axis": 1}, np.ones(3), [[1.0], [0.0], [1.0]]),
    (np.nansum, (np.array([1.0, NAN]),), {}, 1.0, [1.0, 0.0]),
    (np.max, (np.array([1.0, 3.0]),), {"initial": 3.0}, 1.0, [0.0, 0.5]),
    (np.max, (np.array([9.0, 3.0, 3.0]),), {"initial": 0, "where": [False, True, True]}, 1.0, [0.0, 0.5, 0.5]),
    (np.fmax.reduce, (np.array([2.0, NAN, 2.0]),), {}, 1.0, [0.5, 0.0, 0.5]),
    (np.maximum.accumulate, (np.array([2.0, 1.0, 2.0, 2.0]),), {}, np.ones(4), [2 + 5 / 6, 0.0, 5 / 6, 1 / 3]),
    (np.maximum.accumulate, (np.array([2.0, NAN, 3.0]),), {}, np.ones(3), [1.0, NAN, NAN]),
    (np.logaddexp.reduce, (np.array([-INF, -INF]),), {}, 1.0, [0.5, 0.5]),
    (np.logaddexp.reduce, (np.array([INF, 1.0]),), {}, 1.0, [1.0, 0.0]),
    (np.hypot.reduce, (np.zeros(2),), {}, 1.0, [0.0, 0.0]),
    (np.var, (np.array([1.0, 3.0]),), {"where": [True, False], "ddof": 1}, 1.0, [NAN, 0.0]),
    (np.prod, (np.array([0.0, 0.0, 3.0]),), {"where": [True, False, True], "initial": 2.0}, 1.0, [6.0, 0.0, 0.0]),
]


@pytest.mark.filterwarnings("ignore:Degrees of freedom")
@pytest.mark.parametrize("tier_name", oracle.TIERS)
@pytest.mark.parametrize("function, args, kwargs, d, expected", POINTS)
def test_special_points_follow_the_conventions(function, args, kwargs, d, expected, tier_name):
    with np.errstate(all="ignore"), oracle.tier(tier_name):
        _, back = pullback(lambda x: function(x, *args[1:], **kwargs), args[0])
        got = back(d)[0]
    np.testing.assert_allclose(got, expected, rtol=1e-13)


def test_empty_means_pull_back_to_empty():
    """Convention 6: the value is NaN, with a warning of NumPy's, the cotangent has no element."""
    from engine.rules import lookup

    given = lookup(np.mean).pullbacks["a"](1.0, np.nan, np.zeros(0))
    assert projected((given,), (np.zeros(0),))[0].shape == (0,)


@pytest.mark.parametrize("tier_name", oracle.TIERS)
@pytest.mark.parametrize("function", [np.var, np.std])
def test_a_ddof_that_carries_a_derivative_is_refused(function, tier_name):
    with oracle.tier(tier_name), pytest.raises(DifferentiationError, match="ddof"):
        gradient(lambda c: function(V, ddof=c), 1.0)
