"""Rules of medians, quantiles and percentiles: every method, several fractions, axes, weights, NaNs, ties and ends."""

import numpy as np
import pytest

from engine import gradient, hessian, jvp
from engine.rules import quantiles
from engine.rules.quantiles import at_ranks, summary

from .oracle import TIERS, Table, checks_of, tier
from .rule_rows import KEEPS_SINGLE, row, row_tests

RNG = np.random.default_rng(17)
A = RNG.permutation(24).reshape(2, 3, 4) / 7 - 1.3
M, V = A[0], A[1, 2]
ODD = RNG.permutation(7) / 3 - 0.9
WITH_NAN = np.array([[1.3, np.nan, -0.4, 0.2, 0.9], [0.5, 2.2, np.nan, np.nan, -1.1]])
WEIGHTS = RNG.uniform(0.5, 1.5, M.shape)
FRACTIONS = np.array([0.055, 0.555, 0.445])  # away from the corners of every method
CONTINUOUS = tuple(quantiles.PARAMETERS)
STEPS = ("inverted_cdf", "averaged_inverted_cdf", "closest_observation", "lower", "higher", "midpoint", "nearest")
AXES = (None, 0, -1, (0, 2), (-1, -2), (0, 1, 2))

ROWS = [
    *[row(f, x, axis=axis) for f in (np.median, np.nanmedian) for x in (A, A[:, ::-1, ::2]) for axis in AXES],
    *[row(f, x) for f in (np.median, np.nanmedian) for x in (V, ODD, ODD[::-2], V[:1], np.array(0.7), 0.7)],
    *[row(np.median, x, axis=1, keepdims=True) for x in (A, M + 1j * M[::-1])],
    *[row(np.quantile, A, 0.41, axis, keepdims=k) for axis in AXES for k in (False, True)],
    *[row(np.percentile, A, 41.0, axis=axis) for axis in (None, (0, 1))],
    *[row(f, WITH_NAN, q, axis=axis) for f, scale in ((np.nanquantile, 1), (np.nanpercentile, 100))
      for axis in (None, 1) for q in (0.43 * scale, FRACTIONS * scale, FRACTIONS.reshape(3, 1) * scale)],
    *[row(np.nanmedian, WITH_NAN, axis=axis) for axis in (None, 1)],
    *[row(np.quantile, x, FRACTIONS, axis=axis, keepdims=k) for x, axis in ((V, None), (M, 1), (A, (0, 2)))
      for k in (False, True)],
    *[row(np.percentile, M, 100 * FRACTIONS.reshape(3, 1), axis=0, method=m) for m in CONTINUOUS],
    *[row(np.quantile, ODD, FRACTIONS, method=m) for m in CONTINUOUS],
    *[row(f, M, tuple(q), axis=1, method=m) for f, q in ((np.quantile, FRACTIONS), (np.percentile, 100 * FRACTIONS))
      for m in ("hazen",)],
    row(np.quantile, V, 0.3, overwrite_input=True),
    *[row(np.quantile, V, np.array(q), method=m) for m in ("weibull", "interpolated_inverted_cdf")
      for q in (0.01, 0.4)],
    row(summary, M, 0.31, np.quantile, 1, False),
    row(summary, WITH_NAN, FRACTIONS, np.nanquantile, 1, True),
    row(at_ranks, M, np.array([[0, 2], [1, 1], [3, 0]])),
]  # fmt: skip

test_pullback, test_composition, test_single, test_gradient, test_second_order = row_tests(ROWS)

PROGRAMS = Table()


@PROGRAMS.at(ODD)
def by_every_method_that_is_a_step(x):
    total = 0.0
    for method in STEPS:
        total = total + np.sum(np.quantile(x, [0.2, 0.55, 0.9], method=method) ** 2)
    return total


@PROGRAMS.at(WITH_NAN)
def without_nans_by_every_method(x):
    total = 0.0
    for method in STEPS + CONTINUOUS:
        total = total + np.sum(np.nanquantile(x, [0.2, 0.57, 0.9], axis=1, method=method) ** 2)
    return total


@PROGRAMS.at(M)
def into_an_array_by_position(x):
    buffer = np.zeros(4)
    np.median(x * x, 0, buffer)
    total = np.sum(buffer**2)
    np.quantile(x, 0.3, 0, buffer)
    return total + np.sum(buffer**3) + np.percentile(x * 2, 30, None, None, True) ** 2


@PROGRAMS.at(0.31, V)
def by_a_fraction_that_is_computed(q, x):
    return np.quantile(x, q * q) ** 2 + np.percentile(x, 90 * q, method="hazen")


if KEEPS_SINGLE:  # weights came with NumPy 2

    @PROGRAMS.at(M, WEIGHTS)
    def with_weights(x, w):
        total = np.sum(np.quantile(x, [0.2, 0.7], axis=1, weights=w, method="inverted_cdf") ** 2)
        total = total + np.sum(np.percentile(x, 33, axis=0, weights=w[:, 0], method="inverted_cdf") ** 3)
        spoiled = np.where(x > np.median(x), x, np.nan)
        return total + np.nanquantile(spoiled, 0.4, weights=w, method="inverted_cdf") ** 2


test_program, test_gradient_of_program, test_pullback_of_program, test_pushforward, test_second_order_of_program = (
    checks_of(PROGRAMS)
)

NAN = np.nan
POINTS = [
    (lambda x: np.median(x), [1.0, 2.0, 2.0, 5.0], [0.0, 0.5, 0.5, 0.0]),
    (lambda x: np.median(x), [1.0, 2.0, 2.0], [0.0, 0.5, 0.5]),
    (lambda x: np.quantile(x, 0.4), [1.0, 2.0, 2.0, 5.0], [0.0, 0.5, 0.5, 0.0]),
    (lambda x: np.sum(np.quantile(x, [0.4, 1.0])), [1.0, 2.0, 2.0, 5.0], [0.0, 0.5, 0.5, 1.0]),
    (lambda x: np.quantile(x, 0.4), [1.0, NAN, 2.0], [NAN] * 3),
    (lambda x: np.nanquantile(x, 0.5), [1.0, NAN, 2.0, 2.0], [0.0, 0.0, 0.5, 0.5]),
    (lambda x: np.nansum(np.nanmedian(x.reshape(2, 2), axis=1)), [1.0, 3.0, NAN, NAN], [0.5, 0.5, 0.0, 0.0]),
]


@pytest.mark.filterwarnings("ignore:All-NaN slice")
@pytest.mark.parametrize("tier_name", TIERS)
@pytest.mark.parametrize("function, x, expected", POINTS)
def test_ties_share_and_nans_stay(function, x, expected, tier_name):
    with tier(tier_name):
        np.testing.assert_allclose(gradient(function, np.array(x))[0], expected, rtol=1e-14)


@pytest.mark.filterwarnings("ignore:All-NaN slice")
def test_a_slice_of_nothing_but_nans_stays_nan():
    assert np.isnan(gradient(lambda x: np.nanmedian(x), np.full(2, NAN))[0]).all()


@pytest.mark.parametrize("tier_name", TIERS)
def test_the_fraction_at_a_corner_and_at_the_ends(tier_name):
    """At a corner the mean of both slopes (convention 2), at the ends the one inside (3), beyond the data none."""
    x = np.array([1.0, 2.0, 6.0])
    with tier(tier_name):
        slope = {q: gradient(lambda q: np.quantile(x, q), q)[0] for q in (0.0, 0.25, 0.5, 1.0)}
        assert slope == {0.0: 2.0, 0.25: 2.0, 0.5: 5.0, 1.0: 8.0}
        assert gradient(lambda q: np.quantile(x, q, method="weibull"), 0.1)[0] == 0.0
        assert not gradient(lambda q: np.quantile(x, q, method="nearest"), 0.3)[0]
        assert jvp(lambda q: np.quantile(x, q), (0.25,), (1.0,))[1] == 2.0


def test_a_tie_moves_to_one_side_when_it_is_differentiated_again():
    """No average of slopes moves as one of them (convention 2): of two equals a sort puts the first in front."""
    x = np.array([3.0, 1.0, 3.0])
    np.testing.assert_allclose(hessian(lambda x: np.median(x) ** 2)(x), np.diag([2.0, 0.0, 0.0]))
    np.testing.assert_allclose(hessian(lambda x: np.quantile(x, 0.5) ** 2)(x), np.diag([2.0, 0.0, 0.0]))


def test_a_fraction_that_is_not_looked_at_counts_for_nothing():
    """Several fractions of a flat slice make an axis of their own, as long as the slice or not (convention 4)."""

    def f(x):
        return np.sum(np.where(np.array([True, False, True]), np.quantile(np.sqrt(x), [0.5, 0.0, 1.0]), 0.0))

    np.testing.assert_allclose(gradient(f, np.array([0.0, 1.0, 4.0]))[0], [0.0, 0.5, 0.25])
